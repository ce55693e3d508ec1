# SPDX-License-Identifier: MIT
# The peak of live bytes is between the two figures that are told, also where threads free what others allocate.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# told SETTINGS ARGUMENT...: the program's own figures are within those that are told; libc has some KiB for threads.
# The lower one is no further off than the words in libpoolmem(7) say.
told()
{
	rm -rf "$out"/segments
	local own
	own=$(POOLMEM="dir=$out/segments,$1" LD_PRELOAD=$lib "$programs/livepeak" "${@:2}")
	"$poolmem" report --json "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" "$3" "$1" $own <<-'END' || { echo "$*: $own"; return 1; }
		import json, sys
		at_least, at_most = map(int, sys.argv[4:])
		threads = int(sys.argv[2]) + 1
		told = json.load(open(sys.argv[1]))["processes"][-1]
		low = told["metrics"]["live.peak"]
		high = told["estimated"].get("live.peak", {"at_most": low})["at_most"]
		print("told", low, high, "own", at_least, at_most)
		assert low <= at_most + 16384, "too high"
		assert high >= at_least, "too low"
		exact = "repeatable" in sys.argv[3]
		missing = 0 if exact else threads * ((64 << 10) + (1 << 20) + (64 << 10)) + at_least // 64
		assert low + missing >= at_least, "worth nothing"
	END
}

@test "peak: blocks that another thread frees are not told as live" {
	for threads in 2 8; do
		told sites=off handed $threads 30000
		told sites=sample handed $threads 1000
		told sites=all handed $threads 30000
	done
	told sites=off handed 4 100000
}

@test "peak: what a thread has freed that calls no more is not told as live" {
	told sites=off turns 2 30000
	told sites=off turns 8 500
	told sites=all turns 8 30000
}

@test "peak: what many threads keep is told, but for what the words allow" {
	for settings in sites=off sites=sample sites=all; do
		told $settings kept 8 30000
		told $settings kept 2 500
	done
}

@test "peak: a forked child has its own" {
	told sites=off forked 4 30000
}

@test "peak: of heap=next as well" {
	told heap=next handed 4 30000
	told heap=next turns 4 500
}

@test "peak: exact where each block is recorded and runs are to repeat" {
	for how in handed turns; do
		told sites=all,repeatable=1 $how 4 30000
	done
}
