# SPDX-License-Identifier: MIT
# `poolmem compare`: rankings that are known, allocators that fail or are missing, a server; what it costs is the kernel's to say.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	ulimit -c 0
	cd "$BATS_TEST_TMPDIR" || return 1
	unset POOLMEM
}

compare()
{
	"$poolmem" compare --lib "$lib" "$@"
}

no_leftovers()
{
	[ -z "$(find /dev/shm -maxdepth 1 -name 'poolmem-compare-*' -newer "$1" -user "$(id -u)")" ]
}

@test "compare: an allocator that hoards is last for memory, and that is sure" {
	touch began
	compare --only glibc,poolmem,hoard --with hoard="$programs/libhoard.so" --json -o out.json -- "$programs/fragments" 60000
	python3 - out.json <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		rows = {r["name"]: r for r in d["allocators"]}
		assert set(rows) == {"glibc", "poolmem", "hoard"} and all(r["state"] == "done" for r in rows.values())
		assert all(len(r[k]["runs"]) == 8 and r[k]["least"] <= r[k]["median"] <= r[k]["most"]
		           for r in rows.values() for k in ("time_ns", "cpu_ns", "rss.peak", "rss.end", "rss.mean", "faults")
		           if r[k] or k not in ("rss.end", "rss.mean")) # of a short run they are not known
		peak = {n: r["rss.peak"]["median"] for n, r in rows.items()}
		assert peak["hoard"] > 2 * peak["glibc"] and d["memory"]["pick"] != "hoard"
		assert (d["memory_at_end"] is None) == any(r["rss.end"] is None for r in rows.values())
		assert "hoard" not in d["memory"]["as_good"] and d["memory"]["sure"] == "sure" and d["memory"]["p"] < 0.01
		# 60,000 blocks come, half of them twice: so much was live, and more was held.
		for name in ("glibc", "poolmem"):
		    c = rows[name]["counted"]
		    assert 90000 <= c["alloc.count"] <= 90100, c
		    assert 60000 * 125 <= c["live.peak"] <= 60000 * 170, c
		    assert 1 <= c["fragmentation_at_peak"] < 3, c
		assert rows["hoard"]["counted"] is None and "malloc_usable_size" in rows["hoard"]["why"]
		assert all(len(r["rss_over_time"]) > 0 for r in rows.values())
	END
	no_leftovers began
}

# TMPDIR stands for /dev/shm where that is not to be written; both are looked through.
@test "compare: a directory of somebody else that is called as its own stays, with all that is in it" {
	theirs=$(mktemp -d /dev/shm/poolmem-compare-XXXXXX)
	echo mine >"$theirs/mine"
	compare --runs 1 --only glibc,poolmem -- true >out
	[ "$(cat "$theirs/mine")" = mine ]
	touch "$theirs/.poolmem-scratch" # and one with the mark goes
	compare --runs 1 --only glibc,poolmem -- true >out
	[ ! -e "$theirs" ]
}

@test "compare: what the shell had started that became poolmem goes on" {
	bash -c 'sleep 60 & echo $! >pid; exec "$@"' bash "$poolmem" compare --lib "$lib" --runs 1 --only glibc,poolmem -- true >out
	kill "$(cat pid)"
}

# The bare programs, by another program's count.
@test "compare: ranks by peak as time does" {
	command -v /usr/bin/time >/dev/null || skip "no package time"
	compare --runs 3 --json --with hoard="$programs/libhoard.so" -- "$programs/fragments" >out.json
	python3 - out.json "$programs/fragments" <<-'END'
		import json, os, statistics, subprocess, sys
		def peak(row):
		    env = dict(os.environ)
		    if row["library"] and not row["library"].endswith("libc.so.6"):
		        env["LD_PRELOAD"] = row["library"]
		    if row["variable"]:
		        env.update([row["variable"].split("=")])
		    runs = [int(subprocess.run(["/usr/bin/time", "-f", "%M", "env", *(f"{k}={env[k]}" for k in ("LD_PRELOAD", "MALLOC_ARENA_MAX") if k in env),
		                                sys.argv[2]], capture_output=True, text=True, check=True).stderr.split()[-1]) for _ in range(3)]
		    return statistics.median(runs) * 1024
		rows = [r for r in json.load(open(sys.argv[1]))["allocators"] if r["state"] == "done"]
		ours, theirs = {r["name"]: r["rss.peak"]["median"] for r in rows}, {r["name"]: peak(r) for r in rows}
		print(ours, theirs)
		assert len(ours) >= 4
		for a in ours:
		    assert abs(ours[a] / theirs[a] - 1) < 0.03, a
		    for b in ours:    # what differs by more than chance does is in the same order
		        assert ours[a] >= ours[b] or theirs[a] < theirs[b] * 1.01, (a, b)
	END
}

