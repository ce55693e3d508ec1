# SPDX-License-Identifier: MIT
# Pages that are elsewhere or larger than others: swapped out, and huge.  What is swapped out is not resident.

bats_require_minimum_version 1.5.0
load ../posix/preload

group=/sys/fs/cgroup/memory/poolmem-swap-$$

setup()
{
	prepare
	cd "$out"
	PATH=$PATH:/usr/sbin:/sbin
	mkfifo go
}

teardown()
{
	if [ -n "${pid-}" ]; then
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" || true
	fi
	[ -z "${swap-}" ] || swapoff "$swap"
	[ ! -d "$group" ] || rmdir "$group"
}

# started COMMAND...: there, and waits for a line
started()
{
	exec 8<>go
	"$@" <go >said 8>&- &
	pid=$!
	for i in $(seq 600); do
		[ ! -s said ] || [[ $(</proc/$pid/wchan) != *pipe* ]] || return 0
		sleep 0.05
	done
	return 1
}

ended()
{
	echo >&8
	wait "$pid"
	pid=
	exec 8>&-
}

# frag EXPRESSION FILE: in Python over w, the waterfall of its process, and sums, the kernel's by name
frag()
{
	"$poolmem" frag --json -n 0 "$2" | python3 -c 'import collections, json, sys
sums = collections.Counter()
for line in open("smaps"):
    if line.split()[0] in ("Rss:", "Swap:", "AnonHugePages:"):
        sums[line.split()[0]] += int(line.split()[1]) * 1024
p = json.load(sys.stdin)["processes"][0]
w = p["waterfall"]
assert w["basis"] == "survey" and sum(w["parts"].values()) + w["residual"] == w["rss"], w
print(*eval("(" + sys.argv[1] + ")"))' "$1"
}

# COMMAND...: in the group
limited=(sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" env)

@test "frag: of a heap larger than its group may have the part that is swapped out is not resident, and said" {
	mkdir "$group" 2>/dev/null && echo 64M 2>/dev/null >"$group/memory.limit_in_bytes" ||
		skip "a memory group of version 1 that we may make"
	dd if=/dev/zero of=swap bs=1M count=160 status=none && chmod 600 swap && mkswap swap >/dev/null
	swapon swap || skip "a file system and a kernel that can swap"
	swap=$PWD/swap
	cat >swapped.c <<-'END'
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		int main(int argc, char **argv)
		{
			enum { BLOCKS = 200000 };
			static char *block[BLOCKS];
			for (int i = 0; i < BLOCKS; i++)
				memset(block[i] = malloc(500), i | 1, 500);
			for (int i = 0; i < BLOCKS / 4; i++)
				if (i % 8)
					free(block[i]);
			puts("there");
			fflush(stdout);
			if (argc > 1)
				getchar();
			return 0;
		}
	END
	cc -O1 -o swapped swapped.c
	for sites in off all; do
		rm -f segments/*
		"${limited[@]}" POOLMEM=dir=$out/segments,frag=exit,sites=$sites LD_PRELOAD=$lib ./swapped >said
		: >smaps
		# 100 MB of blocks.  The kernel may swap more of them out while the survey looks: then it says how much.
		run -0 frag 'w["swap"] > 30 << 20, 0 < w["rss"] < 65 << 20, w["rss"] + w["swap"] > 100000000,
			-w["drift"] <= w["residual"] <= w["rss"] / 100 + w["drift"], w["drift"] < 32 << 20' segments/*.pms
		[ "$output" = "True True True True True" ]
		[[ $("$poolmem" frag segments/*.pms) == *"are swapped out"* ]]

		rm -f segments/*
		started "${limited[@]}" POOLMEM=dir=$out/segments,sites=$sites LD_PRELOAD=$lib ./swapped wait
		"$poolmem" frag segments/*"-$pid-"*.pms >first # which reads, so that some of it comes back
		cat /proc/$pid/smaps >smaps
		run -0 frag 'w["drift"], w["residual"], w["swap"] > 30 << 20, w["swap"] == sums["Swap:"],
			w["rss"] == sums["Rss:"]' segments/*"-$pid-"*.pms
		ended
		[ "$output" = "0 0 True True True" ]
	done
}

@test "frag: huge pages, of blocks and of what the program mapped: as many as the kernel says" {
	! grep -q '\[never\]' /sys/kernel/mm/transparent_hugepage/enabled || skip "a kernel that gives huge pages"
	cat >huge.c <<-'END'
		#include <stdint.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		enum { HUGE = 2 << 20, COUNT = 16 };
		/* A byte in each huge page is written to: all of it is resident. */
		static void touch(char *at)
		{
			madvise(at, COUNT * HUGE, MADV_HUGEPAGE);
			for (size_t i = 0; i < COUNT; i++)
				at[i * HUGE] = 1;
		}
		int main(int argc, char **argv)
		{
			char *own = mmap(NULL, (COUNT + 1) * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			touch((char *)(((uintptr_t)own + HUGE - 1) & -(uintptr_t)HUGE));
			touch(aligned_alloc(HUGE, COUNT * HUGE));
			for (int i = 0; i < 10000; i++)
				memset(malloc(1000), 1, 1000);
			puts("there");
			fflush(stdout);
			if (argc > 1)
				getchar();
			return 0;
		}
	END
	cc -O1 -o huge huge.c
	started env POOLMEM=dir=$out/segments LD_PRELOAD=$lib ./huge wait
	cat /proc/$pid/smaps >smaps
	run -0 frag 'sums["AnonHugePages:"] >> 20, w["huge_pages"] == sums["AnonHugePages:"], w["rss"] == sums["Rss:"],
		w["residual"], w["parts"]["other"] >> 25, (w["parts"]["requested"] + w["parts"]["slack"]) >> 25' segments/*.pms
	ended
	# On a machine whose memory is in pieces there may be fewer.
	[[ $output == "64 True True 0 1 1" || $output != "64 "* ]] || { echo "$output"; return 1; }
	[[ $output == "64 "* ]] || skip "memory in larger pieces: $output"
	rm segments/*
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib ./huge
	run -0 frag 'w["huge_pages"] >> 20, w["residual"], w["drift"]' segments/*.pms
	[ "$output" = "64 0 0" ]
	[[ $("$poolmem" frag segments/*.pms) == *"64.0 MiB are in huge pages"* ]]
}
