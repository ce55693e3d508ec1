# SPDX-License-Identifier: MIT
# What was live when: equal, to the byte, to what a program wrote down of itself, its end and its peak among it.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	cd "$out"
}

# timeline STEPS SCENE [SETTING...]
timeline()
{
	rm -f segments/*
	POOLMEM="dir=$out/segments${3:+,$3}" LD_PRELOAD=$lib "$programs/timeline" "$out/segments" log "$1" "$2"
}

# check HOW [LOG...]
check()
{
	"$poolmem" frag --all -n 0 --json segments/*.pms >json
	python3 "$BATS_TEST_DIRNAME/timeline.py" json "$@"
}

@test "timeline: what lived at each moment, the peak and the end" {
	for steps in 3000 60000 "$(by_level 400000 20000000)"; do
		timeline "$steps" small
		check exact log
	done
}

@test "timeline: by each clock" {
	for clock in bytes net ms; do
		timeline 200000 small gen.clock=$clock
		check exact log
	done
}

@test "timeline: large blocks raise the peak between ticks" {
	timeline "$(by_level 300000 3000000)" mixed
	check mixed log
}

@test "timeline: an early peak, one of a moment, and the end have the figures of their moments" {
	for scene in early large drop; do
		timeline 3000 $scene
		check $scene
	done
}

@test "timeline: a forked child has its own, from what it inherited" {
	timeline 200000 fork
	check exact log log.child
}

@test "timeline: the peak of threads" {
	timeline "$(by_level 300000 3000000)" threads
	check threads
}

@test "timeline: killed at any moment" {
	for run in $(seq "$(by_level 8 200)"); do
		rm -f segments/* log
		POOLMEM="dir=$out/segments" LD_PRELOAD=$lib "$programs/timeline" "$out/segments" log 100000000 small &
		pid=$!
		sleep "0.$((RANDOM % 4))$((RANDOM % 10))5"
		kill -KILL $pid
		wait $pid || true
		[ -s log ] || continue
		check killed log
	done
}

@test "timeline: a program that does next to nothing pays for none" {
	POOLMEM="dir=$out/segments" LD_PRELOAD=$lib /bin/true
	[ "$("$poolmem" frag --json segments/*.pms | python3 -c 'import json, sys
print(json.load(sys.stdin)["processes"][0]["timeline"])')" = None ]
}