@test "compare: one that fails and one that is missing are told, the rest goes on" {
	compare --runs 2 --only glibc,aborts,gone,poolmem --with aborts="$programs/libaborts.so" --with gone="$PWD/nowhere.so" \
		-- "$programs/fragments" 1000 >lines
	tr -s ' \n' ' ' <lines >out
	grep -q 'aborts failed: killed by SIGABRT' out
	grep -q 'gone was skipped: .*nowhere.so: No such file' out
	grep -Eq '^  glibc +[0-9]' lines
	grep -Eq '^  poolmem +[0-9]' lines
	grep -q 'Not sure at all: 2 runs of each prove' out
}

@test "compare: what is not installed is named with its package" {
	LD_LIBRARY_PATH= compare --runs 1 --json -- true >out.json
	python3 - out.json <<-'END'
		import json, sys
		rows = {r["name"]: r for r in json.load(open(sys.argv[1]))["allocators"]}
		assert list(rows) == ["glibc", "glibc-1-arena", "jemalloc", "mimalloc", "tcmalloc", "tbbmalloc", "poolmem"]
		for r in rows.values():
		    assert r["state"] in ("done", "missing")
		    assert r["state"] == "done" or r["package"] in r["why"], r
		assert rows["glibc-1-arena"]["variable"] == "MALLOC_ARENA_MAX=1"
	END
}

@test "compare: a server is started, waited for, loaded and stopped" {
	cp "$here/serves.py" .
	compare --runs 2 --only glibc,poolmem --ready 'test -S s' --load 'python3 serves.py ask s 20000' --stop USR1 --json \
		-- python3 serves.py serve s >out.json
	python3 - out.json <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d["is_server"] and [r["state"] for r in d["allocators"]] == ["done", "done"], d
		assert all(r["rss.end"]["median"] > 4e6 and r["time_ns"]["median"] > 1e6 for r in d["allocators"])
	END
	[ ! -e s ]
	run ! pgrep -f "serves.py serve s" >/dev/null
}

@test "compare: a server whose load fails has failed" {
	cp "$here/serves.py" .
	compare --runs 1 --only glibc --ready 'test -S s' --load 'rm -f s; exit 3' --stop TERM -- python3 serves.py serve s 2>err || [ $? = 1 ]
	grep -q 'its load ended with exit code 3' err
}

@test "compare: redis under its benchmark" {
	command -v redis-server redis-benchmark >/dev/null || skip "no package redis-server or redis-tools"
	compare --runs 1 --only glibc,jemalloc,poolmem --ready "redis-cli -s $PWD/r ping" --load "redis-benchmark -s $PWD/r -q -n 5000 -t set,get" --markdown \
		-- redis-server --port 0 --unixsocket "$PWD/r" --save '' --dir "$PWD" >out
	grep -Eq '^\| glibc \|' out
	grep -Eq '^\| poolmem \|' out
	[ "$(grep -c '^| glibc |' out)" = 2 ]
}

# As Debian's redis brings jemalloc: in the row of glibc it is libc's malloc that must serve.
@test "compare: a program that is linked with an allocator runs under each of them all the same" {
	jemalloc=$(ldconfig -p | sed -n 's/.*libjemalloc.so.2 .*=> //p' | head -1)
	[ -n "$jemalloc" ] || skip "no package libjemalloc2"
	cat >who.c <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <stdio.h>
		#include <stdlib.h>
		int main(void)
		{
			Dl_info who;
			void *volatile block = malloc(100);
			FILE *file = fopen("served", "a");
			dladdr(dlsym(RTLD_DEFAULT, "malloc"), &who);
			fprintf(file, "%s\n", who.dli_fname);
			fclose(file);
			free(block);
			return 0;
		}
	END
	cc -w -o who who.c -Wl,--no-as-needed "$jemalloc" -ldl
	compare --runs 1 --only glibc -- ./who >out
	[ "$(sed -n 1p served | grep -c libjemalloc)" = 1 ] # as it is
	[ "$(sed -n 2p served | grep -c 'libc\.so')" = 1 ]
	[ "$(sed -n 3p served | grep -c libpoolmem)" = 1 ]
}

