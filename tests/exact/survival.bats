# SPDX-License-Identifier: MIT
# What enters, survives, dies and lives in each generation: a program that keeps each block's generation by itself finds
# the same in its segment, to the unit, given the sweeps that the library logged.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# survives SETTINGS SEED CALLS [SCENE]: leaves the report of the one segment in $json
survives()
{
	rm -rf "$out/segments"/*
	POOLMEM="dir=$out/segments,$1" LD_PRELOAD=$lib "$programs/survival" "$out/segments" "${@:2}" || {
		echo "survival $*"
		return 1
	}
	json=$out/json
	"$poolmem" report --json "$out"/segments/*.pms >"$json"
}

# adds_up EXPRESSION: true of each process's blocks b, generations g and metrics m
adds_up()
{
	python3 -c 'import json, sys
for process in json.load(open(sys.argv[1]))["processes"]:
    g, m = process["generations"], process["metrics"]
    for b in g["blocks"], g["bytes"]:
        for n in range(3):
            assert b["entered"][n] == b["survived"][n] + b["died"][n] + b["live"][n], (n, b)
        assert b["survived"][2] == 0, b
    b = g["blocks"]
    assert b["died"] == g["died"] and sum(b["died"]) == m["free.count"], (b, m["free.count"])
    assert sum(b["live"]) == m["live.blocks"] and sum(g["bytes"]["live"]) == m["live.bytes"], (g, m)
    assert eval(sys.argv[2]), (sys.argv[2], b)' "$json" "${1:-True}"
}

@test "survival: exact for each clock and threshold" {
	for settings in '' gen.threshold=100:3:2 gen.threshold=30:1:1 gen.clock=bytes gen.clock=net,gen.threshold=50:5:5 \
		gen.clock=ms,gen.threshold=1:2:2; do
		for seed in 1 $(by_level 2 "2 3 4 5"); do
			survives "$settings" $seed "$(by_level 200000 1000000)"
			adds_up 'b["entered"][0] == m["alloc.count"] and g["epochs"] > 0 and b["entered"][1] > 0'
		done
	done
}

@test "survival: a forked child's blocks keep their age" {
	for settings in '' gen.threshold=100:3:2; do
		survives "$settings" 3 100000 fork
		adds_up
		grep -q '"kind": "fork"' "$json"
	done
}

@test "survival: threads, within the bound that is stated, and exact from the next sweep on" {
	survives '' 4 "$(by_level 400000 4000000)" threads
	adds_up 'b["entered"][0] == m["alloc.count"]'
	survives gen.threshold=100:3:2 5 "$(by_level 400000 4000000)" threads
	adds_up
}

# within RANGES: the report of the one segment, class by class, is within what the witnesses say.  What died is where they
# say; what came to a generation may differ by what the library calls uncertain, too, but what lives may not.
within()
{
	"$poolmem" survival --json "$out"/segments/*.pms | python3 -c 'import json, sys
ranges, report = json.load(open(sys.argv[1])), json.load(sys.stdin)
uncertain, beyond, told, known, unsure = report["generations"]["uncertain"], 0, 0, 0, 0
for row in report["classes"]:
    of = ranges.get(str(row["block_bytes"] or 0))
    if not of or row["allocated"] != of["born"]:
        continue # classes of which others than the witnesses have blocks
    told += of["born"]
    for what in "entered", "survived", "died", "live":
        for n, (least, most) in enumerate(of[what]):
            value = row["generations"]["blocks"][what][n]
            off = max(least - value, value - most, 0)
            assert not off or what in ("entered", "survived"), (row["class"], what, n, value, least, most)
            beyond += off
            known, unsure = known + least, unsure + most - least
print(told, "blocks,", unsure, "of", known, "unsure,", beyond, "beyond,", uncertain, "uncertain")
assert beyond <= uncertain, (beyond, uncertain)
assert told > 0.9 * sum(of["born"] for of in ranges.values()) and known > unsure' "$1"
}

@test "survival: eight threads that log each block while one sweeps, within what follows from the logs" {
	for seed in 1 $(by_level 2 "2 3 4 5"); do
		rm -rf "$out/segments"/*
		POOLMEM="dir=$out/segments" LD_PRELOAD=$lib "$programs/witnesses" "$out/segments" $seed \
			"$(by_level 400000 1000000)" >"$out/ranges"
		within "$out/ranges"
	done
}

# Stamps have 253 values.
@test "survival: exact through a hundred thousand epochs" {
	for settings in gen.threshold=1:10:10 $(by_level "" "gen.threshold=1:100:0 gen.threshold=1:0:100"); do
		survives gen.clock=bytes,$settings 6 100000 epochs
		adds_up "g['epochs'] >= 100000 and b['died'][2] > 1000"
	done
}

@test "survival: a thread that sleeps through a thousand epochs, and then frees" {
	for settings in gen.threshold=1:10:10 gen.threshold=1:100:0 gen.threshold=1:0:0; do
		for seed in 7 $(by_level 8 "8 9 10 11"); do
			survives gen.clock=bytes,$settings $seed "$(by_level 10000 100000)" sleeper
			adds_up "g['epochs'] >= 10000"
		done
	done
}

@test "survival: a program that ends in its first epoch, and one that is killed" {
	POOLMEM="dir=$out/segments" LD_PRELOAD=$lib /bin/true
	json=$out/json
	"$poolmem" report --json "$out"/segments/*.pms >"$json"
	adds_up 'b["entered"] == [m["alloc.count"], 0, 0]'
	rm -rf "$out"/segments/*
	POOLMEM="dir=$out/segments" LD_PRELOAD=$lib "$programs/mix" 200000 2 kill || true
	"$poolmem" report --json "$out"/segments/*.pms >"$json"
	adds_up 'b["entered"][0] == m["alloc.count"] and g["epochs"] > 10'
}

# says [freeze]: what the words are of one block that stays, in one line
says()
{
	rm -rf "$out/segments"/*
	POOLMEM="dir=$out/segments" LD_PRELOAD=$lib "$programs/lone" "$@"
	"$poolmem" survival --color never "$out"/segments/*.pms | tr -s ' \n' '  '
}

@test "survival: in words, who dies young and the one that stays, in an answer known before" {
	says >"$out/words"
	grep -q 'born in; counted in blocks, 100.0 % of these are blocks of 16 bytes\.' "$out/words"
	grep -q '1 block, 112 B, is left in generation 2 and has not died: 112 B in blocks of 112 bytes\.' "$out/words"
	says freeze >"$out/words"
	grep -q 'Nothing lives in generation 2\. 1 block, 112 B, was frozen by the program and is left out' "$out/words"
}
