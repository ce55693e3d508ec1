# SPDX-License-Identifier: MIT
# A trace has each call, in its order, and its replay makes the same calls.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	cd "$out"
	trace=$out/trace.pmt
	python=$(python3 -c 'import sys; print(sys.executable)')
}

recorded()
{
	POOLMEM="dir=$out/segments,trace=$trace" LD_PRELOAD=$lib "$@"
}

printed()
{
	"$poolmem" replay --print "$@" "$trace" >"$out/printed"
}

compared()
{
	python3 "$here/trace.py" "$@"
}

@test "trace: each call of one thread, in its order" {
	recorded "$programs/traced" "$out/log" "$(by_level 40000 400000)" 1
	printed
	compared log "$out/log" "$out/printed"
}

@test "trace: with each kind of recording of call sites" {
	for sites in off all never; do
		rm -f "$trace"
		POOLMEM="dir=$out/segments,trace=$trace,sites=$sites" LD_PRELOAD=$lib \
			"$programs/traced" "$out/log" 5000 2
		printed
		compared log "$out/log" "$out/printed"
	done
}

@test "trace: whole up to the last call when the program kills itself" {
	recorded "$programs/traced" "$out/log" 5000 3 kill || [ $? = 137 ]
	printed
	compared log "$out/log" "$out/printed"
	[ "$(stat -c %s "$trace")" -gt 1000000 ] # nobody cut it
}

# The file is as long as trace.max, and one chunk was given out that nobody wrote to: there is nothing behind it to look for.
@test "trace: of a killed program no more is read than was begun" {
	cat >"$out/reads.c" <<-'END'
		#define _GNU_SOURCE
		#include <stdio.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		static unsigned long reads;
		ssize_t pread(int fd, void *bytes, size_t count, off_t offset)
		{
			reads++;
			return syscall(SYS_pread64, fd, bytes, count, offset);
		}
		ssize_t pread64(int fd, void *bytes, size_t count, off_t offset) __attribute__((alias("pread")));
		__attribute__((destructor)) static void tell(void) { dprintf(9, "%lu", reads); }
	END
	cc -shared -fPIC -O1 -o "$out/reads.so" "$out/reads.c"
	recorded "$programs/traced" "$out/log" 5000 3 kill || [ $? = 137 ]
	python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as file:
    chunks = struct.unpack("<48xI", file.read(52))[0]
    assert chunks < 100 and file.seek(0, 2) >> 16 > 10000, chunks
    file.seek(48)
    file.write(struct.pack("<I", chunks + 1))' "$trace"
	LD_PRELOAD=$out/reads.so "$poolmem" replay --print "$trace" 9>"$out/reads" >"$out/printed"
	compared log "$out/log" "$out/printed"
	[ "$(cat "$out/reads")" -gt 2 ]
	[ "$(cat "$out/reads")" -lt 1000 ]
}

@test "F21 trace: killed at any moment, it can be read, and is how the program began" {
	"$programs/traced" "$out/log" 300000 4
	for ms in 12 20 30 45 60 80; do
		rm -f "$trace"
		POOLMEM="dir=$out/segments,trace=$trace" LD_PRELOAD=$lib \
			"$programs/traced" "$out/other" 300000 4 &
		sleep 0.$ms
		kill -9 $! || true
		wait $! || true
		printed
		grep -q 'malloc 123457' "$out/printed" || continue
		compared prefix "$out/log" "$out/printed"
	done
}

@test "F10 trace: a program that closes all descriptors, and none of ours among them" {
	recorded "$programs/traced" "$out/log" 5000 5 close
	printed
	compared log "$out/log" "$out/printed"
	recorded ls /proc/self/fd >"$out/with"
	ls /proc/self/fd >"$out/without"
	cmp "$out/with" "$out/without"
}

@test "F7 trace: a forked child has calls of its own, in the same file" {
	recorded "$programs/traced" "$out/log" 5000 6 fork
	printed
	compared log "$out/log" "$out/printed"
	printed --process 1
	compared log "$out/log.child" "$out/printed"
}

@test "trace: a program that is executed does not touch the file of the one before, nor does its child" {
	run --separate-stderr recorded "$programs/traced" "$out/log" 5000 7 exec
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	printed
	compared log "$out/log" "$out/printed"
}

@test "F11 trace: a signal handler that asks for blocks" {
	recorded "$programs/traced" "$out/log" 200000 8 handler
	printed
	compared less "$out/log" "$out/printed" 77
}