@test "compare: input from a file is read anew, output goes nowhere or to stderr" {
	printf 'one\ntwo\n' >input
	compare --runs 2 --only glibc --output-of-program -- sh -c 'cat; cat >&2' <input >out 2>err
	[ "$(grep -c '^two$' err)" -ge 4 ]
	run ! grep -q '^two$' out
}

@test "compare: pictures, files that are there, and what cannot be asked for" {
	compare --runs 1 --only glibc,poolmem --svg rss.svg -o out -- "$programs/fragments"
	grep -q '<polyline' rss.svg
	grep -q '>poolmem<' rss.svg
	python3 -c 'import xml.dom.minidom, sys; xml.dom.minidom.parse("rss.svg")'
	run -1 compare --runs 1 --only glibc --svg rss.svg -- true
	run -2 compare --only nobody -- true
	run -2 compare --with noequal -- true
	run -2 compare --runs 0 -- true
	run -2 compare --ready true -- true
	run -2 compare --stop NOSUCH -- true
	run -2 compare
	run -1 compare --runs 1 --only glibc -- "$PWD/nothere"
}

@test "compare: an interrupt ends all, and leaves nothing" {
	touch began
	"$poolmem" compare --lib "$lib" --only glibc -- sleep 60.25 >out 2>&1 &
	compared=$!
	for ((i = 0; i < 100; i++)); do
		pgrep -P $compared >/dev/null && break
		sleep 0.1
	done
	kill -TERM $compared
	wait $compared && false || [ $? = 143 ]
	run ! pgrep -f 'sleep 60.25' >/dev/null
	no_leftovers began
}

# Looks come at 1, 3, 7 ... 255 ms: the last one is long before the end.
@test "compare: of a program that is over before it could be looked at, what was not seen is not told" {
	run compare --runs 2 --interval 60000 --only glibc,poolmem --json -- sh -c 'sleep 0.4; exit 3'
	[ "$status" = 0 ]
	python3 -c 'import json, sys
d = json.loads(sys.argv[1])
for r in d["allocators"]:
    assert r["rss.end"] is None and r["counted"]["resident_at_end"] is None and r["counted"]["live_at_end"] is None, r' "$output"
	compare --runs 2 --only glibc,poolmem -- sh -c 'exit 3' | tr -s ' \n' ' ' >out
	grep -q 'ended with exit code 3, in these runs as by itself' out
}

@test "compare: what does not end is ended, and told by what it was" {
	run compare --only glibc --timeout 1 -- sh -c 'sleep 61.25; true'
	[ "$status" = 1 ]
	[[ $output == "poolmem: sh: it did not end within 1 second (--timeout)" ]]
	run compare --only glibc --timeout 300ms -- sh -c 'sleep 61.25; true'
	[ "$status" = 1 ]
	[[ $output == "poolmem: sh: it did not end within 300 ms (--timeout)" ]]
	run compare --only glibc --timeout 1 --ready 'exit 7' --load true -- sleep 61.25
	[ "$status" = 1 ]
	[[ $output == *"not ready after 1 second: --ready 'exit 7' still ended with exit code 7 (--timeout)" ]]
	run compare --only glibc --timeout 1 --ready 'sleep 61.25; true' --load true -- sleep 61.25
	[ "$status" = 1 ]
	[[ $output == *"--ready 'sleep 61.25; true' did not end (--timeout)" ]]
	run compare --only glibc --timeout 1 --load 'sleep 61.25; true' -- sleep 61.25
	[ "$status" = 1 ]
	[[ $output == *"--load 'sleep 61.25; true' did not end within 1 second (--timeout)" ]]
	run ! pgrep -f 'sleep 61.25' >/dev/null # nor what these started
	compare --runs 2 --only glibc,jemalloc,poolmem --timeout 1 -- sh -c '[ -z "$LD_PRELOAD" ] || sleep 61.5' >out
	grep -q '^poolmem failed: it did not end within 1 second (--timeout)' out
	grep -q '^  glibc ' out
	run -2 compare --timeout 0 -- true
}

@test "compare: no daemon outlives its run" {
	run compare --only glibc --timeout 1 -- sh -c 'setsid -f sleep 61.75; sleep 61.75; true'
	[ "$status" = 1 ]
	[[ $output == "poolmem: sh: it did not end within 1 second (--timeout)" ]]
	run ! pgrep -f 'sleep 61.75' >/dev/null
	compare --runs 2 --only glibc,poolmem -- sh -c 'setsid -f sleep 61.75; true' >out
	run ! pgrep -f 'sleep 61.75' >/dev/null
}

