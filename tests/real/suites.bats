# SPDX-License-Identifier: MIT
# Test suites of other projects under the library: each executable DIR/<suite>/run, for the absolute
# directories DIR among the words of SUITES.  How to lay one out: suites.md.
# bats cannot leave a test out at run time, so the tests here also check their own rule on specimens.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -m 700 shm
	export POOLMEM=dir=$PWD/shm
}

# specimen NAME: a suite whose run script is stdin
specimen()
{
	mkdir -p "specimens/$1"
	{ echo '#!/bin/sh'; cat; } >"specimens/$1/run"
	chmod +x "specimens/$1/run"
}

# Exit 0, and a last line that tells of passes and of no failure.
passes()
{
	local output=$BATS_TEST_TMPDIR/output code=0
	"$1/run" "$lib" >"$output" 2>&1 </dev/null || code=$?
	[ "$code" = 0 ] && tail -n 1 "$output" | grep -qxE '[1-9][0-9]* passed, 0 failed' && return
	echo "$1/run: exit code $code"
	tail -n 40 "$output"
	return 1
}

# The given directories' suites; a directory without any is a mistake.
every_suite_passes()
{
	local directory suite found failed=0
	for directory; do
		found=0
		for suite in "$directory"/*; do
			[ -f "$suite/run" ] && [ -x "$suite/run" ] || continue
			found=$((found + 1))
			passes "$suite" || failed=$((failed + 1))
		done
		[ $found != 0 ] || { echo "$directory: no suite"; failed=$((failed + 1)); }
	done
	[ $failed = 0 ]
}

@test "suites: a failing, a silent and a missing suite are seen" {
	specimen failing <<<'echo 2 passed, 1 failed; exit 1'
	run ! passes specimens/failing
	specimen lying <<<'echo 2 passed, 1 failed'
	run ! passes specimens/lying
	specimen silent <<<'exit 0'
	run ! passes specimens/silent
	specimen empty <<<'echo 0 passed, 0 failed'
	run ! passes specimens/empty
	mkdir none
	run ! every_suite_passes none
	run ! every_suite_passes "$PWD/not/there"
}

@test "suites: each one passes under the library, a specimen and those of SUITES" {
	specimen preloaded <<-'E'
		LD_PRELOAD=$1 grep -qF "$1" /proc/self/maps && echo 1 passed, 0 failed
	E
	directories=("$PWD/specimens")
	for word in ${SUITES-}; do
		[[ $word != /* ]] || directories+=("$word")
	done
	every_suite_passes "${directories[@]}"
}
