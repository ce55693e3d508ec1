# SPDX-License-Identifier: MIT
# Where `poolmem check` is tried: an empty directory of the test's own, and all that is made goes there.

load ../posix/preload

app=$programs/budgeted
always=() # arguments of each check

enter()
{
	prepare
	cd "$out"
	export TMPDIR=$out
}

setup()
{
	enter
}

check()
{
	POOLMEM=dir=$out/segments "$poolmem" check --lib "$lib" "${always[@]}" "$@"
}
