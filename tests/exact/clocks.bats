# SPDX-License-Identifier: MIT
# What an epoch is counted in: a program that counts for itself finds each end of an epoch where it must be.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# clocked SETTINGS ARGUMENTS...: leaves the report of the one segment in $json and $text
clocked()
{
	local segments=$BATS_TEST_TMPDIR/segments
	rm -rf "$segments"/*
	epochs=$(POOLMEM="dir=$segments,$1" LD_PRELOAD=$lib "$programs/clocks" "$segments" "${@:2}") || {
		echo "$1 ${*:2}: $epochs"
		return 1
	}
	"$poolmem" report --json "$segments"/*.pms >"$BATS_TEST_TMPDIR/json"
	"$poolmem" report "$segments"/*.pms | tr -s ' \n' ' ' >"$BATS_TEST_TMPDIR/text"
}

# generations EXPRESSION: true of g, the generations of the report, and m, its metrics
generations()
{
	python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
g, m = report["generations"], report["metrics"]
assert eval(sys.argv[2]), (sys.argv[2], g["clock"], g["epochs"], g["epoch_length"], g["threshold"])' \
		"$BATS_TEST_TMPDIR/json" "$1"
}

says()
{
	grep -qF -- "$1" "$BATS_TEST_TMPDIR/text" || { cat "$BATS_TEST_TMPDIR/text"; return 1; }
}

@test "clock: allocations" {
	clocked '' allocs
	generations "g['clock'] == 'allocs' and g['threshold'] == [1000, 10, 10]"
	generations "$epochs <= g['epochs'] <= $epochs + 1 and sum(g['sweeps']) == g['epochs']"
	says 'an epoch is 1,000 allocations;'
	clocked sites=all allocs # where each block is an event, ticks come as often
	generations "$epochs <= g['epochs'] <= $epochs + 1 and sum(g['sweeps']) == g['epochs']"
	clocked gen.clock=allocs,gen.threshold=40:10:10 allocs
	generations 'g["epoch_length"] >= 80'
}

@test "clock: bytes" {
	clocked gen.clock=bytes bytes
	generations "g['clock'] == 'bytes' and g['threshold'] == [65536, 10, 10]"
	generations "$epochs <= g['epochs'] <= $epochs + 1 and g['epochs'] * 65536 <= m['alloc.bytes']"
	says '64.0 KiB'
	says 'of allocations; blocks'
	says '(gen.clock=bytes, gen.threshold=65536:10:10)'
	clocked gen.clock=bytes,gen.threshold=4096:10:10 bytes
	generations 'g["epoch_length"] >= 16384 and m["gen.epochs"] > 512'
	clocked gen.threshold=1000000:10:10,gen.clock=bytes bytes
	generations 'g["threshold"][0] == 1000000'
}

@test "clock: a large block that shrinks does not stop the clock of bytes" {
	clocked gen.clock=bytes bytes shrink
}

@test "clock: allocations less frees" {
	clocked gen.clock=net net
	generations "g['clock'] == 'net' and g['threshold'] == [700, 10, 10]"
	generations "$epochs <= g['epochs'] <= $epochs + 1"
	says 'an epoch is 700 allocations net of frees;'
	clocked gen.clock=net,gen.threshold=20:10:10 net
	generations 'g["epoch_length"] >= 40'
}

@test "clock: each sweep takes the generation that CPython 3.11 would take then" {
	for settings in gen.clock=net,gen.threshold=700:10:10 gen.clock=net,gen.threshold=50:3:0 gen.clock=net,gen.threshold=50:0:4; do
		clocked $settings net sweeps
		generations "g['sweeps'][2] >= 3 and g['epochs'] == sum(g['sweeps'])"
	done
	clocked gen.threshold=100:2:1 allocs sweeps
}

@test "clock: frees by a thread that only frees lower it" {
	clocked gen.clock=net,gen.threshold=3000:10:10 net handover
}

@test "clock: milliseconds" {
	clocked gen.clock=ms ms
	generations "g['clock'] == 'ms' and g['threshold'] == [10, 10, 10]"
	generations "$epochs <= g['epochs'] <= $epochs + 1 and g['epochs'] * 10 <= m['process.elapsed_ns'] / 1e6 + 20"
	says 'an epoch is 10 ms;'
	clocked gen.clock=ms,gen.threshold=1:10:10 ms
	clocked gen.clock=ms ms idle
	clocked gen.clock=ms ms slow
}

@test "clock: goes on in a forked child" {
	for kind in allocs bytes net ms; do
		clocked gen.clock=$kind $kind fork
	done
}

@test "clock: is the same in each run, but for milliseconds" {
	for kind in allocs bytes net; do
		clocked gen.clock=$kind $kind
		cp "$BATS_TEST_TMPDIR/json" "$BATS_TEST_TMPDIR/first"
		clocked gen.clock=$kind $kind
		python3 -c 'import json, sys
first, second = (json.load(open(name))["generations"] for name in sys.argv[1:])
assert first == second, (first, second)' "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/json"
	done
}

@test "clock: a word that is none is named, and allocations are counted" {
	for bad in gen.clock=cpu gen.clock= gen.clock=net,gen.threshold=700 gen.clock=bytes,gen.threshold=64K:10:10; do
		POOLMEM="dir=$BATS_TEST_TMPDIR/segments,$bad" LD_PRELOAD=$lib /bin/true 2>"$BATS_TEST_TMPDIR/told"
		cat "$BATS_TEST_TMPDIR/told"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/told")" = 1 ]
		grep -q '^poolmem: POOLMEM: bad value .* for gen\.' "$BATS_TEST_TMPDIR/told"
	done
	run -0 clocked gen.clock=cpu allocs
	generations "g['clock'] == 'allocs'"
	run -0 clocked gen.clock=net,gen.threshold=0:10:10 net
	generations "g['threshold'] == [700, 10, 10]"
}