@test "compare: an interrupt shows the rounds that were finished" {
	touch began
	for signal in INT TERM; do
		rm -f runs
		# python: a shell starts what is in the background with SIGINT ignored
		python3 - "$poolmem" "$lib" $signal >got <<-'END'
			import json, os, signal, subprocess, sys, time
			number = getattr(signal, "SIG" + sys.argv[3])
			p = subprocess.Popen([sys.argv[1], "compare", "--lib", sys.argv[2], "--only", "glibc,glibc-1-arena,poolmem", "--json", "--runs", "50",
			                      "--", "sh", "-c", "echo >>runs; sleep 0.05"], stdout=subprocess.PIPE)
			while not os.path.exists("runs") or len(open("runs").read()) < 9:    # one before all, two rounds, and two more
			    time.sleep(0.01)
			p.send_signal(number)
			d = json.loads(p.communicate()[0])
			assert p.returncode == -number, p.returncode
			assert d["interrupted"] == sys.argv[3] and d["runs"] == 50 and 2 <= d["rounds"] < 10, d
			for a in d["allocators"]:
			    assert a["state"] == "done" and a["why"] is None, a
			    assert d["rounds"] <= len(a["time_ns"]["runs"]) <= d["rounds"] + 1, a
		END
	done
	no_leftovers began
	python3 - "$poolmem" "$lib" >got 2>err <<-'END'
		import os, signal, subprocess, sys, time
		p = subprocess.Popen([sys.argv[1], "compare", "--lib", sys.argv[2], "--only", "glibc,poolmem", "-o", "table",
		                      "--", "sh", "-c", "echo >>started; sleep 0.05"])
		while not os.path.exists("started") or len(open("started").read()) < 7:
		    time.sleep(0.01)
		p.send_signal(signal.SIGINT)
		assert p.wait() == -signal.SIGINT
	END
	tr -s ' \n' ' ' <table | grep -Eq 'Interrupted \(SIGINT\) after [123] of 8 rounds: these are the runs that were finished\.'
	grep -Eq '^  glibc +[0-9]' table
}

@test "compare: --only does not drop what --with brings, and a name that is nearly right is offered" {
	compare --runs 1 --only glibc --with hoard="$programs/libhoard.so" --json -- true >out.json
	python3 -c 'import json; assert [a["name"] for a in json.load(open("out.json"))["allocators"]] == ["glibc", "hoard"]'
	run -2 compare --only glibc,jemaloc -- true
	[[ $output == *"--only: there is no allocator 'jemaloc'; did you mean 'jemalloc'?"* ]]
}

@test "compare: one run has no spread; scripts and several programs are told; so is the exit code" {
	printf '#!/bin/sh\nsh -c "exit 0"; sh -c "sleep 0.1"; exit 3\n' >script
	chmod +x script
	compare --runs 1 --only glibc,poolmem -- ./script >out
	grep -Eq '^  glibc .* -  ' out
	run ! grep -q '0.0 %' out
	tr -s ' \n' ' ' <out >line
	grep -q 'One run of each: one has no spread' line
	grep -q 'The command is a script: it is its interpreter that was measured' line
	grep -Eq 'More than one program ran \([3-9], forks counted\): resident memory is the sum' line
	compare --runs 2 --only glibc,poolmem -- "$programs/fragments" 1000 >out
	run ! grep -Eq 'script|More than one|One run' out
	compare --runs 1 --only glibc --json -- ./script >out.json
	python3 -c 'import json; d = json.load(open("out.json")); assert d["exit_code"] == 3 and d["is_script"] and d["allocators"][0]["counted"]["programs"] >= 3'
}

@test "compare: on a terminal what is said is broken between words" {
	cat >terminal.py <<-'END'
		import os, pty, sys
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		seen = b""
		try:
		    while piece := os.read(terminal, 4096):
		        seen += piece
		except OSError:
		    pass
		os.waitpid(pid, 0)
		lines = seen.decode().split("\r\n")
		assert len(lines) >= 3 and max(map(len, lines)) <= 80, lines
		assert lines[1].startswith("  ") and "--ready 'exit 7'" in " ".join(line.strip() for line in lines), lines
	END
	python3 terminal.py "$poolmem" compare --lib "$lib" --only glibc --timeout 1 --ready 'exit 7' --load true -- sleep 61.75
}

