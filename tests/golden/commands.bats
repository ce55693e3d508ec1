# SPDX-License-Identifier: MIT
# The commands as a user meets them: exit codes, messages, what stdout and stderr hold.

bats_require_minimum_version 1.5.0

setup()
{
	here=$BATS_TEST_DIRNAME
	poolmem=$(realpath "${POOLMEM_BUILD:-$here/../../build}")/poolmem
	unset POOLMEM
	out=$BATS_TEST_TMPDIR
	capture=$here/exited/capture.pm
	mkdir -m 700 "$out/segments"
	export POOLMEM=dir=$out/segments
	cd "$out"
}

# The segment of a golden capture, under a name with this time and pid.
segment()
{
	python3 -c 'import sys; d=open(sys.argv[1],"rb").read(); n=int.from_bytes(d[24:32],"little"); sys.stdout.buffer.write(d[40:40+n])' \
		"$here/$1/capture.pm" >"$out/segments/$2-$3-0a1b2c3d.pms"
}

@test "commands: help, version, and a word that is none" {
	run -0 "$poolmem"
	[[ $output == *report* && $output == *doctor* ]]
	run -0 "$poolmem" --version
	[[ $output =~ ^poolmem\ [0-9] ]]
	run -2 --separate-stderr "$poolmem" reprot
	[ -z "$output" ]
	[[ $stderr == *"did you mean 'report'"* ]]
	run -2 "$poolmem" xyzzy
	[[ $output != *"did you mean"* ]]
	run -2 "$poolmem" $'\e]52;c;x\a'
	[[ $output != *$'\e'* ]]
}

