# SPDX-License-Identifier: MIT
# poolmem holds itself to a budget: what its commands allocate on captures that are in the tree.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	ln -s "$build" "$out/build"
	ln -s "$root/tests" "$out/tests"
	cd "$out"
}

@test "gate: no command of poolmem uses more than its budget" {
	run -0 --separate-stderr "$poolmem" check -b tests/gate/poolmem.budget
	[[ $output == *"8 tests: 8 passed."* && -z $stderr ]]
}

@test "gate: it would notice, and say where" {
	run -1 "$poolmem" check -b tests/gate/poolmem.budget --test sites --rule 'site "allocate" alloc.count <= 1'
	[[ $output == *"exceeded"*"allocate at "*"allocate.c:"*"1 test: 1 exceeded."* ]]
}