# A minute of silence is a long time: who waits is told what for.
@test "compare: a run that hangs is told of on a terminal, and what can be done" {
	cat >waits.py <<-'END'
		import os, pty, signal, sys
		os.environ["TERM"] = "xterm"
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		seen = b""
		while b"first run: --ready, 2 s" not in seen:
		    seen += os.read(terminal, 4096)
		os.kill(pid, signal.SIGTERM)
		assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
	END
	timeout 30 python3 waits.py "$poolmem" compare --lib "$lib" --only glibc --ready 'false' --load true -- sleep 61.75
}

@test "compare: a run with nothing to preload has no LD_PRELOAD, and keeps what the user preloads" {
	compare --runs 1 --only glibc,poolmem -- sh -c 'echo "<${LD_PRELOAD-none}>" >>seen'
	[ "$(sed -n 1,2p seen | sort -u)" = "<none>" ]
	[ "$(sed -n 3p seen)" = "<$lib>" ]
	rm seen
	LD_PRELOAD=$programs/librealloc.so compare --runs 1 --only glibc,poolmem -- sh -c 'echo "<${LD_PRELOAD-none}>" >>seen'
	[ "$(sed -n '1,2s/:>/>/p' seen | sort -u)" = "<$programs/librealloc.so>" ]
	[ "$(sed -n '3s/:>/>/p' seen)" = "<$lib:$programs/librealloc.so>" ]
}

@test "compare: the peak of a small and short program is that of the kernel, or is not told" {
	command -v /usr/bin/time >/dev/null || skip "no package time"
	compare --runs 3 --only glibc,poolmem --json -- "$programs/fragments" 10 >small.json
	compare --runs 3 --only glibc,poolmem --json -- "$programs/fragments" 30000 >large.json
	python3 - "$programs/fragments" <<-'END'
		import json, os, subprocess, sys
		for count, name in ((10, "small"), (30000, "large")):
		    told = {r["name"]: r["rss.peak"] for r in json.load(open(name + ".json"))["allocators"]}["glibc"]
		    if os.fork() == 0:    # a process that is small itself: its own peak would be the child's least
		        os.execvp("/usr/bin/time", ["time", "-o", "truth", "-f", "%M", sys.argv[1], str(count)])
		    os.wait()
		    truth = int(open("truth").read()) << 10
		    print(name, told, truth)
		    assert told is None if name == "small" else told is not None, name
		    assert told is None or all(abs(run - truth) < 256 << 10 for run in told["runs"]), (told, truth)
	END
}

@test "compare: a C++ program whose news go past malloc under others has its live bytes under each" {
	local next=libjemalloc.so.2
	present() { [[ $(LD_PRELOAD=$next true 2>&1) != *"cannot be preloaded"* ]]; }
	present || skip "no package libjemalloc2"
	compare --runs 1 --only glibc,jemalloc --json -- "$build/tests/exact/news" >news.json
	python3 -c 'import json, sys
for r in json.load(open("news.json"))["allocators"]:
    assert r["counted"]["alloc.count"] >= 7000, r'
}

@test "compare: nothing that could be compared is no success" {
	run -1 --separate-stderr compare --runs 1 --only glibc,poolmem -- sh -c 'echo >>runs; exit $(($(wc -l <runs) % 7))'
	[[ $stderr == *"no run came to its end under any of them"* ]]
	run -2 compare --only '' -- true
	run -2 compare -o one.svg --svg one.svg -- true
	[ ! -e one.svg ]
}

@test "compare: an allocator that the user preloads is left out, and a library that is not ours is refused" {
	local hoard="$programs/libhoard.so"
	LD_PRELOAD=$hoard compare --runs 1 --only glibc,poolmem --json -o out.json -- sh -c 'echo "$LD_PRELOAD" >>preloads' 2>err
	grep -q "left out of LD_PRELOAD, as it serves malloc in the place of each: $hoard" err
	run ! grep -q libhoard preloads
	run ! grep -q 'standard input' err
	echo words | compare --runs 1 --only glibc -- cat >out 2>err
	grep -q 'standard input is no file: each run found it empty' err
	run -1 --separate-stderr "$poolmem" compare --lib "$hoard" --runs 1 --only glibc -- true
	[[ $stderr == *"libhoard.so is no libpoolmem.so: it is another allocator"* ]]
}

@test "compare: where several processes hold much there is no ratio of the sum to one of them" {
	compare --runs 1 --only glibc --json -o out.json -- python3 -c 'import os, time
os.fork()
held = bytearray(20 << 20)
time.sleep(0.3)'
	python3 -c 'import json
c = json.load(open("out.json"))["allocators"][0]["counted"]
assert c["resident_at_peak"] > 1.5 * c["live.peak"] and c["fragmentation_at_peak"] is None, c'
}
