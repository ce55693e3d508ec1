# SPDX-License-Identifier: MIT
# What survival expects of other thresholds: the same program, recorded with these, is within the bounds.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# record THRESHOLDS SEED CLOCK: leaves the segment in $out/THRESHOLDS.pms.  Nothing is given back by the time of day: where
# that has happened a large block that grows may move, which is a block more, and a busy machine is later than an idle one.
record()
{
	rm -rf "$out/segments"/*
	POOLMEM="dir=$out/segments,gen.threshold=$1,gen.clock=$3,purge.ms=4294967295" LD_PRELOAD=$lib \
		"$programs/survival" "$out/segments" "$2" "$(by_level 200000 1000000)" >/dev/null
	mv "$out"/segments/*.pms "$out/$1.pms"
}

# expects FROM TO [SEED [CLOCK]]
expects()
{
	record "$1" "${3:-1}" "${4:-allocs}"
	"$poolmem" survival --json --thresholds "$2" "$out/$1.pms" >"$out/expected"
	record "$2" "${3:-1}" "${4:-allocs}"
	"$poolmem" survival --json "$out/$2.pms" >"$out/recorded"
	python3 - "$out/expected" "$out/recorded" "$1 $2" <<-'END'
		import json, sys
		expected, recorded = (json.load(open(name)) for name in sys.argv[1:3])
		w, g = expected["what_if"], recorded["generations"]
		assert w["processes"] == 1 and g["epochs"] > 10, (sys.argv[3], w)
		is_same = expected["generations"]["threshold"][0] == g["threshold"][0]
		told = 0
		for what in "entered", "survived", "died":
		    for n in range(3):
		        low, high = w["blocks"][what][n]["at_least"], w["blocks"][what][n]["at_most"]
		        value = g["blocks"][what][n]
		        assert low <= value <= high, (sys.argv[3], what, n, low, value, high)
		        told += high - low < g["blocks"]["entered"][0]
		        assert n or not is_same or low == high, (sys.argv[3], what, low, high)
		assert told >= 7, told
		for n in range(3):
		    low, high = w["sweeps"][n]["at_least"], w["sweeps"][n]["at_most"]
		    assert low - 1 <= g["sweeps"][n] <= high + 1, (sys.argv[3], "sweeps", n, low, g["sweeps"][n], high)
	END
}

@test "what if: the recorded thresholds are what was recorded" {
	record 100:3:2 1 allocs
	"$poolmem" survival --json --thresholds 100:3:2 "$out/100:3:2.pms" | python3 -c 'import json, sys
d = json.load(sys.stdin)
for unit in "blocks", "bytes":
    for what in "entered", "survived", "died":
        bounds = [[r["at_least"], r["at_most"]] for r in d["what_if"][unit][what]]
        assert bounds == [[v, v] for v in d["generations"][unit][what]], (unit, what, bounds)'
}

@test "what if: other middle and full sweeps, epochs as long" {
	expects 1000:10:10 1000:3:10
	expects 1000:3:2 1000:10:10
	expects 100:3:2 100:7:1 2
	expects 50:5:5 50:2:5 1 net
}

@test "what if: epochs four times as long, and ten times" {
	expects 1000:10:10 4000:10:10
	expects 100:3:2 400:3:2 2
	expects 30:1:1 120:5:1
	expects 100:10:10 1000:10:10
	expects 65536:10:10 262144:10:10 1 bytes
}
