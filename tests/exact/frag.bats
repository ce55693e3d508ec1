# SPDX-License-Identifier: MIT
# Where resident memory is and who pins it: equal, to the unit, to the account that a program keeps of its pages; and what is
# promised comes back when the advice is followed.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	cd "$out"
	mkfifo go
}

teardown()
{
	[ -z "${pid-}" ] || kill -9 "$pid" 2>/dev/null || true
}

check()
{
	PYTHONDONTWRITEBYTECODE=1 python3 "$BATS_TEST_DIRNAME/frag.py" "$@"
}

# function and size class that keep memory, by case
causes="pools:keep:32 peak:cache:208 lifetimes:keep:112 thread:keep:64 threads:keep:64"

# started SETTINGS CASE HOW: the program is there, and waits
started()
{
	rm -f segments/*
	exec 8<>go
	POOLMEM=dir=$out/segments,$1 LD_PRELOAD=$lib "$programs/frag" "$2" "$3" <go >said 8>&- &
	pid=$!
	for i in $(seq 600); do
		[ ! -s said ] || [[ $(</proc/$pid/wchan) != *pipe* ]] || break
		sleep 0.05
	done
	sleep 0.1
}

ended()
{
	echo >&8
	wait "$pid"
	pid=
	exec 8>&-
}

@test "frag: at the end, call sites: each page as the program has it" {
	for row in $causes; do
		IFS=: read -r name function bytes <<<"$row"
		rm -f segments/*
		POOLMEM=dir=$out/segments,frag=exit,sites=all LD_PRELOAD=$lib "$programs/frag" "$name" exit >account
		"$poolmem" frag --json -n 0 segments/*.pms >json
		check account json account "$function"
		[ "$name" != pools ] || check pools json keep 10000
	done
}

@test "frag: at the end, size classes" {
	for row in $causes; do
		IFS=: read -r name function bytes <<<"$row"
		rm -f segments/*
		POOLMEM=dir=$out/segments,frag=exit,sites=off LD_PRELOAD=$lib "$programs/frag" "$name" exit >account
		"$poolmem" frag --json -n 0 segments/*.pms >json
		check account json account "$function" "$bytes"
		python3 -c 'import json
d = json.load(open("json"))
w, m = d["processes"][0]["waterfall"], d["metrics"]
assert (w["live_blocks"], w["live_bytes"]) == (m["live.blocks"], m["live.bytes"]) != (0, 0), w
assert w["drift_blocks"] == w["drift_block_bytes"] == 0, w'
	done
}

@test "frag: of a process that waits: the same, and each mapping as the kernel has it" {
	for row in $causes; do
		IFS=: read -r name function bytes <<<"$row"
		started sites=all "$name" wait
		POOLMEM=dir=$out/segments "$poolmem" frag --json -n 0 "$pid" >json
		cat /proc/$pid/smaps >smaps
		ended
		check account json said "$function"
		check smaps json smaps
		python3 -c 'import json
d = json.load(open("json"))
w, m = d["processes"][0]["waterfall"], d["metrics"]
assert (w["live_blocks"], w["live_bytes"]) == (m["live.blocks"], m["live.bytes"]) != (0, 0), w
assert w["drift"] == w["drift_blocks"] == w["drift_block_bytes"] == 0, w'
	done
	started sites=off lifetimes wait
	POOLMEM=dir=$out/segments "$poolmem" frag --json -n 0 "$pid" >json
	ended
	check account json said keep 112
}

@test "frag: who follows the advice gets nine tenths of what was promised, or more" {
	for row in $causes; do
		IFS=: read -r name function bytes <<<"$row"
		started sites=all "$name" free
		POOLMEM=dir=$out/segments "$poolmem" frag --json -n 0 "$pid" >json
		ended
		check freed json said "$function"
	done
}

@test "frag: what threads keep of what they freed: nine tenths of it, or more, go back when each calls malloc_trim" {
	cat >keepers.c <<-'END'
		#include <malloc.h>
		#include <pthread.h>
		#include <semaphore.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		enum { THREADS = 8, SMALL = 20000, LARGE = 20 };
		static sem_t go, done;
		static void *work(void *unused)
		{
			char *block[SMALL + LARGE];
			for (int i = 0; i < SMALL + LARGE; i++) {
				size_t bytes = i < SMALL ? 500 : 300000;
				block[i] = memset(malloc(bytes), 1, bytes);
			}
			for (int i = 0; i < SMALL + LARGE; i++)
				free(block[i]);
			sem_post(&done);
			sem_wait(&go);
			malloc_trim(0);
			sem_post(&done);
			pthread_exit(unused);
		}
		int main(void)
		{
			static char stream[1000];
			pthread_t thread[THREADS];
			setvbuf(stdout, stream, _IOFBF, sizeof stream);
			for (int i = 0; i < THREADS; i++)
				pthread_create(&thread[i], NULL, work, NULL);
			for (int i = 0; i < THREADS; i++)
				sem_wait(&done);
			puts("there");
			fflush(stdout);
			getchar();
			for (int i = 0; i < THREADS; i++)
				sem_post(&go);
			for (int i = 0; i < THREADS; i++)
				sem_wait(&done);
			puts("again");
			fflush(stdout);
			getchar();
			return 0;
		}
	END
	cc -O1 -pthread -o keepers keepers.c
	exec 8<>go
	POOLMEM=dir=$out/segments,sites=off LD_PRELOAD=$lib ./keepers <go >said 8>&- &
	pid=$!
	until grep -q there said && [[ $(</proc/$pid/wchan) == *pipe* ]]; do sleep 0.05; done
	"$poolmem" frag --json -n 0 segments/*.pms >json
	"$poolmem" frag segments/*.pms | tr -s ' \n' ' ' >words
	echo >&8
	until grep -q again said && [[ $(</proc/$pid/wchan) == *pipe* ]]; do sleep 0.05; done
	"$poolmem" frag --json -n 0 segments/*.pms >after
	ended
	grep -q "malloc_trim(0) gives back up to" words
	check given_back json after >&3
}

# replayed COMMAND...: what it asked of malloc is done again, by a program that knows each block
replayed()
{
	local replay="$BATS_TEST_DIRNAME/frag_replay.py" slots calls equal
	rm -f stream segments/*
	STREAM_OUT=stream LD_PRELOAD=$programs/libstream.so "$@" >/dev/null
	read -r slots calls <<<"$(python3 "$replay" steps stream steps)"
	POOLMEM=dir=$out/segments,frag=exit,sites=all LD_PRELOAD=$lib "$programs/frag_replay" steps "$slots" >account
	"$poolmem" frag --json -n 0 segments/*.pms >json
	"$poolmem" map --json segments/*.pms >map
	equal=$(python3 "$replay" pins json map account)
	echo "# $1: $calls calls, $(wc -l <account) blocks live, $equal" >&3
}

@test "frag: pins of the heaps of sqlite3 and python3: equal to the account of who does their calls again" {
	python3 >commands <<-'END'
		for i in range(400):
		    print("create table t%d(a integer primary key, b text not null, c real default %d);" % (i, i))
		    print("create index i%d on t%d(b, c); create view v%d as select a, b from t%d where c > %d;" % (i, i, i, i, i))
		for i in range(0, 400, 3):
		    print("drop table t%d;" % i)
		print("create table n(a, b); with recursive c(x) as (select 1 union all select x + 1 from c limit 5000)")
		print("insert into n select x, hex(randomblob(20)) from c; delete from n where a % 50;")
	END
	replayed sqlite3 :memory: ".read commands"
	python=/usr/bin/python3
	[ -x $python ] || python=python3
	PYTHONMALLOC=malloc replayed $python -c 'import ast, json
x = [str(i) for i in range(30000)]
y = x[::50]
d = json.loads(json.dumps({str(i): [i, {"a": i}] for i in range(3000)}))
del x
t = ast.parse("x = 1 + f(2)\n" * 2000)'
}

@test "frag: pages that were only read are the kernel's page of zeros, and not resident" {
	cat >zeros.c <<-'END'
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			size_t bytes = (size_t)atoi(argv[1]) << 10;
			volatile char sum = 0;
			for (int i = 0; i < 20; i++) {
				char *block = calloc(1, bytes);
				for (size_t at = 0; at < bytes; at += 4096)
					sum += block[at];
				block[0] = 1;
			}
			if (argc > 2)
				pause();
			return 0;
		}
	END
	cc -O1 -o zeros zeros.c
	for kib in 100 3000 40000; do
		rm -f segments/*
		POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./zeros $kib
		"$poolmem" frag --json segments/*.pms >json
		check residual json
		POOLMEM=dir=$out/segments LD_PRELOAD=$lib ./zeros $kib wait &
		pid=$!
		until [[ $(</proc/$pid/wchan) == *pause* ]]; do sleep 0.05; done
		POOLMEM=dir=$out/segments "$poolmem" frag --json $pid >json
		kill -9 $pid
		check residual json
	done
}

@test "frag: a survey that finds no room in the segment is said to be cut short" {
	POOLMEM=dir=$out/segments,frag=exit,sites=off,segment.max=256K LD_PRELOAD=$lib "$programs/frag" lifetimes exit >account
	run -0 "$poolmem" frag segments/*.pms
	[[ $output == *"was cut short"* && $output != *"Each block and each page is known"* ]]
	"$poolmem" frag --json segments/*.pms >json
	python3 -c 'import json
p = json.load(open("json"))["processes"][0]
assert p["waterfall"]["basis"] == "map" and p["waterfall"]["residual"] is None and p["pins"] is None'
}

@test "frag: of a process that was killed, or ran without frag=exit, what was published" {
	started sites=off lifetimes wait
	kill -9 $pid
	wait $pid || true
	pid=
	run -0 "$poolmem" frag segments/*.pms
	[[ $output == *"No survey was made"*"run --frag"* ]]
	"$poolmem" frag --free 1M segments/*.pms | tr -s ' \n' ' ' >words
	grep -q "Whose blocks to free to get 1.0 MiB back: that takes a survey, which there is not" words
}

@test "frag, map: of a process that was killed, how old its pools are, and what lived at its end" {
	cat >aged.c <<-'END'
		#include <signal.h>
		#include <stdlib.h>
		int main(void)
		{
			static char *block[100000];
			for (int i = 0; i < 100000; i++)
				block[i] = malloc(100);
			for (int i = 100; i < 100000; i++)
				free(block[i]);
			return raise(SIGKILL);
		}
	END
	cc -O1 -fno-builtin -o aged aged.c
	run -137 env POOLMEM=dir=$out/segments,sites=off LD_PRELOAD=$lib ./aged
	"$poolmem" frag --json segments/*.pms >json
	for command in frag map; do
		"$poolmem" $command segments/*.pms | tr -s ' \n' ' ' >words
		python3 - json words <<-'END'
			import json, re, sys
			process = json.load(open(sys.argv[1]))["processes"][0]
			words = open(sys.argv[2]).read()
			epoch, reached = process["waterfall"]["published_epoch"], process["waterfall"]["epoch"]
			found = re.search(r"published last: in epoch (\d+) of (\d+), at most ([\d,]+) allocations before the end. "
			                  r"By the counts, which are not old, 10.9 KiB in 100 blocks lived at the end.", words)
			assert found and found.group(1, 2) == (str(epoch), str(reached)) and 0 < epoch <= reached, words
			assert 0 <= int(found.group(3).replace(",", "")) < 50000, words
		END
	done
	rm -f segments/*
	POOLMEM=dir=$out/segments,sites=off LD_PRELOAD=$lib "$programs/frag" lifetimes exit >account
	for command in frag map; do
		run -0 "$poolmem" $command segments/*.pms
		[[ $output != *"published last: in epoch"* ]]
	done
}

@test "frag: processes that published nothing have no parts; the first line names the program" {
	POOLMEM=dir=$out/segments "$poolmem" run -f -o capture.pm -- sh -c 'sh -c "exit 0"; exit 0' 2>/dev/null
	run -0 "$poolmem" frag capture.pm
	[[ ${lines[0]} == "sh -c "* && $(head -c 5 <<<"$output") == "sh -c" ]]
	[[ $output == *"Its pools were never published. By the counts, "*"what its pools hold is not"* ]]
	[[ $output != *"pinned free"* && $output != *"are in live blocks"* && $output == *metadata* ]]
	[[ $output == *"pinned: free, in pools with live blocks"* ]]
}

@test "frag: what lives and is not resident is said; what grew and was freed in the end is no leak" {
	cat >half.c <<-'END'
		#include <stdlib.h>
		#include <string.h>
		int main(int argc, char **argv)
		{
			char *block = malloc(8 << 20), *more[20000];
			memset(block, 1, argc > 1 ? 8 << 20 : 2 << 20);
			for (int i = 0; i < 20000; i++)
				more[i] = malloc(100);
			for (int i = 0; i < 20000; i++)
				free(more[i]);
			if (argc > 1)
				free(block);
			return argc > 2;
		}
	END
	cc -O1 -fno-builtin -o half half.c
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./half
	"$poolmem" frag --json segments/*.pms >json
	"$poolmem" frag segments/*.pms | tr -s ' \n' ' ' >words
	python3 -c 'import json
d = json.load(open("json"))
w = d["processes"][0]["waterfall"]
parts = w["parts"]["requested"] + w["parts"]["slack"]
assert parts + w["live_not_resident"] == d["metrics"]["live.bytes"] and w["live_not_resident"] == 6 << 20, w'
	grep -q "Of the 8.0 MiB that live 6.0 MiB are not resident, and in no part" words
	rm -f segments/*
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./half whole
	"$poolmem" frag segments/*.pms | tr -s ' \n' ' ' >words
	run -1 grep -q "are not resident" words
	grep -q "what is live [a-z]* by .* per 1,000 allocations; at the end nothing lives" words
}

@test "frag: more wished than there is: that it cannot be had, and the most; pinned is told before it is used" {
	POOLMEM=dir=$out/segments,frag=exit,sites=all LD_PRELOAD=$lib "$programs/frag" lifetimes exit >account
	"$poolmem" frag --free 100G --json segments/*.pms >json
	"$poolmem" frag --free 100G segments/*.pms | tr -s ' \n' ' ' >words
	most=$(python3 -c 'import json
back = json.load(open("json"))["processes"][0]["pins"]["to_get_back"]
assert 0 < back["bytes"] < back["wished"] == 100 << 30
print("%.1f MiB" % (back["bytes"] / 1048576))')
	grep -q "100.0 GiB cannot be had by freeing or moving blocks beside free memory: the most is $most, if" words
	grep -q "To get 100.0 GiB back, of which at most $most all pages that hold free bytes come to no more" words
	run -1 grep -q "see To get" words
	"$poolmem" frag segments/*.pms | tr -s ' \n' ' ' >words
	grep -q "see To get" words
	run -1 grep -q "cannot be had\|of which at most" words
	grep -q "pinned free: free blocks\|are pinned: free, in pools" words
}

@test "frag: a process whose memory may not be read: why, and what was published" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	open=$(mktemp -d /tmp/poolmem-open.XXXXXX)
	chmod 1777 "$open"
	cp "$lib" "$programs/frag" "$open"
	exec 8<>go
	setpriv --reuid=65534 --regid=65534 --clear-groups env POOLMEM=dir=$open/shm,sites=off \
		LD_PRELOAD=$open/libpoolmem.so "$open/frag" lifetimes wait <go >said 8>&- &
	pid=$!
	until [ -s said ] && [[ $(</proc/$pid/wchan) == *pipe* ]]; do sleep 0.05; done
	run -0 --separate-stderr setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace \
		"$poolmem" frag "$open"/shm/*"-$pid-"*.pms
	ended
	rm -r "$open"
	echo "$stderr"
	[[ $stderr == *"process "*": its memory cannot be read: "*"; root needs the capability SYS_PTRACE"* ]] ||
		[[ $stderr == *"process "*": its memory cannot be read: "*"seccomp"* ]]
	[[ $output == *"No survey was made"* ]]
}

@test "frag: a process that forbids it to its own user, or a poolmem under a filter: that is said" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	cat >closed.c <<-'END'
		#include <stdlib.h>
		#include <sys/prctl.h>
		#include <unistd.h>
		int main(void)
		{
			free(malloc(100));
			prctl(PR_SET_DUMPABLE, 0);
			pause();
			return 0;
		}
	END
	open=$(mktemp -d /tmp/poolmem-open.XXXXXX)
	chmod 1777 "$open"
	cc -O1 -o "$open/closed" closed.c
	cp "$lib" "$poolmem" "$open"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups env POOLMEM=dir=$open/shm"
	$as_nobody LD_PRELOAD=$open/libpoolmem.so "$open/closed" &
	pid=$!
	until [[ $(</proc/$pid/wchan) == *pause* ]]; do sleep 0.05; done
	run -0 --separate-stderr $as_nobody "$open/poolmem" frag "$open"/shm/*"-$pid-"*.pms
	echo "$stderr"
	[[ $stderr == *"its memory cannot be read: Permission denied; "*"be root"* ]] || [[ $stderr == *seccomp* ]]
	for error in 1 38; do
		run -0 --separate-stderr "$build/tests/fault/f31_filter" $error process_vm_readv "$poolmem" frag "$open"/shm/*"-$pid-"*.pms
		echo "$stderr"
		[[ $stderr == *"its memory cannot be read: "*"filter"*"run poolmem outside"* ]]
	done
	kill -9 $pid
	rm -r "$open"
}

@test "frag: under a seccomp filter that was there at exec nothing is opened at the end" {
	POOLMEM=dir=$out/segments,frag=exit,sites=off LD_PRELOAD=$lib "$build/tests/fault/f31_filter" 1 getrandom \
		strace -f -o calls "$programs/frag" lifetimes exit >account
	run -1 grep -q 'proc/self/smaps\|proc/self/pagemap' calls
	for segment in segments/*.pms; do
		"$poolmem" frag --json "$segment" >json
		! grep -q "Resident pages are not known.*seccomp" <("$poolmem" frag "$segment" | tr -s ' \n' ' ') || seen=1
	done
	[ "$seen" = 1 ]
}

@test "frag: under a seccomp filter that the program installs later nothing is opened at the end" {
	cat >late.c <<-'END'
		#include <errno.h>
		#include <fcntl.h>
		#include <linux/filter.h>
		#include <linux/seccomp.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/prctl.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			struct sock_filter code[] = {
				{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
				{BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_openat},
				{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
				{BPF_RET | BPF_K, 0, 0, strtoul(argv[2], NULL, 0)},
			};
			struct sock_fprog program = {4, code};
			int how = argc > 2 ? atoi(argv[1]) : 0;
			char name[16];
			memset(malloc(100000), 1, 100000);
			if (prctl(-1, 0, 0, 0, 0) != -1 || errno != EINVAL || prctl(PR_SET_NAME, "late") ||
			    prctl(PR_GET_NAME, name) || strcmp(name, "late"))
				return 1;
			if (how && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
				return 2;
			if (how == 1 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
				return 3;
			if (how == 2 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
				return 4;
			puts("it ends");
			return 5;
		}
	END
	cc -O1 -o late late.c
	for row in '0 0' "1 0x80000000" "2 0x80000000" "1 0" "2 0x50001"; do # allowed, killed twice, SECCOMP_RET_KILL_THREAD, EPERM
		rm -f segments/*
		run -5 env POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./late $row
		[ "$output" = "it ends" ]
		"$poolmem" frag segments/*.pms | tr -s ' \n' ' ' >words
		if [ "$row" = "0 0" ]; then
			run -1 grep -q seccomp words
			grep -q resident words
		else
			grep -q "Resident pages are not known.*seccomp" words
		fi
	done
}

@test "frag: limits, locked memory, threads that go on: no more than the residual that is said" {
	(
		ulimit -v 4000000
		POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib "$programs/frag" peak exit >account
	)
	"$poolmem" frag --json segments/*.pms >json
	check residual json
	cat >locked.c <<-'END'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		int main(void)
		{
			if (mlockall(MCL_CURRENT | MCL_FUTURE))
				return 77;
			for (int i = 0; i < 10000; i++)
				memset(malloc(1000), 1, 1000);
			memset(malloc(50 << 20), 1, 50 << 20);
			return 0;
		}
	END
	cc -O1 -o locked locked.c
	rm -f segments/*
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./locked || [ $? = 77 ]
	"$poolmem" frag --json segments/*.pms >json
	check residual json
}

@test "frag: of forked children each has its own; huge pages are said" {
	cat >forks.c <<-'END'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			for (int i = 0; i < 50000; i++)
				memset(malloc(100), 1, 100);
			char *huge = aligned_alloc(2 << 20, 64 << 20);
			madvise(huge, 64 << 20, MADV_HUGEPAGE);
			memset(huge, 1, 64 << 20);
			if (fork() == 0) {
				for (int i = 0; i < 50000; i++)
					memset(malloc(60), 1, 60);
				exit(0);
			}
			wait(NULL);
			return 0;
		}
	END
	cc -O1 -o forks forks.c
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./forks
	"$poolmem" frag --json segments/*.pms >json
	python3 - <<-'END'
		import json
		processes = json.load(open("json"))["processes"]
		assert len(processes) == 2
		for p in processes:
		    w = p["waterfall"]
		    assert w["basis"] == "survey" and abs(w["residual"]) < w["rss"] / 100, w
		    assert w["parts"]["requested"] + w["parts"]["slack"] > 67000000, w
	END
}

@test "frag: who frees all before the end is shown at the peak, who leaves blocks in all pools at the end" {
	local how
	for how in all most; do
		"$poolmem" run --frag --interval 20 -o "$out/$how.pm" -- "$programs/empties" $how 2>"$out/stderr"
		"$poolmem" frag --json "$out/$how.pm" >"$out/$how.json"
		python3 - "$out/$how.json" $how <<-'END'
			import json, sys
			one = json.load(open(sys.argv[1]))["processes"][0]
			parts = one["waterfall"]["parts"]
			live = parts["requested"] + parts["slack"]
			assert one["at"] == ("peak" if sys.argv[2] == "all" else "end"), one["at"]
			# The next look is worth its while when a tenth more is there.
			assert (live > 20e6) if sys.argv[2] == "all" else (parts["pinned"] > 20e6 > 5e6 > live), parts
		END
	done
}

# at MOMENT FILE EXPRESSION: in Python over `p`, its process, and `w`, in MiB
at()
{
	"$poolmem" frag --json --at "$1" "$2" | python3 -c 'import json, sys
p = json.load(sys.stdin)["processes"][0]
w = {k: v >> 20 if isinstance(v, int) else v for k, v in p["waterfall"].items()}
print(eval(sys.argv[1]))' "$3"
}

@test "frag: run --frag sees when most was live and when most was resident; how far from the peaks is said" {
	cat >peaks.c <<-'END'
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <unistd.h>
		enum { MIB = 1 << 20 };
		static void map(size_t bytes)
		{
			memset(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, bytes);
			sleep(1);
		}
		int main(int argc, char **argv)
		{
			map(10 * MIB);
			char *live = malloc(60 * MIB);
			if (argc > 1)
				memset(live, 1, 60 * MIB);
			sleep(1);
			free(live);
			map(30 * MIB);
			return *argv[0] == 0;
		}
	END
	cc -O1 -fno-builtin -o peaks peaks.c
	"$poolmem" run -q --frag -o apart.pm -- ./peaks
	run -0 at live-peak apart.pm 'p["at"], w["basis"], w["live_bytes"], w["rss"] < 20'
	[ "$output" = "('live-peak', 'survey', 60, True)" ]
	run -0 at peak apart.pm 'p["at"], w["basis"], w["live_bytes"], 40 <= w["rss"] < 50'
	[ "$output" = "('peak', 'survey', 0, True)" ]
	run -0 at live-peak apart.pm 'p["peak_then"] <= p["peak_highest"] < 61 << 20, p["tree_rss_then"]'
	[ "$output" = "(True, None)" ]
	"$poolmem" frag --at live-peak apart.pm >text
	[[ $(tr -s ' \n' ' ' <text) == *"This was when 60"*" MiB were live, "*"at the peak"*"--at peak tells of when most was resident"* ]]
	run -0 "$poolmem" map --at live-peak apart.pm
	[[ $output == *"As surveyed when about most was live"* ]]
	"$poolmem" run -q --frag -o same.pm -- ./peaks touched
	run -0 at peak same.pm 'p["at"], w["live_bytes"], w["rss"] >= 50'
	[ "$output" = "('peak', 60, True)" ]
	run -0 at live-peak same.pm 'p["at"], w["live_bytes"]'
	[ "$output" = "('live-peak', 60)" ]
	cp peaks larger
	"$poolmem" run -q --frag --only peaks -o only.pm -- sh -c './larger touched & exec ./peaks'
	run -0 at live-peak only.pm 'p["at"], w["basis"], w["live_bytes"]'
	[ "$output" = "('live-peak', 'survey', 60)" ]
	"$poolmem" pack -o packed.pm same.pm
	run -0 at live-peak packed.pm 'w["live_bytes"]'
	[ "$output" = 60 ]
}

@test "frag: a capture of a process that lived on is not mixed with what that is now" {
	exec 8<>go
	"$poolmem" run -q -o outlived.pm -- sh -c '"$1" pools wait <go >said 8>&- & until [ -s said ]; do sleep 0.05; done' sh "$programs/frag"
	run -0 "$poolmem" frag --json outlived.pm
	pid=$(python3 -c 'import json, sys
all = json.load(sys.stdin)["processes"]
print(*(p["pid"] for p in all if p["state"] == "running"))
assert all and {p["waterfall"]["basis"] for p in all} == {"map"}' <<<"$output")
	[ -d "/proc/$pid" ]
	echo >&8
	pid=
	exec 8>&-
}
