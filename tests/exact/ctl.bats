# SPDX-License-Identifier: MIT
# `poolmem ctl`: a process that runs is told which call sites to record.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	python=$(python3 -c 'import sys; print(sys.executable)') # no script that starts it
}

teardown()
{
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
}

# begin PROGRAM...: in the background, under the library, once it has a segment
begin()
{
	LD_PRELOAD=$lib "$@" >/dev/null 2>&1 3>&- &
	pid=$!
	for _ in $(seq 100); do
		"$poolmem" ctl "$pid" >/dev/null 2>&1 && return
		sleep 0.05
	done
	"$poolmem" ctl "$pid"
}

ctl()
{
	run --separate-stderr "$poolmem" ctl "$@"
	echo "$output" "$stderr"
}

# Allocates now and then, as a server does.
busy='import time
while True:
	kept = [bytes(5000 + i) for i in range(300)]
	time.sleep(0.002)'

@test "ctl: phases that are switched: what is allocated while each block is recorded, counted by hand" {
	for run in 1 $(by_level "" "2 3 4 5 6 7 8 9 10"); do
		rm -f "$out"/segments/*
		POOLMEM=$POOLMEM,sites=off,gen.threshold=1000000000:10:10 LD_PRELOAD=$lib "$programs/switches" "$out/segments" "$poolmem" >"$out/account"
		"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/json"
		python3 "$BATS_TEST_DIRNAME/sites.py" "$out/json" "$out/account"
		python3 - "$out/json" <<-'END'
			import json, sys
			report = json.load(open(sys.argv[1]))
			live, temporary, seen = {}, {}, set()
			for site in report["sites"]:
			    name = report["frames"][site["frames"][0]]["function"] if site["frames"] else None
			    live[name] = live.get(name, 0) + site["live"]
			    temporary[name] = temporary.get(name, 0) + site["temporary"]
			    seen.add(name)
			assert not any(name and name.startswith("unseen") for name in seen), seen
			assert temporary["settling"] == 0, temporary
			assert live["sampled_all"] == 0 and report["mode"] == "sample", live
			assert [n for n in report["notes"] if n["key"] == "sites_switched" and "sites=off since" in n["detail"]]
		END
	done
}

@test "ctl: hostile words: blocks keep their content, rows are of a few periods in range" {
	for mode in off sample all; do
		rm -f "$out"/segments/*
		POOLMEM=$POOLMEM,sites=$mode LD_PRELOAD=$lib "$programs/words" "$out/segments" >"$out/blocks"
		allocated=$("$poolmem" report --json "$out"/segments/*.pms | python3 -c \
			'import json, sys; print(json.load(sys.stdin)["metrics"]["alloc.count"])')
		echo "$mode: $allocated, $(cat "$out/blocks")"
		[ "$allocated" -ge "$(cat "$out/blocks")" ]
		[ "$allocated" -lt $(($(cat "$out/blocks") + 50)) ]
	done
}

@test "ctl: a program that runs follows at once, and its report says so" {
	begin "$python" -c "$busy"
	ctl --wait 20s "$pid" sites=all
	[ "$status" = 0 ]
	[[ $output == "process $pid: sites=all since "*"; before that sites=sample, one block in 512.0 KiB" ]]
	ctl --json --wait 20s "$pid" sites=sample sites.period=64K
	[ "$status" = 0 ]
	python3 - "$output" <<-'END'
		import json, sys
		said = json.loads(sys.argv[1])
		assert said["sites"] == "sample" and said["sites.period"] == 65536 and said["before"] == "all", said
		assert said["taken"] is True and said["threads"] == said["threads_following"] == 1, said
	END
	"$poolmem" report --json "$pid" | python3 -c '
import json, sys
p = json.load(sys.stdin)["processes"][0]
assert "sites=sample,sites.period=65536," in p["options"], p["options"]
note = [n["detail"] for n in p["notes"] if n["key"] == "sites_switched"][0]
assert "sites=sample, one block in 64.0 KiB since" in note and "before sites=all" in note, note'
	ctl --wait 20s "$pid" sites=off
	ctl --wait 20s "$pid" sites=sample # with the period that it had last
	[[ $output == *"one block in 64.0 KiB since "*"before that sites=off" ]]
}

@test "ctl: one that makes no calls follows later, and that is said" {
	begin sleep 60
	ctl --wait 100ms "$pid" sites=all
	[ "$status" = 1 ]
	[[ $output == *"asked, and not taken yet"* ]]
	ctl "$pid"
	[ "$status" = 0 ]
	[[ $output == *"sites=sample"*"since it began"*"not taken yet"* ]]
}

@test "ctl: what cannot be switched says why" {
	ctl "$BASHPID" sites=all
	[ "$status" = 1 ]
	[[ $stderr == *"no segment of process $BASHPID"* ]]
	POOLMEM=$POOLMEM,sites=never begin sleep 60
	ctl "$pid" sites=all
	[ "$status" = 1 ]
	[[ $stderr == *"cannot be switched: it was started with sites=never"* ]]
	kill "$pid"
	wait "$pid" || true
	ctl "$pid" sites=all
	[ "$status" = 1 ]
	[[ $stderr == *"process $pid has ended"* ]]
	pid=
}

@test "ctl: a command line that is wrong" {
	for wrong in "" "12x sites=all" "1 sites=some" "1 sites.period=0" "1 sites.period=1" "1 sites.period=2000G" \
		"1 sites=all sites.period=4K" "1 gen.clock=ms" "1 site=all" "1 sites" "--wait 1 1" "--wiat 1s 1" "1 purge.ms"; do
		# shellcheck disable=SC2086
		ctl $wrong
		[ "$status" = 2 ] && [ -z "$output" ] || { echo "$wrong"; return 1; }
	done
	ctl 1 site=all
	[[ $stderr == *"did you mean 'sites='?"* ]]
	ctl 1 gen.clock=ms
	[[ $stderr == *"'gen.clock' holds from start to end"* ]]
}

@test "ctl: a segment that others can write to, or that is another user's, is left alone" {
	begin sleep 60
	chmod 622 "$out"/segments/*.pms
	ctl "$pid" sites=all
	[ "$status" = 3 ]
	[[ $stderr == *"is not trusted"* ]]
	[ "$(id -u)" = 0 ] || skip "another user can be played by root alone"
	chmod 755 "$BATS_TEST_TMPDIR" "$out/segments"
	chmod 644 "$out"/segments/*.pms
	for asked in "" sites=all; do
		# shellcheck disable=SC2086
		run --separate-stderr setpriv --reuid 65534 --clear-groups "$poolmem" ctl "$pid" $asked
		echo "$stderr"
		[ "$status" = 3 ]
		[[ $stderr == *"not trusted"* || $stderr == *"cannot open"* ]]
	done
}
