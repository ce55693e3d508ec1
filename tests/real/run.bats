# SPDX-License-Identifier: MIT
# `poolmem run` as users meet it: the program is not disturbed, one capture is kept, failures are told.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	ulimit -c 0
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -m 700 shm
	export POOLMEM=dir=$PWD/shm
	report=$PWD/stderr
}

# stdout and exit code are the program's, stderr goes to a file.
record()
{
	"$poolmem" run --lib "$lib" "$@" 2>"$report"
}

said()
{
	grep -qF -- "$1" "$report" || { echo "not said: $1; but:"; cat "$report"; return 1; }
}

said_nothing()
{
	[ ! -s "$report" ] || { cat "$report"; return 1; }
}

no_capture()
{
	[ -z "$(find . -name '*.pm')" ] || { find . -name '*.pm'; return 1; }
}

# Nothing stays behind but the note of the newest capture.
nothing_left()
{
	[ -z "$(find shm -mindepth 1 ! -name last)" ] || { find shm; return 1; }
}

# A member of the report of a capture.
figure()
{
	"$poolmem" report --json "$1" | python3 -c 'import json, sys; print(eval(sys.argv[1], {"r": json.load(sys.stdin)}))' "$2"
}

waits_for()
{
	for _ in $(seq 600); do
		eval "$1" && return
		sleep 0.1
	done
	return 1
}

@test "run: the exit code is the program's" {
	for code in 0 1 7 125 255; do
		run -$code record -f -o a.pm -- sh -c "exit $code"
		[ -s a.pm ]
	done
	nothing_left
}

@test "run: 128 and the signal when one ended the program" {
	for signal in KILL TERM SEGV; do
		run -$((128 + $(kill -l $signal))) record -f -o a.pm -- sh -c "kill -$signal \$\$"
		said "killed by SIG$signal"
		[ "$(figure a.pm 'r["metrics"]["process.signal"]')" = "$(kill -l $signal)" ]
	done
	nothing_left
}

@test "run: 127 not found, 126 not executable, 125 usage, as env does" {
	run -127 record -- ./nothing-here
	run -127 record -- nothing-here-either
	touch plain && run -126 record -- ./plain
	mkdir folder && run -126 record -- ./folder
	printf '#!/no/such/interpreter\n' >script && chmod +x script && run -127 record -- ./script
	run -125 record --no-such-option -- true
	run -125 record --interval soon -- true
	run -125 record -o a.pm
	run -125 "$poolmem" run --lib /no/such/library.so -- true
	run -125 "$poolmem" run --lib ./plain -- true
	[[ $output == *"no libpoolmem.so"* ]]
	run -127 "$poolmem" run --lib "$lib" -- ''
	[[ $output == *"'': No such file"* ]]
	no_capture
	nothing_left
}

@test "run: settings that are wrong are told once, not by each process" {
	POOLMEM=sites=yes,foo=1,dir=$PWD/shm record -o a.pm -- sh -c 'for i in 1 2 3; do ls; done; echo "$POOLMEM"' >out
	[ "$(grep -c "'yes'" "$report")" = 1 ]
	[ "$(grep -c "'foo'" "$report")" = 1 ]
	run -1 grep -E 'yes|foo' out
	POOLMEM=foo=1,dir=$PWD/shm record -q -o b.pm -- true
	said_nothing
}

@test "run: the report shows the peak of the heap that the summary has" {
	record -o a.pm -- bash -c 'seq 100000 | sort -r | tail -n 1'
	peak=$(sed -n 's/^poolmem: fragmentation .*at its peak: \([^,;]*\).*/\1/p' "$report")
	[ -n "$peak" ]
	"$poolmem" report a.pm | grep -E "^  heap  .*$peak" || { "$poolmem" report a.pm; return 1; }
}

@test "run: who has no pools in the report, and why python has few blocks, is said" {
	cp "$(python3 -c 'import sys; print(sys.executable)')" python3
	record -o a.pm -- ./python3 -c 'import os; os._exit(0)'
	"$poolmem" report a.pm | tr -s ' \n' ' ' | grep -F 'unless its environment has PYTHONMALLOC=malloc'
	"$poolmem" report a.pm | tr -s ' \n' ' ' | grep -E 'Pools are as they were published last.*\(python3 [0-9]+: epoch'
	run -137 record -o b.pm -- sh -c 'kill -KILL $$'
	"$poolmem" report b.pm | tr -s ' \n' ' ' | grep -E 'pools are missing here of processes .*\(1 process; [a-z]+ [0-9]+\)'
}

