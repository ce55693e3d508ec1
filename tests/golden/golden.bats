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
		python3 - "$folder/expected.json" <<-'END'
			import json, sys
			d = json.load(open(sys.argv[1]))
			assert d["schema"] == 1
			assert all(type(v) is int for v in d["metrics"].values())
			assert type(d["estimated"]) is dict and type(d["notes"]) is list
			for p in d["processes"]:
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

# Ages and sizes differ from run to run: they read N here.
listed()
{
	POOLMEM=dir=$out/segments "$poolmem" "$@" |
		sed -E 's/"(age_ns|bytes|heap.telemetry)": [0-9]+/"\1": N/'
}

some_segments()
{
	mkdir -m 700 "$out/segments"
	local extract='import sys; d=open(sys.argv[1],"rb").read(); n=int.from_bytes(d[24:32],"little"); sys.stdout.buffer.write(d[40:40+n])'
	python3 -c "$extract" "$here/exited/capture.pm" >"$out/segments/1797a1b2c3d4e5f6-1234-0a1b2c3d.pms"
	python3 -c "$extract" "$here/killed/capture.pm" >"$out/segments/1797a1b2c3d4e5f7-3000-0a1b2c3e.pms"
	python3 -c "$extract" "$here/newer/capture.pm" >"$out/segments/1797a1b2c3d4e5f8-6000-0a1b2c3f.pms"
	echo no segment >"$out/segments/other"
}

@test "golden: JSON of list and clean" {
	some_segments
	listed list --json >"$out/actual"
	diff -u "$here/list.json" "$out/actual"
	listed clean --json >"$out/actual"
	diff -u "$here/clean.json" "$out/actual"
}
