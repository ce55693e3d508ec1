# SPDX-License-Identifier: MIT
# The counts are exact: an independent interposer in front of the library counts the same calls.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

counted()
{
	POOLMEM="dir=$out/segments" ORACLE_OUT=$out/oracle LD_PRELOAD="$programs/liboracle.so $lib" "$@"
}

equal()
{
	python3 "$here/check.py" --poolmem "$poolmem" "$@" "$out/oracle" "$out/segments"
}

# The pools hold as many live blocks as were allocated and not freed.
pools_agree()
{
	"$poolmem" report --json "$out"/segments/*.pms >"$out/report.json"
	python3 -c 'import json, sys
for p in json.load(open(sys.argv[1]))["processes"]:
    live = sum(pool["live"] for pool in p["pools"])
    assert live == p["metrics"]["live.blocks"], (live, p["metrics"], p["pools"])' "$out/report.json"
}

@test "exact: one thread, all calls" {
	counted "$programs/mix" "$(by_level 300000 10000000)" 1
	equal --processes 1
}

@test "exact: however the program ends" {
	for end in return exit _exit abort kill; do
		rm -rf "$out"/segments/* "$out/oracle"
		counted "$programs/mix" 10000 2 $end || true
		equal --processes 1
	done
}

# What lives is not more than what the segment says is mapped, though no tick came before the end.
@test "F21 what was mapped is known at once" {
	POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" "$build/tests/fault/f17_break" ask || [ $? = 134 ]
	"$poolmem" report --json "$out"/segments/*.pms >"$out/report.json"
	python3 -c 'import json, sys
m = json.load(open(sys.argv[1]))["metrics"]
assert m["live.bytes"] > 600000 and m["heap.committed"] >= m["live.bytes"], m' "$out/report.json"
}

@test "exact: 8 threads" {
	counted "$programs/threads" 8 "$(by_level 100000 3000000)" 1
	equal --processes 1
}

@test "exact: 8 threads, killed between calls" {
	run -137 counted "$programs/threads" 8 20000 1 kill
	equal --processes 1
}

@test "exact: 100 threads" {
	counted "$programs/threads" 100 "$(by_level 2000 50000)" 3
	equal --processes 1
}

@test "exact: producers and consumers" {
	counted "$programs/handover" 4 "$(by_level 100000 2000000)" 1
	equal --processes 1
}

# Frees that the owner does not know of yet are counted, in the totals and in the pools.
@test "exact: blocks that wait to be handed to their owner" {
	for then in tick trim end idle fork; do
		rm -rf "$out"/segments/* "$out/oracle"
		counted "$programs/waiting" $then >"$out/under"
		equal --processes $([ $then = fork ] && echo 2 || echo 1)
		pools_agree
		case $then in
		idle | fork) grep -qx 'did not come back' "$out/under" ;;
		*) grep -qx 'came back' "$out/under" ;;
		esac || { echo "$then: $(cat "$out/under")"; return 1; }
	done
}

@test "F27 exact: two threads resize each other's blocks" {
	counted "$programs/pingpong" "$(by_level 300000 10000000)"
	equal --processes 1
}

@test "exact: threads that start and end" {
	counted "$programs/threadlife" "$(by_level 2000 100000)" 50
	equal --processes 1
}

@test "F7 exact: fork, _Fork, clone and double fork, three deep" {
	counted "$programs/forktree" "$(by_level 500 5000)" "$(by_level 2 3)"
	equal --processes "$(by_level 21 85)"
}

@test "F7 exact: a parent of threads forks" {
	counted "$programs/forkthreads" 4 "$(by_level 10 30)" 1000
	equal --inherited-slack 4 --processes "$(by_level 11 31)"
}

@test "F7 exact: many children, one after the other" {
	counted "$programs/manyforks" "$(by_level 200 1000)" 8 100
	equal --processes "$(by_level 209 1009)"
}

@test "F29 exact: a child goes on after its first thread, its area is not another's" {
	counted "$programs/leaderless" "$(by_level 200 2000)" 100000
	equal --processes "$(by_level 202 2002)"
}

@test "F8 exact: vfork, exec, posix_spawn, system" {
	counted "$programs/spawn" "$(by_level 3 30)" "$programs/mix" 1000 5
	equal
}

@test "exact: real programs" {
	counted python3 -c 'import json, subprocess
json.dumps(list(range(10000)))
subprocess.run(["ls", "/"], capture_output=True)'
	counted bash -c 'for i in 1 2 3; do echo $(echo $i | cat); done; (exit 3) | sort' >"$out/text"
	counted perl -e 'my %h; $h{$_} = "x" x ($_ % 100) for 1 .. 20000; print %h . `echo hi`' >"$out/text"
	equal
}

@test "exact: a capture of run" {
	ORACLE_OUT=$out/oracle LD_PRELOAD=$programs/liboracle.so \
		"$poolmem" run -o "$out/capture.pm" -- "$programs/spawn" 1 "$programs/mix" 1000 5
	python3 "$here/check.py" --poolmem "$poolmem" --ignore poolmem \
		"$out/oracle" "$out/capture.pm"
}

@test "F21 SIGKILL at random moments: within one call per thread" {
	python3 "$here/storm.py" --kills "$(by_level 100 1000)" --seed 1 \
		--poolmem "$poolmem" --lib "$lib" --oracle "$programs/liboracle.so" \
		--program "$programs/endless" --work "$out"
}