@test "trace: threads, and blocks that go from one to the other" {
	recorded "$programs/traced" threads 6 "$(by_level 30000 1000000)"
	printed
	compared sound "$out/printed"
	grep -c ' ends$' "$out/printed" | grep -qx 6
	"$poolmem" replay --runs 2 --under poolmem,glibc --lib "$lib" --json "$trace" >"$out/json"
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
r = d["replay"]
assert r["threads"] == 7 and not r["implied"] and not r["unknown"] and d["command"] is None and d["rounds"] == 2, r
assert {a["name"] for a in d["allocators"]} == {"poolmem", "glibc"}
for a in d["allocators"]:
    assert a["state"] == "done" and a["steps"] > 2 * r["calls"] and not a["refused"], a
    assert a["counted"]["live.peak"] == r["live_peak"] and len(a["cpu_ns"]["runs"]) == 2, a' "$out/json"
}

@test "replay: its own trace is the same as the one that it replays" {
	recorded "$programs/traced" "$out/log" "$(by_level 40000 400000)" 9
	printed
	mv "$out/printed" "$out/first"
	mv "$trace" "$out/first.pmt"
	POOLMEM="dir=$out/segments,trace=$trace" "$poolmem" replay --runs 1 --under poolmem --lib "$lib" "$out/first.pmt"
	printed
	compared same "$out/first" "$out/printed"
}

@test "replay: the same of a real program" {
	PYTHONMALLOC=malloc recorded "$python" -c 'import json; print(json.dumps({"a": list(range(9))}))'
	printed
	mv "$out/printed" "$out/first"
	mv "$trace" "$out/first.pmt"
	POOLMEM="dir=$out/segments,trace=$trace" "$poolmem" replay --runs 1 --under poolmem --lib "$lib" "$out/first.pmt"
	printed
	compared same "$out/first" "$out/printed"
}

# again NAME COMMAND...: recorded, and its replay recorded: the same calls in the same order
again()
{
	local name=$1
	shift
	rm -f "$trace" "$out/first.pmt"
	recorded "$@" >/dev/null
	printed
	mv "$out/printed" "$out/first"
	mv "$trace" "$out/first.pmt"
	POOLMEM="dir=$out/segments,trace=$trace" "$poolmem" replay --fast --runs 1 --under poolmem --lib "$lib" "$out/first.pmt" >/dev/null
	printed
	echo "$name: $(wc -l <"$out/first") calls"
	[ "$(wc -l <"$out/first")" -gt 3000 ]
	compared same "$out/first" "$out/printed"
}

@test "replay: the same of a compiler, a database and an interpreter" {
	command -v sqlite3 >/dev/null || skip "no package sqlite3"
	printf '#include <%s>\n' map string >"$out/t.cc"
	echo 'int main() { std::map<std::string, int> words; return words["a"]; }' >>"$out/t.cc"
	g++ -E "$out/t.cc" -o "$out/t.ii"
	again cc1plus "$(g++ -print-prog-name=cc1plus)" -quiet -O"$(by_level 0 2)" -fpreprocessed "$out/t.ii" -o /dev/null
	again sqlite3 sqlite3 :memory: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $(by_level 20000 500000))
		SELECT count(*), max(printf('%.*c', i % 60, 'x')) FROM n;"
	again perl perl -e 'my %h; $h{$_ % 997} .= "x" x ($_ % 50) for 1..$ARGV[0]; print scalar(keys %h)' "$(by_level 20000 500000)"
}

# What redis asks for comes of one thread.
@test "replay: the same of a server" {
	command -v redis-server redis-benchmark >/dev/null || skip "no package redis-server or redis-tools"
	recorded()
	{
		export POOLMEM=dir=$out/segments,trace=$trace
		LD_PRELOAD=$lib redis-server --port 0 --unixsocket "$out/s" --save '' --dir "$out" &
		server=$!
		for _ in $(seq 300); do
			redis-cli -s "$out/s" ping >/dev/null 2>&1 && break
			sleep 0.1
		done
		redis-benchmark -s "$out/s" -q -n "$(by_level 1000 100000)" -t set,get,lpush -P 8 -r 2000
		redis-cli -s "$out/s" shutdown nosave
		wait $server
		unset POOLMEM
	}
	again redis
}