@test "run: what is never freed is one number, in the table as well" {
	record -o a.pm -- bash -c 'for i in 1 2 3; do (x=$i; unset HOME; echo $x | cat); done'
	"$poolmem" report --json a.pm | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert r["metrics"]["leak.blocks"] == sum(c["kept"] for c in r["classes"]), r["metrics"]
assert r["metrics"]["leak.bytes"] == sum(c["kept_bytes"] for c in r["classes"]), r["metrics"]'
}

@test "run: stdin and stdout pass through, byte for byte" {
	head -c 3000000 /dev/urandom >random
	record -o a.pm -- cat <random | cmp - random
	record -o b.pm -- sh -c 'printf "\0\1\2\377"; printf error >&2' | cmp - <(printf '\0\1\2\377')
	said error
}

@test "run: the program has the descriptors, the directory and the signals that it had" {
	cat >look <<-'END'
		#!/bin/sh
		ls /proc/self/fd
		pwd
		grep ^Sig /proc/self/status
	END
	chmod +x look
	trap '' USR1
	./look >plain
	record -q -o a.pm -- ./look >under
	sed -i /SigQ/d plain under
	diff plain under
	said_nothing
}

@test "run: a caller that ignores SIGCHLD" {
	cat >caller <<-'END'
		import os, signal, sys
		signal.signal(signal.SIGCHLD, signal.SIG_IGN)
		os.execvp(sys.argv[1], sys.argv[1:])
	END
	run -9 python3 caller "$poolmem" run --lib "$lib" -o a.pm -- sh -c 'exit 9'
	[ -s a.pm ]
}

@test "run: eight lines at most afterwards, with the file and the next command" {
	record -o a.pm -- sh -c 'ls >/dev/null'
	[ "$(wc -l <"$report")" -le 8 ]
	[ "$(grep -c '^poolmem: ' "$report")" = "$(wc -l <"$report")" ]
	said 'poolmem report a.pm'
	for word in peak allocations 'never freed' fragmentation a.pm; do said "$word"; done
	record -q -o b.pm -- true
	said_nothing
}

@test "run: the next command is one that can be typed" {
	PATH=$(dirname "$poolmem"):$PATH
	for name in "it's a  b.pm" 1234 last --json '$HOME.pm'; do
		record -o "$name" -- true
		bash -c "$(sed -n 's/^poolmem: next *//p' "$report")" | grep -q 'exited 0'
	done
}

@test "run: of forked children it says what the report says" {
	record -o a.pm -- bash -c 'for i in 1 2 3; do (unset BASH; a[i]=$i; exit) & done; wait'
	said 'in 1 program and 3 forks'
	[ "$(figure a.pm 'r["metrics"]["inherited.blocks"] > 0')" = True ]
	blocks=$(sed -n 's/^poolmem: never freed *\([0-9,]*.* blocks, .*\)/\1/p' "$report")
	[ -n "$blocks" ]
	[[ $("$poolmem" report a.pm) == *"never freed  $blocks"* ]]
	[ "$(figure a.pm 'r["metrics"]["leak.blocks"] == sum(p["metrics"]["leak.blocks"] for p in r["processes"])')" = True ]
	[ "$(figure a.pm 'r["metrics"]["leak.blocks"]')" = "$(tr -d , <<<"${blocks%% *}")" ]
}

@test "run: forked children do not count their parent's heap again" {
	record -o a.pm -- bash -c 'for i in 1 2 3; do (exit) & done; wait'
	[ "$(figure a.pm '[p["kind"] for p in r["processes"]]')" = "['exec', 'fork', 'fork', 'fork']" ]
	for metric in heap.committed heap.meta arena.count; do
		[ "$(figure a.pm "r['metrics']['$metric'] == r['processes'][0]['metrics']['$metric']")" = True ]
		[ "$(figure a.pm "r['processes'][1]['metrics']['$metric'] > 0")" = True ]
		[ "$(figure a.pm "r['estimated']['$metric']['at_most'] > r['metrics']['$metric']")" = True ]
	done
}

@test "run --json: one object on stderr" {
	record --json -o a.pm -- ls / >/dev/null
	python3 - "$report" <<-'END'
		import json, os, sys
		summary = json.load(open(sys.argv[1]))
		assert summary["schema"] == 1
		assert summary["file"] == os.path.abspath("a.pm")
		assert summary["metrics"]["alloc.count"] > 0
		assert summary["segments"] == 1
	END
}

