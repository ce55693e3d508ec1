# SPDX-License-Identifier: MIT
# The generations beside those of Python's own garbage collector, in the same runs: thresholds, which generation each sweep
# takes, what is young and what is old.  Python kills itself right after it was asked, so both figures are of one moment.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	python=$(python3 -c 'import sys; print(sys.executable)')
	export PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 PYTHONMALLOC=malloc
}

collect()
{
	rm -rf "$out/segments"/*
	POOLMEM="dir=$out/segments,gen.clock=net,gen.threshold=700:10:10" LD_PRELOAD=$lib \
		"$python" -s "$here/collect.py" "$1" >"$out/$1.gc" || [ $? = 137 ]
	"$poolmem" report --json "$out"/segments/*.pms >"$out/$1.json"
}

@test "generations: what CPython 3.11 says of its own, and what the library says" {
	"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || skip "python3 is not 3.11"
	for scene in nothing lists strings freed cycles waves; do
		collect $scene
	done
	python3 "$here/collected.py" "$out"
}
