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
	local folder form count=0
	for folder in "$here"/*/; do
		for form in txt json; do
			cp -r "$folder" "$out/case"
			golden_run "$poolmem" "$out/case" $form >"$out/actual"
			diff -u "$folder/expected.$form" "$out/actual" || return 1
			rm -rf "$out/case"
			count=$((count + 1))
		done
	done
	[ $count -ge 16 ]
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

@test "golden: F35: no control character in any output" {
	! LC_ALL=C grep -rlP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$here"/*/expected.*
}

@test "golden: JSON of list and clean" {
	golden_segments "$here" "$out/segments"
	for command in list clean; do
		golden_listing "$poolmem" $command "$out/segments" >"$out/actual"
		diff -u "$here/$command.json" "$out/actual"
	done
}