@test "run: the default name has the program and its real pid" {
	pid=$(record -- sh -c 'echo $$')
	[ -s "poolmem.sh.$pid.pm" ]
	[ "$(figure "poolmem.sh.$pid.pm" 'r["metrics"]["process.pid"]')" = "$pid" ]
}

@test "run: patterns of names" {
	pid=$(record -o '%e-%p-%%.pm' -- sh -c 'echo $$')
	[ -s "sh-$pid-%.pm" ]
	record -o '%h.pm' -- true
	[ -s "$(hostname).pm" ]
	before=$(date +%s)
	record -o 'at-%t.pm' -- true
	[ "$(basename at-*.pm .pm | cut -c4-)" -ge "$before" ]
	for _ in 1 2 3; do record -o 'n-%n.pm' -- true; done
	[ -s n-1.pm ]
	[ -s n-2.pm ]
	[ -s n-3.pm ]
	[ ! -e n-4.pm ]
	for bad in '%x.pm' 'a%' '' 'folder/'; do
		run -125 record -o "$bad" -- touch ran
		[ ! -e ran ]
	done
}

@test "run: a capture is not overwritten without -f, and that is known before the program runs" {
	echo precious >a.pm
	run -125 record -o a.pm -- touch ran
	said 'a.pm is there already'
	[ ! -e ran ]
	[ "$(cat a.pm)" = precious ]
	record -f -o a.pm -- touch ran
	[ -e ran ]
	figure a.pm 1
	nothing_left
}

@test "run --trace: neither it nor the capture is written over, nor one over the other, and that is known before" {
	echo precious >a.pmt
	run -125 record --trace=a.pmt -- touch ran
	said 'a.pmt is there already'
	run -125 record --trace=new.pmt -o a.pmt -- touch ran
	said 'a.pmt is there already'
	[ "$(cat a.pmt)" = precious ]
	for same in a.pmt ./a.pmt "$PWD/a.pmt"; do
		run -125 record -f --trace=a.pmt -o "$same" -- touch ran
		said "-o and --trace: both are to go to '$same'"
	done
	run -125 record --trace=b.%p -o b.%p -- touch ran
	[ ! -e ran ]
	[ "$(cat a.pmt)" = precious ]
	[ ! -e new.pmt ]
	record -f --trace=a.pmt -o a.pm -- touch ran
	[ -e ran ] && "$poolmem" replay --print a.pmt | grep -q malloc
}

@test "run: a capture that the program itself made is not overwritten either" {
	run -125 record -o a.pm -- sh -c 'echo mine >a.pm'
	[ "$(cat a.pm)" = mine ]
	[ -z "$(find . -name '.poolmem-*')" ]
	[ -n "$(find shm -name '*.pms')" ]
}

@test "F37 run: what is no regular file is refused, -f or not, and stays what it is" {
	mkfifo fifo
	ln -s /no/such/file link
	for place in /dev/full /dev/null fifo link "$PWD"; do
		run -125 record -f -o "$place" -- touch ran
		said 'is not a regular file'
		[ ! -e ran ]
	done
	[ -c /dev/full ]
	[ -c /dev/null ]
	[ -p fifo ]
	[ -L link ]
	run -125 record -o no/such/directory/a.pm -- touch ran
	[ ! -e ran ]
}