# What poolmem alone lists.
commands()
{
	"$poolmem" | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

@test "commands: each has help with three examples" {
	for command in $(commands); do
		run -0 "$poolmem" $command --help
		[ "$(grep -c "^  poolmem $command" <<<"$output")" -ge 3 ]
		[ "$("$poolmem" $command -h)" = "$output" ]
	done
}

@test "commands: help of every one, and their list, within 80 columns" {
	[ "$(commands | wc -l)" -ge 18 ]
	"$poolmem" >help
	for command in $(commands); do
		"$poolmem" $command --help >>help
	done
	[ "$(grep -c '^Usage: ' help)" = "$(commands | wc -l)" ]
	run -1 grep '.\{81\}' help
}

@test "commands: wrong options are usage errors with a hint" {
	run -2 --separate-stderr "$poolmem" report --josn
	[[ $stderr == *"did you mean '--json'"* && -z $output ]]
	run -2 "$poolmem" report --older-than 3s
	run -2 "$poolmem" report -n many
	run -2 "$poolmem" report -n
	run -2 "$poolmem" report a b
	run -2 "$poolmem" report --sort colour "$capture"
	[[ $output == *allocations* ]]
	run -2 "$poolmem" report --filter '(' "$capture"
	run -2 "$poolmem" report --color often "$capture"
	[[ $output == "poolmem report: --color takes"* ]]
	for command in 'report a.pm' 'survival a.pm' 'sites a.pm' 'leaks a.pm' 'frag a.pm' 'map a.pm' list clean doctor 'run -f'; do
		run "$poolmem" $command --josn
		[[ $output == "poolmem ${command%% *}: there is no option '--josn'; did you mean '--json'?"* ]]
	done
	run -2 "$poolmem" list --sort colour
	run -2 "$poolmem" list --filter '('
	run -2 "$poolmem" list extra
	run -2 "$poolmem" clean --older-than soon
	run -2 "$poolmem" clean --older-than 99999999999999999d
}

@test "frag: what cannot be read or asked for" {
	run -3 "$poolmem" frag /nonexistent
	run -3 "$poolmem" frag "$here/damaged/capture.pm"
	run -1 "$poolmem" frag 999999
	for size in '' 0 many -3 1Q; do
		run -2 --separate-stderr "$poolmem" frag --free "$size" "$capture"
		[[ $stderr == *"--free takes a size as 100M"* ]]
	done
	run -2 "$poolmem" frag --svg - "$capture"
	touch there.svg
	run -1 --separate-stderr "$poolmem" frag --svg there.svg "$capture"
	[[ $stderr == *there.svg* && ! -s there.svg ]]
	run -1 --separate-stderr "$poolmem" frag -o /dev/full "$here/surveyed/capture.pm"
	[[ $stderr == *"No space left"* ]]
	run -0 "$poolmem" frag --free 100K "$here/surveyed/capture.pm"
	[[ $output == *"To get 100.0 KiB back"*"128.0 KiB"* ]]
	run -0 "$poolmem" frag --free 1G "$here/surveyed/capture.pm"
	[[ $output == *"come to no more"* ]]
	run -0 "$poolmem" frag "$capture"
	[[ $output == *"No survey was made"*"run --frag"* ]]
}

@test "report: what cannot be read" {
	run -3 "$poolmem" report /nonexistent
	run -3 "$poolmem" report /dev/zero
	run -3 "$poolmem" report "$here/damaged/capture.pm"
	[[ $output == *damaged:* ]]
	run -3 "$poolmem" report "$here/newer/capture.pm"
	[[ $output == *"made by a newer poolmem: format 3, this one reads 2"* ]]
	for bytes in 16 24 40 5000; do
		head -c $bytes "$capture" >cut.pm
		run -3 "$poolmem" report cut.pm
		[[ $output == *"cut.pm is cut short"* ]]
	done
	run -3 "$poolmem" report /etc/passwd
	[[ $output == *"not a poolmem segment"* ]]
	run -1 "$poolmem" report 999999
	run -1 "$poolmem" report
	run -1 "$poolmem" report --filter nobody "$capture"
	POOLMEM=dir=/nonexistent run -1 "$poolmem" report
}

@test "report: F37: a failed write is said" {
	run -1 --separate-stderr "$poolmem" report -o /dev/full "$capture"
	[[ $stderr == *"No space left"* ]]
	run -1 bash -c '"$0" report "$1" >/dev/full' "$poolmem" "$capture"
	[[ $output == *"No space left"* ]]
	run -1 bash -c '"$0" report "$1" >&-' "$poolmem" "$capture"
	[[ $output == *"cannot write"* ]]
	run -1 "$poolmem" report -o /nonexistent/file "$capture"
}

@test "report: F37: nobody reads on" {
	run -0 bash -c 'set -o pipefail; { "$0" report --all -n 0 "$1"; echo "$?" >status; } 2>err | sleep 0.2' \
		"$poolmem" "$here/tree/capture.pm"
	[ ! -s err ]
	run -0 bash -c '"$0" report --json "$1" 2>err | head -1' "$poolmem" "$here/tree/capture.pm"
	[ "$output" = "{" ]
	[ ! -s err ]
}

@test "report: -o writes a whole file or none" {
	"$poolmem" report -o report.txt "$capture"
	"$poolmem" report "$capture" | cmp - report.txt
	"$poolmem" report --json -f -o report.txt "$capture"
	python3 -m json.tool report.txt >/dev/null
	[ "$(ls | wc -l)" = 2 ]
	run -1 bash -c 'ulimit -f 1; "$@" 2>/dev/null' - "$poolmem" report --json -n 0 -o report2.txt "$here/tree/capture.pm"
	[ "$(ls | wc -l)" = 2 ]
}

@test "report: colour when asked, or on a terminal" {
	run -0 "$poolmem" report "$capture"
	[[ $output != *$'\e'* ]]
	run -0 "$poolmem" report --color always "$capture"
	[[ $output == *$'\e[1m'* ]]
	run -0 "$poolmem" report --color always --json "$capture"
	[[ $output != *$'\e'* ]]
	run -0 env TERM=xterm script -qec "'$poolmem' report '$capture'" /dev/null
	[[ $output == *$'\e[1m'* ]]
	run -0 env TERM=xterm NO_COLOR=1 script -qec "'$poolmem' report '$capture'" /dev/null
	[[ $output != *$'\e[1m'* ]]
	run -0 env TERM=dumb script -qec "'$poolmem' report '$capture'" /dev/null
	[[ $output != *$'\e[1m'* ]]
}

@test "report: command lines fit the terminal, and JSON has them whole" {
	for columns in 80 132; do
		run -0 script -qec "stty cols $columns; '$poolmem' report '$here/tree/capture.pm'" /dev/null
		shown=$(sed 's/\r$//; s/\x1b\[[0-9;]*m//g' <<<"$output")
		rows=$(grep -E '^ +([0-9]+|-)  (exec|fork|departed) ' <<<"$shown")
		[ "$(wc -l <<<"$rows")" = 5 ]
		[ "$(wc -L <<<"$rows")" -le $columns ]
		[ "$(grep -c '\.\.\.$' <<<"$rows")" -ge 4 ]
		[[ $shown != *'\n'* && $shown != *'\t'* ]]
	done
	run -0 "$poolmem" report --all "$here/tree/capture.pm"
	[[ $output == *"./example --fast input.txt -c 'for step in one two three; do ./step"*"..."* ]]
	[ "$(grep -c 'for step' <<<"$output")" = 8 ]
	[ "$(grep 'for step' <<<"$output" | wc -L)" -le 130 ]
	"$poolmem" report --json "$here/tree/capture.pm" | python3 -c '
import json, sys
processes = json.load(sys.stdin)["processes"]
assert [p["argv"][-1][-8:] for p in processes] == ["room for"] * 4 + ["nput.txt"]'
}

@test "list: on a terminal the name of a program is seen" {
	segment exited 1797a1b2c3d4e5f6 1234
	run -0 script -qec "stty cols 60; '$poolmem' list" /dev/null
	[[ $output == *...*n/example* && $output != *bin/example* ]] # how much depends on the age
	run -0 "$poolmem" list
	[[ $output == *bin/example* ]]
}

@test "list: 80 columns, however long the names of programs and captures are" {
	local place
	place=$out/$(printf 'of-many-letters-%.0s' 1 2 3 4 5 6)
	mkdir -p "$place"
	cp "$(type -P sleep)" "$place/sleep"
	LD_PRELOAD=${poolmem%/*}/libpoolmem.so "$place/sleep" 0
	cp "$capture" "$place/a.pm"
	echo "$place/a.pm" >"$out/segments/last"
	run -0 "$poolmem" list
	[[ $output == *"etters-/sleep"* && $output == *"$place/a.pm"* ]]
	# The path of a capture alone, which is to be copied, may be longer than a line.
	awk -v path="$place/a.pm" 'index($0, path) == 0 && length($0) > 80 { print; bad = 1 } END { exit bad }' <<<"$output"
	[ "$("$poolmem" list --json | jq -r '.segments[0].exe')" = "$place/sleep" ]
}

@test "report: last is the newest segment or capture" {
	segment exited 1797a1b2c3d4e5f6 1234
	run -0 "$poolmem" report last
	[[ ${lines[0]} == *"example --fast"* ]]
	sleep 0.02
	echo "$here/nothing/capture.pm" >"$out/segments/last"
	run -0 "$poolmem" report
	[[ ${lines[0]} == ./static ]]
	sleep 0.02
	segment killed 1797a1b2c3d4e5f7 3000
	run -0 "$poolmem" report
	[[ $output == *"pid 3000"* ]]
	echo relative/path >"$out/segments/last"
	run -0 "$poolmem" report
	[[ $output == *"pid 3000"* ]]
}

@test "list: the newest capture, when there is nothing else" {
	run -1 "$poolmem" list
	[[ $output == *"no segments in"*"no capture yet" ]]
	echo "$capture" >"$out/segments/last"
	run -0 "$poolmem" list
	[[ $output == *"no segments"*"newest capture: $capture"* ]]
	segment exited 1797a1b2c3d4e5f6 1234
	run -0 "$poolmem" list
	[[ $output == *"1 segment, "*"newest capture: $capture"* ]]
	run -1 "$poolmem" list --filter nobody
	[[ $output == *"matches the filter"* ]]
	echo /nonexistent >"$out/segments/last"
	run -0 "$poolmem" list
	[[ $output != *"newest capture"* ]]
}

@test "a relative dir= is told and not used, as by the library" {
	mkdir -m 700 rel
	cp "$here/exited/capture.pm" rel/last
	POOLMEM=dir=rel run "$poolmem" list
	[[ $output == *"bad value 'rel': dir takes an absolute path"* && $output != *"in rel"* ]]
}

@test "report: processes: the highest peak first, or as they started" {
	pids() { "$poolmem" report "$@" "$here/tree/capture.pm" | sed -nE 's/^ +([0-9]+|-)  (exec|fork|departed) .*/\1/p' | tr '\n' ' '; }
	[ "$(pids)" = "2000 2001 2002 2001 - " ] || [ "$(pids)" = "2000 2001 2002 - 2001 " ]
	[ "$(pids --sort start)" = "2000 - 2001 2002 2001 " ]
	[ "$(pids --sort frees)" = "2000 2001 2002 - 2001 " ]
}

@test "report: the title is of what the filter leaves" {
	run -0 "$poolmem" report --filter 'for step' "$here/tree/capture.pm"
	[[ ${lines[0]} == "filtered: ./example --fast input.txt -c"* && $output == *"; 1 filtered out"* ]]
	run -0 "$poolmem" report --filter example "$here/tree/capture.pm"
	[[ ${lines[0]} == sh* ]]
}

@test "report: sentences end where the terminal does" {
	run -0 "$poolmem" report "$here/killed/capture.pm"
	[ "$(sed -n '/^What to know/,$p' <<<"$output" | wc -L)" -le 80 ]
	run -0 script -qec "stty cols 60; '$poolmem' report '$here/killed/capture.pm'" /dev/null
	[ "$(sed 's/\r$//; s/\x1b\[[0-9;]*m//g' <<<"$output" | sed -n '/^What to know/,$p' | wc -L)" -le 60 ]
}

@test "report: by pid, leader or forked child, the newest" {
	segment exited 1797a1b2c3d4e5f6 1234
	segment tree 1797a1b2c3d4e5f7 2000
	run -0 "$poolmem" report 1234
	[[ $output == *"pid 1234"* ]]
	run -0 "$poolmem" report 2002
	[[ $output == *"exited 0, pid 2000"* ]]
	run -1 "$poolmem" report 77
	[[ $output == *"no segment of process 77"* ]]
	run -1 "$poolmem" report 99999999999999999999
}

@test "report: a process whose segment is in another directory" {
	segment killed 1797a1b2c3d4e5f7 3000
	mkdir -m 700 other
	mv segments/*.pms other
	python3 -c 'import mmap, sys, time
with open(sys.argv[1], "r+b") as file: segment = mmap.mmap(file.fileno(), 0)
open("mapped", "w").write("yes")
time.sleep(60)' other/*.pms 3>&- &
	local pid=$!
	for i in {1..300}; do [ -s mapped ] && break || sleep 0.1; done
	POOLMEM=dir=$out/none run -1 "$poolmem" report $pid
	kill $pid
	[[ $output == *"/none does not exist; it counts in "*"/other/1797a1b2c3d4e5f7-3000-0a1b2c3d.pms" ]]
}

@test "list and clean" {
	run -1 "$poolmem" list
	segment exited 1797a1b2c3d4e5f6 1234
	segment killed 1797a1b2c3d4e5f7 3000
	segment newer 1797a1b2c3d4e5f8 6000
	run -0 "$poolmem" list
	[ "${#lines[@]}" = 5 ]
	[[ ${lines[1]} == *"not readable"* && ${lines[2]} == *"ended without exit"* && ${lines[3]} == *"exited 0"* ]]
	for key in age pid size allocations; do run -0 "$poolmem" list --sort $key -n 1; done
	[[ $output == *"3 segments, "*"1 shown"* ]]
	run -0 "$poolmem" list --filter example
	[ "${#lines[@]}" = 4 ]
	run -0 "$poolmem" clean --dry-run
	[[ $output == "would remove 2 segments,"* ]]
	run -0 "$poolmem" clean --older-than 100000d
	[[ $output == *"kept 3" ]]
	exec 9<>"$out/segments/1797a1b2c3d4e5f6-1234-0a1b2c3d.pms"
	run -0 "$poolmem" clean --all
	[[ $output == "removed 2 segments,"*"kept 1" ]]
	exec 9>&-
	run -0 "$poolmem" clean
	[ -z "$(ls "$out/segments")" ]
}

# Reading the directory once more for each of them takes minutes.
@test "list and clean: as many segments as max= has room for" {
	segment killed 1797a1b2c3d4e5f6 3000
	(cd segments && python3 -c '
import os
for i in range(12000):
    os.link("1797a1b2c3d4e5f6-3000-0a1b2c3d.pms", "1797a1b2c3%06x-%d-0a1b2c3d.pms" % (i, 3001 + i))')
	run -0 timeout 30 "$poolmem" list -n 3
	[[ $output == *"12,001 segments"* ]]
	run -0 timeout 30 "$poolmem" clean
	[[ $output == "removed 12,001 segments,"* ]]
}

@test "list and clean: files without a header" {
	: >"$out/segments/1797a1b2c3d4e5f6-1234-0a1b2c3d.pms"
	truncate -s 1M "$out/segments/1797a1b2c3d4e5f7-1235-0a1b2c3d.pms"
	run -0 "$poolmem" list
	[[ ${lines[1]} == *"not readable"*1235* && ${lines[2]} == *"not readable"*1234* ]]
	exec 9<>"$out/segments/1797a1b2c3d4e5f7-1235-0a1b2c3d.pms"
	run -0 "$poolmem" list
	[[ ${lines[1]} == *starting*1235* && ${lines[2]} == *"not readable"*1234* ]]
	run -0 "$poolmem" list --json
	[[ $output == *'"state": "starting"'* ]]
	: >"$out/segments/$(printf '%016x' "$(date +%s%N)")-1236-0a1b2c3d.pms" # perhaps about to be filled
	run -0 "$poolmem" clean
	[[ $output == "removed 1 segment,"*"kept 2" ]]
	run -0 "$poolmem" clean --all
	[[ $output == "removed 1 segment,"*"kept 1" ]]
	exec 9>&-
	run -0 "$poolmem" clean
	[ -z "$(ls "$out/segments")" ]
}

@test "report, list and clean: F39: a message over the file size limit" {
	for command in 'report /nonexistent' list 'clean --no-such-option'; do
		run bash -c 'ulimit -f 0; "$0" $1 2>err' "$poolmem" "$command"
		[ "$status" -le 3 ]
	done
}

@test "a directory that others can write to is not believed" {
	chmod 777 "$out/segments"
	run -3 "$poolmem" list
	[[ $output == *"not trusted"* ]]
	run -3 "$poolmem" clean
	run -3 "$poolmem" report last
	chmod 700 "$out/segments"
	ln -s "$out/segments" "$out/link"
	POOLMEM=dir=$out/link run -3 "$poolmem" list
}

@test "without dir=: TMPDIR is not asked while there is /dev/shm" {
	unset POOLMEM
	TMPDIR=$out run "$poolmem" list
	[ "$status" -le 1 ]
	[[ $output != *"$out"* ]]
}

@test "survival: wrong options say what to do" {
	for thresholds in '' 4000 4000:10 4000:10:10:1 0:10:10 a:b:c 4000:-1:1 4000:10:x ' 1:1:1' 5000000000:1:1; do
		run -2 --separate-stderr "$poolmem" survival --thresholds "$thresholds" "$capture"
		[[ -z $output && $stderr == *"--thresholds takes three numbers such as 4000:10:10"* ]]
	done
	run -2 "$poolmem" survival --thresholds 4000:101:10 "$capture"
	[[ $output == *"the second number is at most 100, not 101"* ]]
	run -2 "$poolmem" survival --sort colour "$capture"
	run -2 "$poolmem" survival --filter '(' "$capture"
	run -2 "$poolmem" report --thresholds 1:1:1 "$capture"
	[[ $output == *"there is no option '--thresholds'"* ]]
	run -2 "$poolmem" report --svg x.svg "$capture"
	[ ! -e x.svg ]
	run -2 "$poolmem" survival --svg - "$capture"
	[[ $output == *"--svg takes a file, not '-'"* ]]
	run -2 "$poolmem" survival --sort peak "$capture"
	[[ $output == *"orders the sections of --all"* ]]
	run -0 "$poolmem" survival --sort peak --all "$here/tree/capture.pm"
	for command in report survival; do
		run -2 "$poolmem" $command ""
		[[ $output == *"a FILE, a PID or 'last' is wanted"* ]]
	done
	run -125 "$poolmem" run -o - true
	[ ! -e - ]
}

@test "-o -: the standard output" {
	for command in report survival; do
		run -0 "$poolmem" $command -o - "$capture"
		[[ $output == *"exited 0, pid"* && ! -e - ]]
	done
}

@test "survival: no line of a terminal's 80 columns is broken" {
	for capture in phases filtered tree killed; do
		run -0 "$poolmem" survival --all --thresholds 4000:3:10 "$here/$capture/capture.pm"
		[ "$(grep -v '^[^ ]' <<<"$output" | cut -c 1-200 | wc -L)" -le 80 ] || [ $capture = phases ]
		run -0 script -qec "stty cols 80; '$poolmem' survival --all '$here/$capture/capture.pm'" /dev/null
		[ "$(tr -d '\r' <<<"$output" | grep '^ ' | wc -L)" -le 80 ]
	done
}

@test "survival: what cannot be read" {
	run -3 "$poolmem" survival /nonexistent
	run -3 "$poolmem" survival "$here/damaged/capture.pm"
	run -3 "$poolmem" survival "$here/newer/capture.pm"
	head -c 5000 "$capture" >cut.pm
	run -3 "$poolmem" survival cut.pm
	[[ $output == *"cut.pm is cut short"* ]]
	run -1 "$poolmem" survival --filter nobody "$capture"
	run -1 "$poolmem" survival
	run -1 bash -c '"$0" survival "$1" >/dev/full' "$poolmem" "$capture"
}

@test "survival: a picture, not over another file without -f" {
	run -0 "$poolmem" survival --svg curve.svg "$here/phases/capture.pm"
	[[ $output == *"Phases"* ]]
	python3 -c 'import sys, xml.dom.minidom
text = open("curve.svg").read()
xml.dom.minidom.parseString(text)
assert text.count("<polyline") == 2 + 4 and "serve &lt;&amp;&gt;" in text and "age in epochs of 1,000" in text'
	cp curve.svg before.svg
	run -1 --separate-stderr "$poolmem" survival --svg curve.svg "$capture"
	[[ -z $output && $stderr == *"curve.svg is there already: give -f to replace it"* ]]
	cmp curve.svg before.svg
	"$poolmem" survival -f --svg curve.svg "$capture" >/dev/null
	run -1 cmp -s curve.svg before.svg
	run -1 --separate-stderr "$poolmem" survival --svg none.svg "$here/hostile/capture.pm"
	[[ $stderr == *"none.svg is not drawn"* && ! -e none.svg ]]
	run -1 "$poolmem" survival --svg none/curve.svg "$capture"
}

@test "survival --site: wrong options, nothing to show" {
	for option in '--sort old' '--filter x' --all '--thresholds 4000:10:10'; do
		run -2 "$poolmem" survival --site first $option "$here/sites/capture.pm"
		[[ $output == *"not with --site"* ]]
	done
	run -2 "$poolmem" survival --no-symbols "$here/sites/capture.pm"
	run -2 "$poolmem" survival --site '(' "$here/sites/capture.pm"
	run -2 "$poolmem" report --site first "$here/sites/capture.pm"
	run -1 "$poolmem" survival --site nobody "$here/sites/capture.pm"
	[[ $output == *"no call site matches the filter"* ]]
	run -1 --separate-stderr "$poolmem" survival --site . "$capture"
	[[ $stderr == *"no call sites were recorded"* ]]
	run -1 bash -c '"$0" survival --site first "$1" >/dev/full' "$poolmem" "$here/sites/capture.pm"
	run -1 --separate-stderr "$poolmem" survival --site . --svg none.svg "$here/sites_hostile/capture.pm"
	[[ $stderr == *"none.svg is not drawn"* && ! -e none.svg ]]
}

@test "survival --site: words, curve and picture" {
	run -0 "$poolmem" survival --no-symbols --site . "$here/sites/capture.pm"
	[[ $output == *"5 call sites taken together"*"Verdict: mixed. 70.7 % died in the epoch of their birth, 11.2 % live."* ]]
	[ "$(wc -L <<<"$output")" -le 80 ]
	run -0 "$poolmem" survival --no-symbols --site . --svg site.svg "$here/sites/capture.pm"
	python3 -c 'import xml.dom.minidom
text = open("site.svg").read()
xml.dom.minidom.parseString(text)
assert text.count("<polyline") == 2 and text.count("<polygon") == 1'
	run -1 "$poolmem" survival --site . --svg site.svg "$here/sites/capture.pm"
	[[ $output == *"give -f to replace it"* ]]
}

@test "survival: order, rows and filter of size classes" {
	classes() { "$poolmem" survival --json "$@" "$capture" | python3 -c 'import json, sys; print(*[c["class"] for c in json.load(sys.stdin)["classes"]])'; }
	[ "$(classes)" = "64 48 large 0" ]
	[ "$(classes --sort young)" = "48 large 0 64" ]
	[ "$(classes --sort size -n 2)" = "0 48" ]
	[ "$(classes --filter class:6)" = 64 ]
	run -0 "$poolmem" survival --sort size -n 1 "$capture"
	[[ $output == *"Size classes (1 of 4; -n 0 shows all)"* ]]
	run -0 "$poolmem" survival -n 2 "$here/phases/capture.pm"
	[[ $output == *"Phases (2 of 4; -n 0 shows all)"* && $output == *load* && $output != *serve* ]]
}

@test "a filter that leaves no size class says so" {
	for command in report survival; do
		run -1 --separate-stderr "$poolmem" $command --filter class:47 "$capture"
		[[ -z $output && $stderr == *"no size class matches the filter"* ]]
		run -0 "$poolmem" $command --filter 'class:^48$' "$capture"
		[[ $output == *"Size classes: 1 of 4 match the filter, 'all' counts every one"* ]]
	done
}

@test "survival: what other thresholds would do cannot always be told" {
	run -0 "$poolmem" survival --thresholds 1500:10:10 "$capture"
	[[ $output == *"1 process (the first number is no whole multiple"* && $output != *"expected at least"* ]]
	run -0 "$poolmem" survival --thresholds 1000:3:3 "$here/tree/capture.pm"
	[[ $output == *"(sweeps were not recorded)"* && $output == *"(blocks were inherited, of ages that"* ]]
	run -0 "$poolmem" survival --thresholds 1000:10:10 --json "$capture"
	[ "$(grep -c '"at_least"' <<<"$output")" -ge 18 ]
}

@test "a report is not written over a capture" {
	cp "$here/sites/capture.pm" "$BATS_TEST_TMPDIR/kept.pm"
	for command in "report -o" "survival -o" "survival -f --svg" "sites -o" "map -o" "map -f --svg" "map -f --png"; do
		run --separate-stderr "$poolmem" ${command% *} ${command##* } "$BATS_TEST_TMPDIR/kept.pm" "$BATS_TEST_TMPDIR/kept.pm"
		[ "$status" -eq 1 ]
		[[ $stderr == *"write to another file"* ]]
		cmp "$here/sites/capture.pm" "$BATS_TEST_TMPDIR/kept.pm"
	done
}

@test "no command replaces a file without -f" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p segments
	cp "$here/exited/capture.pm" segments/last.pm
	for command in report "report --json" sites "sites --json" leaks "flamegraph --collapsed" "export --format csv" survival \
		"survival --site ." frag "diff $here/sites/capture.pm" "list --json" "clean --dry-run"; do
		operand=$here/sites/capture.pm
		[[ $command != @(list|clean)* ]] || operand=
		echo kept >there
		run -1 --separate-stderr "$poolmem" $command -o there $operand
		[[ $stderr == *"there is there already: give -f to replace it"* && $(<there) = kept ]]
		ln -sf there link
		run -1 --separate-stderr "$poolmem" $command -o link $operand
		[[ $stderr == *"link is there already: give -f to replace it"* && $(<there) = kept ]]
		run -0 "$poolmem" $command -f -o there $operand
		[[ $(<there) != kept ]]
		run -0 "$poolmem" $command -o /dev/null $operand
	done
}

@test "sites: wrong options say what to do" {
	run -2 --separate-stderr "$poolmem" sites --sort colour "$here/sites/capture.pm"
	[[ -z $output && $stderr == *"--sort takes live, peak, allocated, count, leaked, slack, temporary or remote, not 'colour'"* ]]
	run -2 "$poolmem" sites --filter '(' "$here/sites/capture.pm"
	for thread in '' 0 99999999999999999999; do
		run -2 "$poolmem" sites --thread "$thread" "$here/sites/capture.pm"
		[[ $output == *"--thread takes the number or the name of a thread"* ]]
	done
	for thread in x -1 1x; do
		run -1 "$poolmem" sites --thread "$thread" "$here/sites/capture.pm"
		[[ $output == *"no thread that was seen with the name '$thread'"* ]]
	done
	run -2 "$poolmem" sites --stacks --top-down "$here/sites/capture.pm"
	[[ $output == *"give one"* ]]
	run -2 "$poolmem" sites --json --bottom-up "$here/sites/capture.pm"
	run -2 "$poolmem" sites --min 3 "$here/sites/capture.pm"
	for min in '' x 101 -1 nan 1%%; do
		run -2 "$poolmem" sites --top-down --min "$min" "$here/sites/capture.pm"
		[[ $output == *"--min takes a share such as 1%"* ]]
	done
	run -2 "$poolmem" sites --all "$here/sites/capture.pm"
	run -2 "$poolmem" report --stacks "$here/sites/capture.pm"
	run -2 "$poolmem" survival --thread 1 "$here/sites/capture.pm"
}

@test "sites: nothing to show, or not readable" {
	run -1 --separate-stderr "$poolmem" sites "$capture"
	[[ -z $output && $stderr == *"no call sites were recorded"*"POOLMEM=sites=sample"* ]]
	run -1 "$poolmem" sites --filter nobody "$here/sites/capture.pm"
	[[ $output == *"no call site matches the filter"* ]]
	run -1 "$poolmem" sites --thread 7 "$here/sites/capture.pm"
	[[ $output == *"thread 7 recorded no call site"* ]]
	run -3 "$poolmem" sites "$here/damaged/capture.pm"
	run -1 bash -c '"$0" sites "$1" >/dev/full' "$poolmem" "$here/sites/capture.pm"
}

@test "sites: order, rows, filter, thread" {
	first() { "$poolmem" sites --json "$@" "$here/sites/capture.pm" | python3 -c '
import json, sys
d = json.load(sys.stdin)
names = ["%s+%#x" % (d["frames"][s["location"]]["module"].split("/")[-1], d["frames"][s["location"]]["address"]) if s["location"] is not None else "-" for s in d["sites"]]
print(len(names), names[0])'; }
	[ "$(first)" = "6 second.so+0x500" ]
	[ "$(first --sort allocated)" = "6 first.so+0x500" ]
	[ "$(first --sort count -n 2)" = "2 example+0x1344" ]
	[ "$(first --filter lib:first)" = "1 first.so+0x500" ]
	[ "$(first --filter example --sort peak)" = "5 second.so+0x500" ]
	[ "$(first --thread 1401)" = "2 example+0x1400" ]
	run -0 "$poolmem" sites -n 2 "$here/sites/capture.pm"
	[[ $output == *"Call sites by bytes live (2 of 6; -n 0 shows all)"* && $output == *"  all"* ]]
	run -0 "$poolmem" sites --filter second "$here/sites/capture.pm"
	[[ $output == *"1 of 6 match the filter, 'all' counts every one"* ]]
	run -0 "$poolmem" sites --sort slack "$here/sites/capture.pm"
	[[ $output == *"slack  "*"live  blocks"* ]]
}

@test "sites: stacks and trees" {
	run -0 "$poolmem" sites --stacks "$here/sites/capture.pm"
	[[ $output == *"      example+0x1344"$'\n'"      example+0x1200"$'\n'"      example+0x1010"$'\n'* ]]
	[[ $output == *"example+0x1500"$'\n'"      (deeper than is kept: outer frames are missing)"* && $output == *"(not taken, for want of room or time)"* ]]
	run -0 "$poolmem" sites --bottom-up --sort count "$here/sites/capture.pm"
	[[ $output == *"- example+0x1344"$'\n'*"  example+0x1200"$'\n'*"  example+0x1010"$'\n'* && $output != *"- second.so"* ]]
	run -0 "$poolmem" sites --top-down --min 0% --sort count "$here/sites/capture.pm"
	[[ $output == *"- example+0x1010"$'\n'*"  - example+0x1200"$'\n'*"    - example+0x1344"* && $output == *"  - second.so"* ]]
}

@test "sites: the same stack of two processes is one, and says how sure it is" {
	"$poolmem" sites --json "$here/sampled/capture.pm" | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert (d["mode"], d["period"], len(d["sites"])) == ("sample", 524288, 2)
site = d["sites"][0]
assert [d["frames"][f]["address"] for f in site["frames"]] == [0x30, 0x2020, 0x1010]
assert [c["block_bytes"] for c in site["classes"]] == [48, 1792]
# 13 blocks of 1,792 bytes, 2 of 48: each stands for 1/p
p = lambda unit: 1 - __import__("math").exp(-unit / 524288)
assert abs(site["allocated"] - (13 / p(1792) + 2 / p(48))) < 1
# 5 and 2 of them live, which would stand for more than lived when the two processes had ended: 1,440 of 48 bytes, 1,600 of 1,792
assert 5 / p(1792) > 1386 and 2 / p(48) > 1440, "the sample tells more than was counted"
assert [c["live"] for c in site["classes"]] == [1440, 1386]
assert site["live_bytes"] <= d["all"]["counted_live_bytes"]
for key, range in site["estimated"].items():
    assert range["at_least"] <= site[key] < range["at_most"] and bool(range["standard_error"]) == bool(site[key])
assert d["all"]["live_bytes"] == sum(s["live_bytes"] for s in d["sites"])
# what the sample says of all that was counted
for key, counted in ("allocated_bytes", "counted_bytes"), ("live_bytes", "counted_live_bytes"):
    range = d["all"]["estimated"][key]
    assert range["at_least"] <= d["all"][counted] <= range["at_most"], key'
}

@test "sites: where each block is recorded they are all that was counted" {
	"$poolmem" sites --json "$here/sites/capture.pm" | python3 -c '
import json, sys
d = json.load(sys.stdin)
a, m = d["all"], d["metrics"]
assert d["mode"] == "all" and a["estimated"] == {}
assert a["allocated"] == a["counted"] == m["alloc.count"] and a["live"] == m["live.blocks"]
assert a["live_bytes"] == m["live.bytes"] and a["allocated_bytes"] + a["resized_bytes"] == m["alloc.bytes"]
assert a["freed"] == m["free.count"] and a["died_0"] + a["died_1"] + a["died_2"] == a["freed"]
for s in d["sites"]:
    assert s["allocated"] == sum(c["allocated"] for c in s["classes"])
    assert s["slack_bytes"] == s["allocated_bytes"] - s["requested_bytes"]'
}

@test "sites: F34, F35: hostile names reach neither terminal nor JSON as they are" {
	for form in '' --json --stacks --bottom-up; do
		run -0 "$poolmem" sites $form --color always "$here/sites_hostile/capture.pm"
		[[ $output != *$'\e]'* && $output != *$'\a'* ]]
	done
}

@test "report: the first five call sites, where there are any" {
	run -0 "$poolmem" report "$here/sites/capture.pm"
	[[ $output == *"Call sites by bytes live (5 of 6; \`poolmem sites\` shows all)"* && $output != *first.so* ]]
	run -0 "$poolmem" report "$capture"
	[[ $output != *"Call sites"* ]]
	"$poolmem" sites --json -n 3 "$here/sites/capture.pm" >"$BATS_TEST_TMPDIR/sites"
	"$poolmem" report --json -n 3 "$here/sites/capture.pm" | python3 -c '
import json, sys
report, sites = json.load(sys.stdin), json.load(open(sys.argv[1]))
assert len(report["call_sites"]["sites"]) == 3
assert all(sites[key] == value for key, value in report["call_sites"].items())
assert {"dropped.stacks", "dropped.blocks"} <= set(report["metrics"])' "$BATS_TEST_TMPDIR/sites"
	[[ $("$poolmem" report --json "$capture") == *'"call_sites": null'* ]]
}

@test "leaks: wrong options say what to do" {
	cd "$BATS_TEST_TMPDIR"
	run -2 "$poolmem" leaks --sort colour "$here/sites/capture.pm"
	[[ $output == *"--sort takes bytes or blocks, not 'colour'"* ]]
	for code in -1 256 x ''; do
		run -2 "$poolmem" leaks --error-exitcode "$code" "$here/sites/capture.pm"
		[[ $output == *"--error-exitcode takes a number from 0 to 255, not '$code'"* ]]
	done
	printf 'leak:a\nthread:b\n' >rules
	run -2 "$poolmem" leaks --suppressions rules "$here/sites/capture.pm"
	[[ $output == *"rules, line 2: 'thread:b' is no suppression: they are leak:PATTERN"* ]]
	run -3 "$poolmem" leaks --suppressions nowhere "$here/sites/capture.pm"
	[[ $output == *nowhere* ]]
	run -2 "$poolmem" sites --suppressions rules "$here/sites/capture.pm"
	run -2 "$poolmem" leaks --all "$here/sites/capture.pm"
	run -3 "$poolmem" leaks "$here/damaged/capture.pm"
}

@test "diff: wrong options, one recording, nothing recorded" {
	run -2 "$poolmem" diff "$here/sites/capture.pm"
	[[ $output == *"takes two recordings: what was before, and what is now"* ]]
	run -2 "$poolmem" diff a.pm b.pm c.pm
	[[ $output == *"two at a time: 'c.pm' is too many"* ]]
	run -2 "$poolmem" diff --of slack a.pm b.pm
	[[ $output == *"--of takes live, peak, allocated, churn, leaked or temporary, not 'slack'"* ]]
	run -2 "$poolmem" diff --sort name a.pm b.pm
	[[ $output == *"--sort takes growth, shrinkage or change, not 'name'"* ]]
	run -2 "$poolmem" sites --lines a.pm
	run -2 "$poolmem" diff --skip '(' --filter x a.pm b.pm
	run -1 "$poolmem" diff "$here/sites/capture.pm" "$capture"
	[[ $output == *"no call sites were recorded after"*"POOLMEM=sites=all"* ]]
	run -1 "$poolmem" diff "$capture" "$here/sites/capture.pm"
	[[ $output == *"no call sites were recorded before"* ]]
	for pair in "damaged sites" "sites damaged"; do
		run -3 "$poolmem" diff "$here/${pair% *}/capture.pm" "$here/${pair#* }/capture.pm"
	done
}

@test "diff: F34, F35: hostile names, and code without names" {
	for form in --color=always --json --stacks --lines; do
		run -0 "$poolmem" diff $form "$here/sites/capture.pm" "$here/sites_hostile/capture.pm"
		! LC_ALL=C grep -qP '\x1b\](?!\[)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]' <<<"$output" || return 1
	done
	run -0 "$poolmem" diff --of allocated "$here/sites/capture.pm" "$here/sites/capture.pm"
	[[ $output == *"0 new, 0 gone, 0 grown, 0 shrunk, 6 as they were"* ]]
}

@test "leaks: rows, order, filter, suppressions by module" {
	run -0 "$poolmem" leaks -n 1 --sort blocks "$here/sites/capture.pm"
	[[ $output == *"Never freed, by blocks (1 of 5; -n 0 shows all)"*"57.8 KiB in 1,050 blocks"* && $output != *"1.0 MiB in"* ]]
	run -0 "$poolmem" leaks --filter lib:second "$here/sites/capture.pm"
	[[ $output == *"by bytes: 1 of 5 sites match the filter"*"1.0 MiB in 1 block"* && $output != *"57.8 KiB in"* ]]
	printf 'leak:second.so$\nleak:nobody\n' >"$BATS_TEST_TMPDIR/rules"
	run -0 "$poolmem" leaks -v --suppressions "$BATS_TEST_TMPDIR/rules" "$here/sites/capture.pm"
	[[ $output == *"Never freed: 1,273 blocks"*"Suppressed besides: 1.0 MiB in 1 block."*"Suppressions used"*"1  1.0 MiB          second.so$"*"not used"*" nobody"* ]]
}

@test "flamegraph: a picture that needs nothing else and believes no name" {
	for capture in sites sampled sites_hostile; do
		run -0 "$poolmem" flamegraph -o "$capture.svg" "$here/$capture/capture.pm"
		[ -z "$output" ]
		python3 - "$capture.svg" <<-'END'
			import re, sys, xml.dom.minidom
			text = open(sys.argv[1]).read()
			document = xml.dom.minidom.parseString(text)
			assert len(document.getElementsByTagName("script")) == 1
			assert not document.getElementsByTagName("img")
			script = document.getElementsByTagName("script")[0].firstChild.data
			assert not re.search("innerHTML|eval|document.write", script)
			assert set(re.findall("https?://[^\"]*", text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
			names = [e.nodeName + "=" + a for e in document.getElementsByTagName("*") for a in e.attributes.keys()]
			assert not [n for n in names if "=on" in n or "href" in n]
			frames = [e for e in document.getElementsByTagName("svg") if e.getAttribute("class") == "f"]
			place = [tuple(float(e.getAttribute("data-" + k)) for k in "xwd") for e in frames]
			assert place[0] == (0, 1, 0)
			for x, w, d in place[1:]:
			    above = [p for p in place if p[2] == d - 1 and p[0] <= x + 1e-6 and x + w <= p[0] + p[1] + 1e-6]
			    assert len(above) == 1, (x, w, d)
		END
	done
	grep -q '&lt;img src=x onerror=alert(1)&gt;+0x1000' sites_hostile.svg
	grep -q '>second.so+0x500, 1.0 MiB, 93.8 %<' sites.svg
	grep -q 'estimates from a sample' sampled.svg
}

@test "flamegraph: lines for programs that draw add up to what the sites say" {
	run -0 "$poolmem" flamegraph --collapsed --of allocated "$here/sites/capture.pm"
	[[ $output == *$'\n'"example+0x1010;example+0x1200;example+0x1344 485760"* ]]
	[ "$(awk '{ sum += $NF } END { print sum }' <<<"$output")" = "$("$poolmem" sites --json "$here/sites/capture.pm" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["all"]["allocated_bytes"])')" ]
	run -0 "$poolmem" flamegraph --collapsed --of temporary "$here/sites/capture.pm"
	[ "$output" = "example+0x1010;example+0x1200;example+0x1344 7000" ]
	run -0 "$poolmem" flamegraph --collapsed "$here/sites_hostile/capture.pm"
	[[ $output != *$'\e'* && $output != *"52;c"* && $output == *"52:c:ZX"* ]]
}

@test "flamegraph: wrong options, nothing to draw" {
	run -2 "$poolmem" flamegraph --of colour "$here/sites/capture.pm"
	[[ $output == *"--of takes live, peak, allocated, temporary or leaked, not 'colour'"* ]]
	run -2 "$poolmem" flamegraph --sort live "$here/sites/capture.pm"
	run -2 "$poolmem" flamegraph --json "$here/sites/capture.pm"
	run -2 "$poolmem" flamegraph --min many "$here/sites/capture.pm"
	run -2 "$poolmem" flamegraph --stacks "$here/sites/capture.pm"
	run -2 "$poolmem" sites --collapsed "$here/sites/capture.pm"
	run -2 script -qec "'$poolmem' flamegraph '$here/sites/capture.pm'" /dev/null
	[[ $output == *"give -o FILE.svg"* ]]
	run -1 --separate-stderr "$poolmem" flamegraph --of temporary "$here/sites_hostile/capture.pm"
	[[ -z $output && $stderr == *"nothing to draw: of temporary blocks there are none"* ]]
	run -1 "$poolmem" flamegraph "$capture"
	[[ $output == *"no call sites were recorded"* ]]
	run -1 "$poolmem" flamegraph -o /nonexistent/x.svg "$here/sites/capture.pm"
	run -1 bash -c '"$0" flamegraph "$1" >/dev/full' "$poolmem" "$here/sites/capture.pm"
}

@test "map: wrong options, nothing to show" {
	run -2 "$poolmem" map --by colour "$capture"
	[[ $output == *"--by takes occupancy, class, owner or age, not 'colour'"* ]]
	run -2 "$poolmem" map --sort live "$capture"
	[[ $output == *"--sort takes address or occupancy, not 'live'"* ]]
	for expression in '(' 'class:(' 'thread:('; do
		run -2 "$poolmem" map --filter "$expression" "$capture"
	done
	for scale in 0 -1 many 1.5 2000000000000; do
		run -2 "$poolmem" map --scale "$scale" "$capture"
		[[ $output == *"--scale takes a number of units, not '$scale'"* ]]
	done
	for width in 0 39 1001 wide; do
		run -2 "$poolmem" map --width "$width" "$capture"
		[[ $output == *"--width takes a number from 40 to 1000, not '$width'"* ]]
	done
	for option in --svg --png; do
		run -2 "$poolmem" map $option - "$capture"
		[[ $output == *"take a file, not '-'"* ]]
	done
	run -2 "$poolmem" report --by class "$capture"
	[[ $output == *"there is no option '--by'"* ]]
	run -1 --separate-stderr "$poolmem" map "$here/nothing/capture.pm"
	[[ -z $output && $stderr == *"no process loaded libpoolmem.so: there is no map"* ]]
	run -1 --separate-stderr "$poolmem" map "$here/sites_hostile/capture.pm"
	[[ -z $output && $stderr == *"no map: arenas and pools are published at exit()"* ]]
	run -1 --separate-stderr "$poolmem" map --by age "$capture"
	[[ -z $output && $stderr == *"record with poolmem run --frag"* ]]
	run -1 --separate-stderr "$poolmem" map --filter thread:nobody "$capture"
	[[ -z $output && $stderr == *"no pool matches the filter"* ]]
	run -1 "$poolmem" map --filter nobody "$capture"
	run -3 "$poolmem" map /nonexistent
	run -3 "$poolmem" map "$here/damaged/capture.pm"
	run -1 bash -c '"$0" map "$1" >/dev/full' "$poolmem" "$capture"
	run -1 "$poolmem" map --svg /dev/full "$capture"
	run -1 "$poolmem" map --png /dev/full "$capture"
}

@test "map: a sign for each unit, or for several of them" {
	run -0 "$poolmem" map "$here/heap/capture.pm"
	[[ $output == *"a sign is 1 unit, a row 4.0 MiB"*"  7f0000000000  ........~....LL"* ]]
	run -0 "$poolmem" map --scale 16 "$here/heap/capture.pm"
	[[ $output == *"a sign is 16 units together, a row 64.0 MiB"* ]]
	[ "$(grep -c '^  7f' <<<"$output")" = 1 ]
	run -0 "$poolmem" map --scale 1000000 "$here/heap/capture.pm"
	[ "$(grep -c '^  7f' <<<"$output")" = 1 ]
	run -0 "$poolmem" map -n 2 --sort occupancy "$here/heap/capture.pm"
	[[ $output == *"Shown are 2 of 8 arenas; the figures are of all."*"7f0000000000"*"7f0000400000"* ]]
	[ "$(grep -c '^  7f' <<<"$output")" = 2 ]
	run -0 "$poolmem" map --filter class:large "$here/heap/capture.pm"
	[[ $output == *"There are no pools that the filter wants."*"  7f0000000000  ////////~////LL"* ]]
	for width in 40 79 80 81 132 200; do
		run -0 "$poolmem" map --width $width "$here/heap/capture.pm"
		shown=$(grep '^  7f' <<<"$output" | wc -L)
		[ "$shown" -le $width ]
		[ "$shown" -gt $((width / 2 - 16)) ]
	done
	run -0 script -qec "stty cols 60; '$poolmem' map '$here/heap/capture.pm'" /dev/null
	[ "$(tr -d '\r' <<<"$output" | grep '7f0' | sed 's/\x1b\[[0-9;]*m//g' | wc -L)" = 48 ]
}

@test "map: no line is longer than 80 columns" {
	for capture in exited tree killed heap; do
		for by in occupancy class owner; do
			run -0 "$poolmem" map --all --by $by "$here/$capture/capture.pm"
			[ "$(grep '^ ' <<<"$output" | wc -L)" -le 80 ]
			run -0 "$poolmem" map "$here/$capture/capture.pm"
			[ "$(grep '^ ' <<<"$output" | wc -L)" -le 80 ]
		done
	done
}

@test "map: a process of several, and what it has from its parent" {
	run -0 "$poolmem" map "$here/tree/capture.pm"
	[[ $output == *"1 of 3 processes that have a map: --all shows all"* ]]
	run -0 "$poolmem" map --filter thread:2002 "$here/tree/capture.pm"
	[[ $output == *"1 of 2 processes"*"pid 2001"* ]]
	[ "$(grep -c '^Map' <<<"$output")" = 1 ]
	run -0 "$poolmem" map --all "$here/tree/capture.pm"
	[ "$(grep -c '^Map' <<<"$output")" = 3 ]
	[[ $output == *"2 arenas that it has from its parent since the fork are left out; --inherited"* ]]
	run -0 "$poolmem" map --all --inherited "$here/tree/capture.pm"
	[[ $output != *"since the fork"* ]]
	[ "$(grep -c '^  7f0000000000' <<<"$output")" = 3 ]
	"$poolmem" map --json "$here/tree/capture.pm" | python3 -c '
import json, sys
assert [len(p["arenas"]) for p in json.load(sys.stdin)["processes"]] == [2, 2, 1]'
}

@test "map: in colour when asked, or on a terminal" {
	run -0 "$poolmem" map "$capture"
	[[ $output != *$'\e'* ]]
	run -0 "$poolmem" map --color always "$capture"
	[[ $output == *$'\e[38;5;124;48;5;124m.\e[0m'*"pools, from empty to full"* ]]
	run -0 "$poolmem" map --color always --by class "$capture"
	[[ $output == *$'\e[38;5;214;48;5;214ma\e[0m'*"pools, see below"* ]]
	run -0 "$poolmem" map --color always --json "$capture"
	[[ $output != *$'\e'* ]]
	for setting in NO_COLOR=1 TERM=dumb; do
		run -0 env TERM=xterm $setting script -qec "'$poolmem' map '$capture'" /dev/null
		[[ $output != *$'\e[38'* ]]
	done
}

@test "map: F34: a picture that needs nothing else and believes no name" {
	for capture in exited tree killed heap four_to_a_doubling; do
		for by in occupancy class owner; do
			"$poolmem" map -f --all --by $by --svg map.svg "$here/$capture/capture.pm" >/dev/null
			python3 - map.svg <<-'END'
				import re, sys, xml.dom.minidom
				text = open(sys.argv[1]).read()
				root = xml.dom.minidom.parseString(text).documentElement
				elements = [e.nodeName for e in root.getElementsByTagName("*")]
				assert set(elements) <= {"style", "rect", "text", "title"}, set(elements)
				assert elements.count("title") > 3
				assert set(re.findall("https?://[^\"]*", text)) == {"http://www.w3.org/2000/svg"}
				names = {a for e in root.getElementsByTagName("*") for a in e.attributes.keys()}
				assert names <= {"class", "x", "y", "width", "height", "text-anchor"}, names
				width, height = float(root.getAttribute("width")), float(root.getAttribute("height"))
				for rect in root.getElementsByTagName("rect")[1:]:
				    x, y, w, h = (float(rect.getAttribute(k)) for k in ("x", "y", "width", "height"))
				    assert 0 <= x and x + w <= width and 0 <= y and y + h <= height, (x, y)
				used = set(re.findall('class="(s\\d+)"', text))
				assert all(text.count("." + c + " {") == 2 for c in used), used
			END
		done
	done
	"$poolmem" map -f --by owner --svg map.svg "$here/heap/capture.pm" >/dev/null
	grep -q 'thread &lt;/title&gt;&lt;script&gt; (1700)' map.svg
	grep -q '&lt;svg onload=alert(1)&gt;' map.svg
	grep -q '>free, written to: 64.0 KiB, &lt;0.1 %<' map.svg
	run -1 grep -qP '[\x00-\x08\x0b-\x1f\x7f]' map.svg
}

@test "map: pixels are those of the cells" {
	"$poolmem" map --png map.png "$here/exited/capture.pm" >/dev/null
	python3 - map.png <<-'END'
		import struct, sys, zlib
		data = open(sys.argv[1], "rb").read()
		assert data[:8] == b"\x89PNG\r\n\x1a\n"
		at, chunks = 8, {}
		while at < len(data):
		    length, = struct.unpack(">I", data[at:at + 4])
		    kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
		    assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
		    chunks[kind] = chunks.get(kind, b"") + body
		    at += 12 + length
		width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
		assert (width, depth, colour) == (1056, 8, 3), (width, depth, colour)
		raw, before, rows = zlib.decompress(chunks[b"IDAT"]), bytes(width), []
		for y in range(height):
		    kind, row = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
		    for x in range(width):
		        a, b = row[x - 1] if x else 0, before[x]
		        c = before[x - 1] if x else 0
		        p = a + b - c
		        paeth = min((abs(p - v), n, v) for n, v in enumerate((a, b, c)))[2]
		        row[x] = (row[x] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
		    before = bytes(row)
		    rows.append(before)
		pixel = lambda x, y: "%02x%02x%02x" % tuple(chunks[b"PLTE"][3 * rows[y][x]:3 * rows[y][x] + 3])
		top = next(y for y in range(height) if pixel(17, y) == "fddc7a")
		cells = [pixel(16 + 16 * n + 7, top + 7) for n in range(9)]
		assert cells == ["fddc7a", "a50026", "c7e8f0"] + ["9673c4"] * 3 + ["a9adb3", "e7e9ec", "ffffff"], cells
		assert {pixel(16 + 16 * n + 7, top + 23) for n in range(64)} == {"5a2f8f"}
	END
}

@test "map: pictures, not over other files without -f" {
	run -0 "$poolmem" map --svg map.svg --png map.png "$capture"
	[[ $output == *"What the units are"* && -s map.svg && -s map.png ]]
	cp map.svg before.svg
	for picture in svg png; do
		run -1 --separate-stderr "$poolmem" map --$picture map.$picture "$here/heap/capture.pm"
		[[ -z $output && $stderr == *"map.$picture is there already: give -f to replace it"* ]]
	done
	cmp map.svg before.svg
	"$poolmem" map -f --svg map.svg --png map.png "$here/heap/capture.pm" >/dev/null
	run -1 cmp -s map.svg before.svg
	run -1 "$poolmem" map --svg none/map.svg "$capture"
	run -1 "$poolmem" map --png none/map.png "$capture"
	"$poolmem" map --svg other.svg --json -o map.json "$capture"
	python3 -m json.tool map.json >/dev/null
}
