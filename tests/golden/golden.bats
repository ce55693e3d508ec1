# SPDX-License-Identifier: MIT
# What the readers print, to the letter.  A change that is meant: tests/golden/update, and read the diff.

bats_require_minimum_version 1.5.0

setup()
{
	here=$BATS_TEST_DIRNAME
	poolmem=$(realpath "${POOLMEM_BUILD:-$here/../../build}")/poolmem
	. "$here/golden.bash"
	out=$BATS_TEST_TMPDIR
}

@test "golden: text and JSON of every capture" {
	local folder command form count=0
	for folder in "$here"/*/; do
		for command in report survival sites; do
			for form in txt json; do
				cp -r "$folder" "$out/case"
				golden_run "$poolmem" "$out/case" $command $form >"$out/actual"
				diff -u "$folder/$(golden_expected $command $form)" "$out/actual" || return 1
				rm -rf "$out/case"
				count=$((count + 1))
			done
		done
	done
	[ $count -ge 90 ]
}

@test "golden: what is read is valid JSON with the common members" {
	local folder
	for folder in "$here"/*/; do
		! grep -q '^stderr' "$folder/expected.json" || continue
		python3 - "$folder" <<-'END'
			import json, os, sys
			d = json.load(open(sys.argv[1] + "/expected.json"))
			assert d["schema"] == 1
			assert all(type(v) is int for v in d["metrics"].values())
			assert type(d["estimated"]) is dict and type(d["notes"]) is list
			for p in d["processes"] if not os.path.exists(sys.argv[1] + "/args") else []:
			    m = p["metrics"]
			    assert m["alloc.count"] == sum(c["allocated"] for c in p["classes"])
			    assert m["free.count"] == sum(c["freed"] for c in p["classes"])
			    assert m["alloc.bytes"] == sum(c["allocated_bytes"] for c in p["classes"])
			    assert sum(p["generations"]["died"]) == m["free.count"]
		END
	done
}

@test "golden: survival as JSON adds up" {
	local folder
	for folder in "$here"/*/; do
		! grep -q '^stderr' "$folder/survival.json" || continue
		python3 - "$folder" <<-'END'
			import json, sys
			d = json.load(open(sys.argv[1] + "/survival.json"))
			assert d["schema"] == 1 and "what_if" in d
			for p in d["processes"]:
			    flows = [p["generations"]["blocks"], p["generations"]["bytes"]]
			    for f in flows if flows[0] else []:
			        for n in range(3):
			            rest = f["frozen"] if n == 2 else 0
			            assert f["entered"][n] == f["survived"][n] + f["died"][n] + f["live"][n] + rest, f
			    born = p["curve"]["born"]
			    for point in p["curve"]["points"]:
			        assert point["blocks"] <= born
			        born = point["blocks"]
		END
	done
}

@test "golden: F35: no control character in any output" {
	! LC_ALL=C grep -rlP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$here"/*/expected.* "$here"/*/survival.*
}

@test "golden: JSON of list and clean" {
	golden_segments "$here" "$out/segments"
	for command in list clean; do
		golden_listing "$poolmem" $command "$out/segments" >"$out/actual"
		diff -u "$here/$command.json" "$out/actual"
	done
}