@test "F37 run: a disk that is full: 125, no half capture, the segments stay" {
	cat >inside <<-'END'
		mkdir disk && mount -t tmpfs -o size=64k none disk || exit 99
		"$@" 2>stderr
		code=$?
		find disk -mindepth 1 >left
		exit $code
	END
	rights=$mounts_apart
	[ "$(id -u)" = 0 ] || rights=-Urm
	run -125 unshare $rights sh inside "$poolmem" run --lib "$lib" -o disk/a.pm -- sh -c 'ls >/dev/null'
	said 'No space left on device'
	said "the segments are in $PWD/shm"
	[ ! -s left ]
	[ "$(find shm -maxdepth 1 -name '*.pms' | wc -l)" = 2 ]
	for segment in shm/*.pms; do figure "$segment" 1; done
}

@test "F39 run: a file size limit: the program goes on, the capture fails and that is told" {
	run -125 bash -c 'ulimit -f 200; "$@" 2>stderr' - "$poolmem" run --lib "$lib" -o a.pm -- \
		sh -c 'for i in 1 2 3 4 5; do ls >/dev/null; done; echo done'
	[ "$output" = done ]
	said 'File too large'
	[ ! -e a.pm ]
	run -6 bash -c 'ulimit -f 0; "$@"' - "$poolmem" run --lib "$lib" -o a.pm -- sh -c 'exit 6'
	[[ $output == *'no capture'* ]]
}

@test "F37 run --trace: a trace that is missing or ends early is told, -q or not; the exit code is the program's" {
	cat >inside <<-'END'
		mkdir -p disk && mount -t tmpfs -o size=$1 none disk && shift || exit 99
		head -c $1 /dev/zero >disk/full && shift
		"$@" 2>stderr
		code=$?
		ls -A disk >left
		exit $code
	END
	rights=$mounts_apart
	[ "$(id -u)" = 0 ] || rights=-Urm
	for quiet in "" -q; do
		run -7 unshare $rights sh inside 300k 0 "$poolmem" run $quiet -f --lib "$lib" -o a.pm --trace=disk/t.%p.pmt -- \
			sh -c '"$0" /dev/null 300000 11; exit 7' "$build/tests/exact/traced"
		said 'recording ended before the program did'
		said 'packing: No space left on device; '
		said '; it stays as it was recorded'
		grep -q '^t\..*\.pmt$' left
		run ! grep -q packing left
		figure a.pm 2
		run -7 unshare $rights sh inside 4k 4096 "$poolmem" run $quiet -f --lib "$lib" -o a.pm --trace=disk/t.pmt -- sh -c 'exit 7'
		said 'no trace: the program left none'
		[ "$(cat left)" = full ]
		figure a.pm 1
	done
}

@test "run --trace: programs that have no room in the one trace are told; with %p each has its own" {
	record --trace=a.pmt -o a.pm -- sh -c 'exec ls'
	said 'not traced     1 program more: the first one has the file; a %p in its name gives each its own'
	record --trace=b.pmt -o b.pm --only sh -- sh -c 'ls; ls; exit 0'
	said 'not traced     2 programs more: '
	record --trace=b.%p.pmt -o c.pm -- sh -c 'ls; exit 0'
	run ! grep -q 'not traced' stderr
	[ "$(find . -name 'b.*.pmt' | wc -l)" = 2 ]
	record --trace=d.pmt -o d.pm -- ls
	run ! grep -q 'not traced' stderr
	record -q --trace=e.pmt -o e.pm -- sh -c 'exec ls'
	said_nothing
}

@test "run --trace: with heap=next it is said beforehand, and what is there stays" {
	echo mine >a.pmt
	POOLMEM=$POOLMEM,heap=next record -f --trace=a.pmt -o a.pm -- ls
	[ "$(head -1 stderr)" = 'poolmem: --trace: with heap=next another allocator serves: its calls are not recorded' ]
	run ! grep -q 'no trace\|is not recorded with' stderr
	[ "$(cat a.pmt)" = mine ]
}

@test "run: LD_PRELOAD and POOLMEM of the user are kept" {
	preload=$(LD_PRELOAD=libc.so.6 POOLMEM=$POOLMEM,purge.ms=300,run=5 record -o a.pm -- \
		sh -c 'echo "$LD_PRELOAD $POOLMEM"')
	[[ $preload == "libc.so.6:$lib "* ]]
	[[ $preload == *purge.ms=300,max=*,run=* ]]
	[[ $preload != *run=5,* ]]
	[[ $preload == *",dir=$PWD/shm" ]]
	once=$(LD_PRELOAD=/old/libpoolmem.so:libc.so.6 record -o b.pm -- sh -c 'echo "$LD_PRELOAD"')
	[ "$once" = "libc.so.6:$lib" ]
	nothing_left
}

@test "run: POOLMEM=off stands aside" {
	POOLMEM=off run -4 record -- sh -c '[ -z "$LD_PRELOAD" ] && exit 4'
	said 'POOLMEM=off'
	no_capture
}

@test "run: one capture holds the tree, --only picks from it" {
	record -o tree.pm -- bash -c 'ls >/dev/null; (echo child >/dev/null); date >/dev/null; true'
	[ "$(figure tree.pm 'len(r["processes"])')" -ge 4 ]
	record -o only.pm --only 'd?te' -- bash -c 'ls >/dev/null; date >/dev/null; true'
	[ "$(figure only.pm 'len(r["processes"])')" = 1 ]
	said 'left out'
	run -5 record -o none.pm --only nothing -- sh -c 'exit 5'
	said 'no capture'
	[ ! -e none.pm ]
	nothing_left
}

@test "run: the newest capture is 'last'" {
	record -o a.pm -- true
	[ "$(cat shm/last)" = "$PWD/a.pm" ]
	record -o b.pm -- ls >/dev/null
	[ "$("$poolmem" report --json last)" = "$("$poolmem" report --json b.pm)" ]
}

@test "run: signals are passed on, once each, and the capture is written" {
	"$poolmem" run --lib "$lib" -o a.pm -- "$programs/heard" >heard 2>"$report" &
	waits_for 'grep -q ready heard'
	for signal in INT HUP QUIT USR1 USR2 WINCH; do
		kill -$signal $!
		waits_for "grep -q SIG$signal heard"
	done
	kill -TERM $!
	code=0
	wait $! || code=$?
	[ $code = 7 ]
	diff <(printf 'SIG%s\n' INT HUP QUIT USR1 USR2 WINCH TERM) <(tail -n +2 heard)
	figure a.pm 1
	nothing_left
}

@test "run: keys of the terminal reach the program once" {
	run -7 python3 "$here/onatty.py" 031c03 "$poolmem" run -q --lib "$lib" -o a.pm -- "$programs/heard"
	diff <(printf 'SIG%s\n' INT QUIT INT TERM) <(grep -o 'SIG[A-Z]*' <<<"$output")
	figure a.pm 1
}

@test "run: a program stopped by the terminal stops poolmem, and both go on" {
	set -m
	"$poolmem" run --lib "$lib" -o a.pm -- sh -c 'kill -TSTP $$; exit 6' 2>"$report" &
	waits_for "grep -q '^State:.*stopped' /proc/$!/status"
	kill -CONT $!
	waits_for "! kill -0 $! 2>/dev/null"
	code=0
	wait $! || code=$?
	[ $code = 6 ]
	figure a.pm 1
}

@test "run: a daemon that outlives the program stays readable" {
	mkfifo stop
	run -3 --separate-stderr record -o a.pm -- "$programs/outlive" stop
	[ "${#lines[@]}" = 1 ]
	daemon=${lines[0]}
	said 'still running  1 process'
	said "$PWD/shm"
	[ "$(find shm -maxdepth 1 -name '*.pms' | wc -l)" = 1 ]
	"$poolmem" report --json "$daemon" >/dev/null
	[ "$(figure a.pm 'len(r["processes"])')" = 2 ]
	: >stop
	waits_for "[ ! -e /proc/$daemon ]"
}

@test "run: what a daemon starts after the run stays readable" {
	mkfifo stop
	daemon=$(record -o a.pm -- sh -c 'setsid sh -c "echo \$\$; exec >&-; read x <stop; ls >&2; exec sleep 0" &')
	ls shm >before
	: >stop
	waits_for "[ ! -e /proc/$daemon ]"
	"$poolmem" list --json | python3 -c '
import json, sys
rows = [s for s in json.load(sys.stdin)["segments"] if s["life"] == "ended"]
assert {"ls", "sleep"} <= {s["exe"].split("/")[-1] for s in rows}, rows'
	[ "$(figure "$daemon" 'r["processes"][0]["state"]')" = 'exited' ]
}

@test "run: report and list show the program while it runs" {
	"$poolmem" run --lib "$lib" -o a.pm -- "$programs/heard" >heard 2>"$report" &
	waits_for 'grep -q ready heard'
	pid=$(sed -n 's/ready //p' heard)
	[ "$(figure "$pid" 'r["processes"][0]["state"]')" = running ]
	"$poolmem" list | grep -q "running *$pid .*/heard"
	kill -TERM "$pid"
	wait $! || true
	[ "$(figure a.pm 'r["metrics"]["process.pid"]')" = "$pid" ]
	nothing_left
}

