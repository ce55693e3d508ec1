# SPDX-License-Identifier: MIT
# poolmem map against a program's own account of where its blocks lie, and against the tables of poolmem report.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

teardown()
{
	[ -z "${pid-}" ] || kill -9 "$pid" 2>/dev/null || true
}

# The last one: what starts a program may leave others.
segment()
{
	printf "%s\n" "$out"/segments/*.pms | tail -1
}

maps()
{
	"$poolmem" map --json "$@" "$(segment)"
}

# agrees [ACCOUNT]
agrees()
{
	maps --by class >"$out/map.json"
	"$poolmem" report --json -n 0 "$(segment)" >"$out/report.json"
	python3 "$BATS_TEST_DIRNAME/map.py" "$out/map.json" "$out/report.json" "$@"
}

@test "map: each block lies where its program says, and the sums are those of the report" {
	preloaded "$programs/mapped" >"$out/account"
	agrees "$out/account"
}

@test "map: a forked child's own arenas are shown, its parent's are not" {
	preloaded "$programs/mapped" fork >"$out/account"
	agrees
	python3 - "$out/map.json" <<-'END'
		import json, sys
		parent, child = sorted(json.load(open(sys.argv[1]))["processes"], key=lambda p: p["kind"] != "exec")
		assert parent["kind"] == "exec" and child["kind"] == "fork"
		assert parent["inherited_arenas"] == 0 and child["inherited_arenas"] == parent["arena_count"] > 0
		assert not {a["base"] for a in parent["arenas"]} & {a["base"] for a in child["arenas"]}
	END
	maps --inherited --by class >"$out/whole.json"
	pid=$(python3 -c 'import json, sys; print(max(json.load(open(sys.argv[1]))["processes"], key=lambda p: p["kind"] == "fork")["pid"])' "$out/whole.json")
	python3 "$BATS_TEST_DIRNAME/map.py" "$out/whole.json" "$out/report.json" "$out/account" "$pid"
}

@test "map: pools by the thread that owns them, and by class" {
	preloaded "$programs/mapped" >"$out/account"
	read -r _ tid blocks bytes < <(grep worker "$out/account")
	maps --by owner --filter "thread:^$tid\$" >"$out/json"
	python3 - "$out/json" $tid $blocks $bytes <<-'END'
		import json, sys
		tid, blocks, size = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
		process = json.load(open(sys.argv[1]))["processes"][0]
		assert [o["tid"] for o in process["owners"]] == [tid], process["owners"]
		rows = [row for arena in process["arenas"] for row in arena["units"] if row[1] == "pool"]
		usable = size // blocks
		assert sum(row[3] for row in rows if row[2] == str(usable)) == blocks
		assert process["units"]["large"] == process["units"]["huge"] == 0 < process["units"]["filtered"]
	END
	maps --filter 'class:^1920$' >"$out/json"
	python3 - "$out/json" $blocks <<-'END'
		import json, sys
		process = json.load(open(sys.argv[1]))["processes"][0]
		assert [c["class"] for c in process["classes"]] == ["1920"] and process["pools"]["live"] == int(sys.argv[2])
	END
	maps --filter class:large >"$out/json"
	python3 -c 'import json, sys
process = json.load(open(sys.argv[1]))["processes"][0]
assert process["pools"]["pools"] == 0 < process["units"]["filtered"] and process["large_blocks"] > 50 and process["huge_blocks"] == 1' "$out/json"
}

@test "map: by age, each pool has as many live blocks as where they were noted" {
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib "$programs/mapped" >"$out/account"
	agrees "$out/account"
	python3 - "$out/map.json" "$out/report.json" <<-'END'
		import json, sys
		process = json.load(open(sys.argv[1]))["processes"][0]
		metrics = json.load(open(sys.argv[2]))["processes"][0]["metrics"]
		rows = [row for arena in process["arenas"] for row in arena["units"] if row[1] == "pool"]
		assert rows and all(len(row) == 7 and sum(row[6]) == row[3] for row in rows)
		mixed = sum(sum(n > 0 for n in row[6]) > 1 for row in rows)
		ages = process["ages"]
		assert mixed == ages["mixed"]["pools"] and ages["not_known"]["pools"] == 0
		assert ages["none_live"]["pools"] == sum(row[3] == 0 for row in rows)
		for n, tenth in enumerate(ages["old_tenths"]):
		    assert tenth["pools"] == sum(row[3] > 0 and min(9, row[6][2] * 10 // row[3]) == n for row in rows), n
		large = process["large_blocks"] + process["huge_blocks"]
		old = sum(row[6][2] for row in rows)
		assert old <= metrics["gen.2.live"] <= old + large, (old, metrics["gen.2.live"])
	END
	run -0 "$poolmem" map --by age "$(segment)"
	[[ $output == *"live blocks of several generations"*"How old live blocks of pools are"* ]]
}

@test "map: of real programs, too" {
	preloaded python3 -c 'import json; x = [str(n) * 9 for n in range(20000)]; del x[::2]; json.dumps(x)'
	agrees
	rm -f "$out"/segments/*
	preloaded perl -e 'my %h = map { $_ => "x" x ($_ % 500) } 1 .. 30000; delete $h{$_} for grep { $_ % 3 } keys %h; fork; $h{"a$_"} = $_ for 1 .. 9000'
	agrees
}

@test "map: of a program that was killed it is as old as what was published last, and says so" {
	POOLMEM=dir=$out/segments LD_PRELOAD=$lib python3 -c '
import os
x = [bytearray(3000 + n % 90) for n in range(60000)]
os.kill(os.getpid(), 9)' || true
	run -0 "$poolmem" map "$(segment)"
	[[ $output =~ "Pools are as they were published last; counts are exact (python3"[^\ ]*\ [0-9]+":"[[:space:]]+"epoch "[0-9]+" of "[0-9]+ ]]
	"$poolmem" map --svg "$out/killed.svg" "$(segment)" >"$out/text"
	grep -q 'As published last: epoch [0-9]* of [0-9]*\.<' "$out/killed.svg"
}

# Epochs never turn: nothing was published, all is read from the process.
@test "map: of a process that runs it is of now: pools, owners, ages, and no word of publication" {
	POOLMEM=dir=$out/segments,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib "$programs/mapped" wait >"$out/account" &
	pid=$!
	until grep -q worker "$out/account" && [[ $(</proc/$pid/wchan) == *pause* ]]; do sleep 0.05; done
	maps --by class >"$out/map.json"
	python3 "$BATS_TEST_DIRNAME/map.py" "$out/map.json" - "$out/account"
	read -r _ tid blocks bytes < <(grep worker "$out/account")
	maps --by owner --filter "thread:^$tid\$" >"$out/owner.json"
	python3 - "$out/map.json" "$out/owner.json" $tid $blocks $bytes <<-'END'
		import json, sys
		tid, blocks, size = map(int, sys.argv[3:])
		document = json.load(open(sys.argv[1]))
		process = document["processes"][0]
		assert (process["basis"], process["at"], process["published_epoch"]) == ("survey", "end", None)
		assert not [n for n in document["notes"] if n["key"] in ("pools_age", "no_map")], document["notes"]
		assert process["ages"]["not_known"]["pools"] == 0
		process = json.load(open(sys.argv[2]))["processes"][0]
		assert [o["tid"] for o in process["owners"]] == [tid], process["owners"]
		rows = [row for arena in process["arenas"] for row in arena["units"] if row[1] == "pool"]
		assert sum(row[3] for row in rows if row[2] == str(size // blocks)) == blocks
	END
	run -0 "$poolmem" map --by age "$(segment)"
	[[ $output == *"As surveyed just now"* && $output != *"published"* ]]
	"$poolmem" map --svg "$out/live.svg" "$(segment)" >"$out/text"
	grep -q 'As surveyed just now' "$out/live.svg"
	run -1 grep -q 'published' "$out/live.svg"
	run -2 "$poolmem" map --at nonsense "$(segment)"
	[[ $output == *"--at is end, peak or live-peak"* ]]
	POOLMEM= "$poolmem" frag "$(segment)" >"$out/text"
	run -1 grep -q "published last" "$out/text"
}