# Pages of 2 MiB would make more resident than is touched.
small_pages()
{
	"$python" -c 'import ctypes, os, sys
assert not ctypes.CDLL(None).prctl(41, 1, 0, 0, 0) # PR_SET_THP_DISABLE
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

# What was resident of large blocks is touched, and no more: half a MiB of 64 blocks of 4 MiB.
@test "replay: large blocks are touched as far as the program did" {
	small_pages env POOLMEM="dir=$out/segments,trace=$trace" LD_PRELOAD="$lib" "$python" -c 'import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(ctypes.c_size_t(4 << 20)) for i in range(64)]
for block in blocks: ctypes.memset(block, 1, 512 << 10)
for block in blocks[::2]: libc.free(ctypes.c_void_p(block))'
	small_pages "$poolmem" replay --runs 1 --under glibc --lib "$lib" --json "$trace" >"$out/json"
	python3 -c 'import json, sys
peak = json.load(open(sys.argv[1]))["allocators"][0]["rss.peak"]["median"]
assert 32 << 20 < peak < 48 << 20, peak' "$out/json"
}

@test "run --trace packs it, and nothing is lost" {
	cd "$out"
	"$poolmem" run -q --lib "$lib" --trace="$trace" -- "$programs/traced" "$out/log" 20000 10
	printed
	compared log "$out/log" "$out/printed"
	lines=$(wc -l <"$out/printed")
	[ "$(stat -c %s "$trace")" -lt $((4 * lines)) ] # bytes a call
	run "$poolmem" run -q --lib "$lib" --trace="$trace" -- true
	[ "$status" = 125 ]
	"$poolmem" run -f -q --lib "$lib" --trace="$trace" -- true
	"$poolmem" run -q --lib "$lib" --trace -- sh -c 'true; ls / >/dev/null; exit 0'
	[ "$(find . -name 'poolmem.sh.*.pmt' | wc -l)" = 2 ]
}

@test "pack: a trace as well, also of a killed program, whose file is as long as trace.max" {
	recorded "$programs/traced" "$out/log" 20000 3 kill || [ $? = 137 ]
	"$poolmem" replay --print "$trace" >"$out/printed"
	"$poolmem" pack "$trace" >"$out/told"
	grep -q "^$out/trace.packed.pmt: .* of .* as recorded; poolmem replay reads it" "$out/told"
	compared log "$out/log" "$out/printed"
	"$poolmem" replay --print trace.packed.pmt | cmp - "$out/printed"
	[ "$(stat -c %s trace.packed.pmt)" -lt $((4 * $(wc -l <"$out/printed"))) ] # bytes a call
	[ "$(stat -c %a trace.packed.pmt)" = 600 ]
	"$poolmem" pack -o - "$trace" 2>"$out/told" | cmp - trace.packed.pmt
	grep -q '^standard output: a trace' "$out/told"
	run -1 "$poolmem" pack "$trace"
	[[ $output == *"trace.packed.pmt is there already: give -f to replace it" ]]
	"$poolmem" pack -f --json "$trace" | python3 -c 'import json, sys
d = json.load(sys.stdin)
assert d["file"] == sys.argv[1] and 0 < d["bytes"] < d["recorded_bytes"] < 1 << 24, d' "$out/trace.packed.pmt"
	run -1 "$poolmem" pack -o "$out/other" trace.packed.pmt
	[[ $output == *"it is packed already, and read anywhere as it is" ]]
	run -1 bash -c '"$0" pack -o - "$1" >/dev/full' "$poolmem" "$trace"
	[[ $output == *"No space left on device" ]]
	head -c 400000 "$trace" >"$out/cut.pmt"
	printf x | dd of="$out/cut.pmt" bs=1 seek=65600 conv=notrunc status=none
	printf x | dd of="$out/cut.pmt" bs=1 seek=131072 conv=notrunc status=none
	run -3 "$poolmem" pack "$out/cut.pmt"
	[ -z "$(find "$out" -name '*cut.packed*' -o -name 'other*')" ]
}

@test "F28 trace: what is there already is not overwritten, nor is a link followed" {
	echo mine >"$trace"
	run --separate-stderr recorded ls /
	[ "$status" = 0 ]
	[[ $stderr == *"trace.pmt: is there already, and is not overwritten"* ]]
	[ "$(cat "$trace")" = mine ]
	rm "$trace"
	ln -s "$out/elsewhere" "$trace"
	run --separate-stderr recorded ls /
	[ ! -e "$out/elsewhere" ]
	trace=$out/none/trace.pmt
	run --separate-stderr recorded ls /
	[ "$status" = 0 ]
	[[ $stderr == *"cannot be written (error 2)"* ]]
}

@test "trace: not with another allocator: it is said, and nothing is written" {
	POOLMEM=dir=$out/segments,heap=next,trace=$trace LD_PRELOAD=$lib /bin/true 2>"$out/err"
	[ "$(cat "$out/err")" = "poolmem: POOLMEM: trace: $trace: is not recorded with heap=next" ]
	[ ! -e "$trace" ]
}

@test "F37 F39 trace: a full disk or a file size limit ends the recording, and the program goes on" {
	for limit in 0 1 100 200 240; do
		rm -f "$trace"
		POOLMEM="dir=$out/segments,trace=$trace" bash -c 'ulimit -f '$limit'; LD_PRELOAD=$0 exec "$@"' \
			"$lib" "$programs/traced" /dev/null 30000 11 2>&1 >/dev/null | cat >"$out/err"
		[ "${PIPESTATUS[0]}" = 0 ]
		if [ $limit -lt 200 ]; then # not even a beginning
			grep -q 'trace.pmt: cannot be written' "$out/err"
			[ "$(wc -l <"$out/err")" = 1 ]
		else # nothing is said where the program's own output may go by now
			[ ! -s "$out/err" ]
			printed
			"$poolmem" replay --fast --runs 1 --under glibc "$trace" | grep -q 'Recording ended before the program did'
		fi
	done
	unshare $mounts_apart true 2>/dev/null || skip "no mounts of one's own here"
	rm -f "$trace"
	unshare $mounts_apart bash -c 'mkdir "$0/small"; mount -t tmpfs -o size=300k none "$0/small" || exit 77
		export POOLMEM=dir=$0/segments,trace=$0/small/t.pmt
		LD_PRELOAD=$1 "$2" "$0/log" 300000 11 2>"$0/err" || exit 1
		cp --sparse=always "$0/small/t.pmt" "$3"' "$out" "$lib" "$programs/traced" "$trace"
	[ ! -s "$out/err" ]
	printed
	[ "$(compared prefix "$out/log" "$out/printed")" -gt 10000 ]
}

@test "F33 replay: a trace that was cut or changed is refused with a sentence, or read as far as it is sound" {
	recorded "$programs/traced" "$out/log" 9000 12
	python3 "$here/trace_hostile.py" "$poolmem" "$trace" "$out" "$(by_level 60 2000)"
	rm "$trace"
	"$poolmem" run -q --lib "$lib" --trace="$trace" -- "$programs/traced" "$out/log" 9000 12
	python3 "$here/trace_hostile.py" "$poolmem" "$trace" "$out" "$(by_level 60 2000)"
	head -c $(($(stat -c %s "$trace") / 2)) "$trace" >"$out/cut.pmt"
	run "$poolmem" replay "$out/cut.pmt"
	[[ $status == 0 || $output == *"$out/cut.pmt: "* ]]
	run "$poolmem" replay "$out/log"
	[ "$status" = 3 ]
	[ "$output" = "poolmem: $out/log: this is no trace; \`poolmem run --trace -- PROGRAM\` records one" ]
	run "$poolmem" replay --process 9 "$trace"
	[ "$status" = 1 ]
	run "$poolmem" replay --under nobody "$trace"
	[ "$status" = 2 ]
	run "$poolmem" replay --under glib "$trace"
	[ "$status" = 2 ]
	[[ $output == *"there is no allocator 'glib'; did you mean 'glibc'?"* ]]
	run "$poolmem" replay -o /dev/full --print "$trace"
	[ "$status" = 1 ]
}

@test "run --trace: where there was no room it is said" {
	POOLMEM=trace.max=1M,dir=$out/segments "$poolmem" run -q --lib "$lib" --trace="$trace" -o "$out/a.pm" -- "$programs/traced" /dev/null 300000 11 2>"$out/err"
	grep -q 'recording ended before the program did' "$out/err"
}

@test "run --trace: what cannot be written is told before the program runs" {
	run "$poolmem" run --lib "$lib" --trace="$out/none/a.pmt" -- touch "$out/ran"
	[ "$status" = 125 ]
	[ "$output" = "poolmem: no trace can be written to $out/none/: No such file or directory" ]
	[ ! -e "$out/ran" ]
}

@test "replay: table and sentences are those of compare, within 80 columns" {
	recorded "$programs/traced" "$out/log" 3000 13
	"$poolmem" replay --lib "$lib" --under glibc,poolmem,gone="$out/none.so" --runs 4 "$trace" >"$out/printed"
	run ! grep -q '.\{81\}' "$out/printed"
	grep -q '^  allocator .*CPU .*time  *peak RSS' "$out/printed"
	grep -q '^For memory pick ' "$out/printed"
	grep -q '^For time pick ' "$out/printed"
	grep -q '^gone was skipped: .*none.so' "$out/printed"
	"$poolmem" replay --lib "$lib" --under glibc,poolmem --speed --runs 1 "$trace" >"$out/printed"
	run ! grep -q 'memory' "$out/printed"
	grep -q '^  glibc .* -  ' "$out/printed"
	run "$poolmem" replay --lib "$lib" --under gone="$out/none.so" "$trace"
	[ "$status" = 1 ]
}

@test "trace: threads that go on while the process ends do not find it full" {
	cat >"$out/busy.c" <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		#include <unistd.h>
		static void *work(void *seed)
		{
			void *block[64] = {0};
			for (unsigned i = (unsigned)(size_t)seed;; i = i * 1103515245 + 12345) {
				free(block[i >> 8 & 63]);
				block[i >> 8 & 63] = malloc((i >> 16) % 500 + 1);
			}
			return NULL;
		}
		int main(void)
		{
			pthread_t thread;
			for (size_t i = 0; i < 4; i++)
				pthread_create(&thread, NULL, work, (void *)(i + 1));
			usleep(20000);
			return 0;
		}
	END
	cc -O1 -pthread -fno-builtin -o "$out/busy" "$out/busy.c"
	for run in $(seq "$(by_level 10 100)"); do
		rm -f "$trace"
		recorded "$out/busy"
		# bit 1 of the flags: there was no room
		python3 -c 'import struct, sys; assert not struct.unpack("<28xI", open(sys.argv[1], "rb").read(32))[0] & 2' "$trace"
	done
}

@test "replay: the script has no name, and nothing stays of it when its making is ended" {
	recorded "$programs/traced" "$out/log" 400000 14
	mkdir "$out/tmp"
	for ms in 00 02 05 10 15; do
		TMPDIR=$out/tmp "$poolmem" replay --runs 1 --fast --under glibc "$trace" >"$out/printed" 2>&1 &
		sleep 0.$ms
		[ -z "$(ls "$out/tmp")" ]
		kill -KILL $! || true
		wait $! || true
		[ -z "$(ls "$out/tmp")" ]
	done
}

@test "replay: of a TMPDIR that is none, it is TMPDIR that is named" {
	recorded "$programs/traced" "$out/log" 100 14
	run -1 env TMPDIR=/no/such/place "$poolmem" replay --runs 1 --fast --under glibc "$trace"
	[ "$output" = "poolmem: TMPDIR=/no/such/place: the script of the replay cannot be there: No such file or directory" ]
}

@test "replay: nothing stays when it is ended from outside" {
	cat >"$out/slow.c" <<-'END'
		#include <stdlib.h>
		#include <unistd.h>
		int main(void)
		{
			for (int i = 0; i < 100; i++, usleep(100000))
				free(malloc(i + 1));
			return 0;
		}
	END
	cc -O1 -fno-builtin -o "$out/slow" "$out/slow.c"
	recorded "$out/slow" &
	sleep 2
	kill -KILL $!
	wait $! || true
	for signal in TERM KILL; do
		TMPDIR=$out "$poolmem" replay --runs 50 --under glibc "$trace" >"$out/printed" 2>&1 &
		pid=$!
		for _ in $(seq 200); do
			replayer=$(pgrep -P $pid poolmem-replay) && break
			sleep 0.02
		done
		[ -n "$replayer" ]
		kill -$signal $pid
		wait $pid || true
		for _ in $(seq 100); do [ ! -e "/proc/$replayer/maps" ] && break; sleep 0.02; done
		run ! grep -q . "/proc/$replayer/maps" 2>/dev/null
		[ -z "$(find "$out" -name '*.script')" ]
	done
}

# slowly MS...: leaves a trace of a program that makes calls after each of these times, so many that the time is noted
slowly()
{
	cat >"$out/slowly.c" <<-'END'
		#include <stdlib.h>
		#include <unistd.h>
		int main(int count, char **ms)
		{
			for (int i = 1; i < count; i++) {
				usleep((unsigned)atoi(ms[i]) * 1000);
				for (int k = 0; k < 16; k++)
					free(malloc((size_t)i * 100));
			}
			return 0;
		}
	END
	cc -O1 -fno-builtin -o "$out/slowly" "$out/slowly.c"
	rm -f "$trace"
	recorded "$out/slowly" "$@"
	rm "$out/segments"/*
}

# scratch_of PID: the directory of a replay that runs
scratch_of()
{
	local found
	for _ in $(seq 500); do
		found=$(readlink /proc/"$1"/fd/* | grep '/poolmem-replay-') && echo "$found" && return
		sleep 0.01
	done
	return 1
}

@test "replay: no segment is left, whoever ends it; what a killed one left goes with the next" {
	slowly 0 0
	POOLMEM=dir=$out/segments "$poolmem" replay --runs 2 --fast --lib "$lib" --under glibc,poolmem "$trace" >"$out/printed"
	POOLMEM=dir=$out/segments "$poolmem" replay --runs 1 --fast --lib "$lib" --what-if purge=0 "$trace" >"$out/printed"
	[ -z "$(ls "$out/segments")" ]
	slowly 0 3000
	for signal in INT TERM KILL; do
		# python: a shell starts what is in the background with SIGINT ignored.  Off: a replay takes place all the same.
		POOLMEM=off python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.argv[1], sys.argv[1:])' "$poolmem" replay --runs 1 --lib "$lib" --under poolmem "$trace" >"$out/printed" 2>&1 &
		pid=$!
		scratch=$(scratch_of $pid)
		for _ in $(seq 500); do
			[ -n "$(ls "$scratch")" ] && break
			sleep 0.01
		done
		[[ $(ls "$scratch") == *.pms ]]
		kill -$signal $pid
		wait $pid || true
		[ $signal = KILL ] || [ ! -e "$scratch" ]
	done
	[ -d "$scratch" ]
	slowly 0 0
	"$poolmem" replay --runs 1 --fast --under glibc "$trace" >"$out/printed"
	[ ! -e "$scratch" ]
}

@test "replay: an interrupt shows the replays that were finished" {
	slowly 0 50
	cat >"$out/interrupts.py" <<-'END'
		import os, signal, subprocess, sys, time
		number, after, command = getattr(signal, "SIG" + sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
		signal.signal(signal.SIGINT, signal.default_int_handler)
		p, seen = subprocess.Popen(command), set()
		while len(seen) < after:    # replays that began
		    assert p.poll() is None, "it has ended"
		    for child in open(f"/proc/{p.pid}/task/{p.pid}/children").read().split():
		        try:
		            if "poolmem-replay" in open(f"/proc/{child}/cmdline").read():
		                seen.add(child)
		        except OSError:
		            pass
		p.send_signal(number)
		assert p.wait() == -number, p.returncode
	END
	for signal in INT TERM; do
		python3 "$out/interrupts.py" $signal 6 "$poolmem" replay --runs 50 --lib "$lib" --under glibc,poolmem --json -o "$out/json" "$trace"
		python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert d["interrupted"] == sys.argv[2] and d["runs"] == 50 and 2 <= d["rounds"] < 50, d
for a in d["allocators"]:
    assert a["state"] == "done" and a["why"] is None and d["rounds"] <= len(a["cpu_ns"]["runs"]) <= d["rounds"] + 1, a' "$out/json" $signal
		rm "$out/json"
	done
	python3 "$out/interrupts.py" INT 4 "$poolmem" replay --lib "$lib" --under glibc,poolmem -o "$out/table" "$trace"
	tr -s ' \n' ' ' <"$out/table" | grep -Eq 'Interrupted \(SIGINT\) after [12] of 8 rounds: these are the runs that were finished\.'
	grep -Eq '^  poolmem +[0-9]' "$out/table"
	python3 "$out/interrupts.py" INT 4 "$poolmem" replay --lib "$lib" --what-if -o "$out/what-if" purge=0 "$trace"
	grep -q 'Interrupted (SIGINT) after [12] of 8 rounds' "$out/what-if"
	slowly 0 3000
	python3 "$out/interrupts.py" TERM 1 "$poolmem" replay --under glibc -o "$out/none" "$trace" 2>"$out/err"
	[ "$(cat "$out/err")" = "poolmem: interrupted before the first replay ended" ]
	[ ! -e "$out/none" ]
}

@test "replay: what does not end in time is ended, and told; the rest goes on" {
	slowly 0 3000
	run -1 "$poolmem" replay --timeout 700ms --runs 1 --under glibc "$trace"
	[ "$output" = "poolmem: glibc: it did not end within 700 ms (--timeout)" ]
	run -1 "$poolmem" replay --timeout 300ms --runs 1 --lib "$lib" --under "glibc,gone=$out/gone.so,poolmem" "$trace"
	[[ $output == "poolmem: glibc, poolmem: it did not end within 300 ms (--timeout); gone: "*"gone.so"* ]]
	cat >"$out/sleeps.c" <<-'END'
		#include <stddef.h>
		#include <unistd.h>
		void *__libc_malloc(size_t size);
		void *malloc(size_t size) { return __libc_malloc(size); }
		__attribute__((constructor)) static void sleeps(void) { sleep(30); }
	END
	cc -shared -fPIC -O1 -o "$out/sleeps.so" "$out/sleeps.c"
	slowly 0 0
	"$poolmem" replay --timeout 2 --runs 2 --fast --under glibc,sleeps="$out/sleeps.so" "$trace" >"$out/printed"
	grep -q '^sleeps failed: it did not end within 2 seconds (--timeout)$' "$out/printed"
	grep -Eq '^  glibc +[0-9]' "$out/printed"
	for wrong in 0 -1 x 1y; do
		run -2 "$poolmem" replay --timeout "$wrong" "$trace"
		[[ $output == *"--timeout '$wrong': "* ]]
	done
}

@test "replay: a thousand threads, most of which wait for others" {
	cat >"$out/crowd.c" <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		enum { THREADS = 1000, BLOCKS = 20 };
		static pthread_barrier_t all;
		static void *work(void *number)
		{
			void *block[BLOCKS];
			for (size_t i = 0; i < BLOCKS; i++)
				block[i] = malloc((size_t)number % 300 + i);
			pthread_barrier_wait(&all);
			for (size_t i = 0; i < BLOCKS; i++)
				free(block[i]);
			return malloc((size_t)number);
		}
		int main(void)
		{
			pthread_t thread[THREADS];
			pthread_attr_t small;
			void *left;
			pthread_attr_init(&small);
			pthread_attr_setstacksize(&small, 65536);
			pthread_barrier_init(&all, NULL, THREADS);
			for (size_t i = 0; i < THREADS; i++)
				if (pthread_create(&thread[i], &small, work, (void *)(i + 1)))
					return 1;
			for (size_t i = 0; i < THREADS; i++, free(left))
				pthread_join(thread[i], &left);
			return 0;
		}
	END
	cc -O1 -fno-builtin -pthread -o "$out/crowd" "$out/crowd.c"
	recorded "$out/crowd" || skip "1,000 threads cannot be had here"
	"$poolmem" replay --fast --runs 1 --timeout 100 --lib "$lib" --under glibc,poolmem --json "$trace" >"$out/json"
	# A thread that waits is asleep longer each time: those that do not wait have the processors.
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert d["replay"]["threads"] == 1001 and d["replay"]["calls"] > 42000, d["replay"]
for a in d["allocators"]:
    assert a["state"] == "done" and a["steps"] > 42000 and not a["refused"], a' "$out/json"
}

# Stacks and tables of the replay are none of an allocator's memory, whether they were there before or came with the thread.
@test "replay: five hundred threads that ask for little take little, and the first of them that waits sleeps" {
	cat >"$out/many.c" <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		#include <unistd.h>
		enum { THREADS = 500 };
		static pthread_barrier_t all;
		static void *work(void *unused)
		{
			void *block = malloc(300);
			pthread_barrier_wait(&all);
			free(block);
			return unused;
		}
		static void *last(void *unused)
		{
			usleep(500000);
			for (int i = 0; i < 16; i++)
				free(malloc(100));
			return unused;
		}
		int main(void)
		{
			pthread_t thread[THREADS + 1];
			pthread_attr_t small;
			pthread_attr_init(&small);
			pthread_attr_setstacksize(&small, 65536);
			pthread_barrier_init(&all, NULL, THREADS);
			for (size_t i = 0; i < THREADS; i++)
				if (pthread_create(&thread[i], &small, work, NULL))
					return 1;
			for (size_t i = 0; i < THREADS; i++)
				pthread_join(thread[i], NULL);
			pthread_create(&thread[THREADS], &small, last, NULL);
			pthread_join(thread[THREADS], NULL);
			return 0;
		}
	END
	cc -O1 -fno-builtin -pthread -o "$out/many" "$out/many.c"
	recorded "$out/many" || skip "500 threads cannot be had here"
	cat >"$out/yields.c" <<-'END'
		#include <stddef.h>
		#include <stdlib.h>
		void *__libc_malloc(size_t size);
		void *malloc(size_t size) { return __libc_malloc(size); }
		int sched_yield(void)
		{
			static unsigned yields;
			if (__atomic_add_fetch(&yields, 1, __ATOMIC_RELAXED) > 200000)
				abort();
			return 0;
		}
	END
	cc -shared -fPIC -O1 -o "$out/yields.so" "$out/yields.c"
	for fast in "" --fast; do
		"$poolmem" replay $fast --runs 1 --under glibc,yields="$out/yields.so" --json "$trace" >"$out/json"
		python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert d["replay"]["threads"] == 502, d["replay"]
for a in d["allocators"]:
    assert a["state"] == "done", a
    assert a["rss.mean"]["median"] <= a["rss.peak"]["median"] < 2 << 20 and a["rss.end"]["median"] < 2 << 20, a
    assert a["faults"]["median"] < 1000, a' "$out/json"
	done
}

@test "replay --what-if: of too few replays nothing is known" {
	slowly 0 0
	what_if="$poolmem replay --what-if --fast --lib $lib"
	$what_if --runs 1 --json purge=0 purge=50 "$trace" >"$out/json"
	python3 -c 'import json, sys
w = json.load(open(sys.argv[1]))["what_if"]
assert [v["verdict"] for v in w["values"]] == ["unknown"] * 2 and w["best"] is None, w
assert w["runs_min"] == 6 and abs(w["told_below"] - 0.005) < 1e-9, w' "$out/json"
	$what_if --runs 5 purge=0 purge=50 "$trace" | tr -s ' \n' ' ' >"$out/text"
	grep -q 'Free memory given back at once: too few replays to tell a difference\.' "$out/text"
	grep -q 'so few replays part nothing from chance; it takes 6 of each, see --runs' "$out/text"
	grep -q 'purge=0 ? ' "$out/text"
	$what_if --runs 6 purge=0 purge=50 "$trace" >"$out/text"
	run ! grep -q 'few replays' "$out/text"
}

@test "replay -o: what is there stays, unless asked; the trace stays in any case" {
	slowly 0 0
	cp "$trace" kept.pmt
	echo mine >mine
	run -1 "$poolmem" replay --runs 1 --fast --under glibc -o mine "$trace"
	[ "$output" = "poolmem: mine is there already: give -f to replace it" ]
	run -1 "$poolmem" replay --print -o mine "$trace"
	run -1 "$poolmem" replay --runs 1 --fast --lib "$lib" --what-if -o mine purge=0 "$trace"
	[ "$(cat mine)" = mine ]
	"$poolmem" replay --runs 1 --fast --under glibc -f -o mine "$trace"
	grep -q '^  glibc' mine
	"$poolmem" replay --print --force -o mine "$trace"
	grep -q ' malloc ' mine
	ln -s "$trace" link.pmt
	for same in "$trace" ./trace.pmt link.pmt; do
		run -2 "$poolmem" replay -f --print -o "$same" "$trace"
		[[ $output == "poolmem replay: -o '$same' is the trace itself"* ]]
	done
	cmp "$trace" kept.pmt
}

@test "replay: of a trace without a call there is nothing to say; long names stay within the table" {
	cat >"$out/idle.c" <<-'END'
		int main(void) { return 0; }
	END
	cc -o "$out/idle" "$out/idle.c"
	recorded "$out/idle"
	run -1 "$poolmem" replay --runs 1 --under glibc "$trace"
	[ "$output" = "poolmem: $trace: the trace holds no call" ]
	slowly 0 0
	name=an_allocator_of_a_name_that_is_as_long_as_a_line_of_a_terminal_is
	"$poolmem" replay --lib "$lib" --fast --runs 2 --under "glibc,glibc-1-arena,$name=$lib" "$trace" >"$out/printed"
	run -1 grep '.\{81\}' "$out/printed"
	grep -q '^  an_allocat... ' "$out/printed"
	grep -q "$name" "$out/printed" # in the sentences
}