@test "run: segments of a killed poolmem stay in the user's directory" {
	"$poolmem" run --lib "$lib" -o a.pm -- "$programs/heard" >heard 2>"$report" &
	waits_for 'grep -q ready heard'
	kill -KILL $!
	wait $! || true
	kill -TERM "$(sed -n 's/ready //p' heard)"
	waits_for "grep -q SIGTERM heard"
	record -o b.pm -- true
	[ "$(figure b.pm 'len(r["processes"])')" = 1 ]
	[ "$(find shm -name '*.pms' | wc -l)" = 1 ]
	figure shm/*.pms 1
}

# Pids of /bin/true in captures and segments, one a line.
trues()
{
	for of in "$@"; do
		figure "$of" '"\n".join(str(p["pid"]) for p in r["processes"] if p.get("exe", "").endswith("/true"))'
	done | sed '/^$/d'
}

@test "run: 2,000 short programs: all are kept, shared memory is not filled" {
	cat >many <<-'END'
		i=0
		while [ $i -lt 2000 ]; do
			/bin/true &
			echo $! >>started
			wait $!
			i=$((i + 1))
			[ $((i % 50)) != 0 ] || du -sk shm >>usage
		done
		echo $$
	END
	pid=$(POOLMEM=$POOLMEM,max=4M record -o a.pm -- sh many)
	diff <(sort started) <(trues a.pm | sort) || { cat "$report"; find shm; return 1; }
	[ "$(figure a.pm 'r["processes"][0]["pid"]')" = "$pid" ]
	[ "$(figure a.pm 'r["metrics"]["process.pid"]')" = "$pid" ]
	kept=$(stat -c %s a.pm) most=$(sort -n usage | tail -n 1 | cut -f 1)
	[ $((kept / 1024)) -gt $((4 * most)) ] || { echo "$kept bytes kept, up to $most KiB in shm"; return 1; }
	nothing_left
}

@test "F37 run: the disk of the capture is full while the program runs: nothing is lost" {
	cat >inside <<-'END'
		mkdir disk && mount -t tmpfs -o size=3m none disk || exit 99
		"$@" 2>stderr
		code=$?
		cp disk/a.pm . && ls -A disk >left
		exit $code
	END
	cat >many <<-'END'
		i=0
		until grep -q 'No space left' stderr || [ $i = 5000 ]; do /bin/true; i=$((i + 1)); done
		/bin/true
		echo $((i + 1))
	END
	rights=$mounts_apart
	[ "$(id -u)" = 0 ] || rights=-Urm
	run -125 unshare $rights sh inside "$poolmem" run --lib "$lib" -o disk/a.pm -- sh many
	[ "$(cat left)" = a.pm ]
	[ "$(grep -c 'No space left' "$report")" = 1 ]
	said "segments stay in $PWD/shm"
	said "poolmem report $PWD/disk/a.pm"
	"$poolmem" report a.pm | grep -q 'cut short'
	trues a.pm >moved
	trues shm/*.pms >stayed
	[ -s moved ]
	[ -s stayed ]
	[ "$(cat moved stayed | wc -l)" = "$output" ]
	[ "$(sort -u moved stayed | wc -l)" = "$output" ]
}

@test "run: a capture that cannot have its name keeps what was moved into it" {
	run -125 record -o a.pm -- sh -c '
		until [ -e .poolmem-*.tmp ]; do /bin/true; done
		echo mine >a.pm'
	[ "$(cat a.pm)" = mine ]
	said 'File exists'
	said "poolmem report $(echo "$PWD"/.poolmem-*.tmp)"
	figure .poolmem-*.tmp 1
}

@test "F28 run: a directory that others can write to is not used" {
	chmod 777 shm
	run -125 record -o a.pm -- touch ran
	[ ! -e ran ]
	chmod 700 shm
	ln -s shm link
	POOLMEM=dir=$PWD/link run -125 record -o a.pm -- touch ran
	[ ! -e ran ]
}

@test "run: a relative dir= is told and not used, as by the library" {
	POOLMEM=dir=shm record -o a.pm -- true
	said "bad value 'shm': dir takes an absolute path"
	figure a.pm 'len(r["processes"])'
	[ ! -e shm/last ]
}

@test "F35 run: no control character of a name reaches the terminal" {
	name=$(printf 'e\033]52;c;aGk=\007l\nf')
	cp /bin/true "$name"
	record -o a.pm -- "./$name"
	record -- "./$name"
	run -127 record -- "./no$name"
	python3 "$here/elfpatch.py" machine /bin/true "$name"
	run -126 record -- "./$name"
	"$poolmem" report a.pm >text
	[ "$(tr -d '\n\40-\176\200-\377' <"$report" | wc -c)" = 0 ]
	[ "$(tr -d '\n\40-\176\200-\377' <text | wc -c)" = 0 ]
}
