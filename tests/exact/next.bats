# SPDX-License-Identifier: MIT
# heap=next: the counts are those of an independent interposer in front, whoever serves the memory behind.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# Names of libraries that ld.so finds; "" is libc's own malloc.
allocators=("" libjemalloc.so.2 libmimalloc.so.2 libtcmalloc_minimal.so.4 libtbbmalloc_proxy.so.2)

packages()
{
	case $1 in
	libjemalloc*) echo libjemalloc2 ;;
	libmimalloc*) echo libmimalloc2.0 ;;
	libtcmalloc*) echo libtcmalloc-minimal4 ;;
	libtbb*) echo libtbbmalloc2 ;;
	esac
}

present()
{
	[ -z "$1" ] || [[ $(LD_PRELOAD=$1 true 2>&1) != *"cannot be preloaded"* ]]
}

# counted ALLOCATOR SETTINGS COMMAND...
counted()
{
	local next=$1 settings=$2
	shift 2
	rm -rf "$out"/segments/* "$out/oracle"
	POOLMEM="dir=$out/segments,heap=next,$settings" ORACLE_OUT=$out/oracle \
		LD_PRELOAD="$programs/liboracle.so $lib $next" "$@"
}

equal()
{
	python3 "$here/check.py" --poolmem "$poolmem" "$@" "$out/oracle" "$out/segments"
}

# each CHECK...: with each allocator that is here, with all that is recorded and with counts alone
each()
{
	local next settings missing=
	for next in "${allocators[@]}"; do
		present "$next" || { missing+=" $(packages "$next")"; continue; }
		for settings in sites=all sites=never,gen=off; do
			"$@" "$next" "$settings" || { echo "under ${next:-libc}, $settings"; return 1; }
		done
	done
	[ -z "$missing" ] || skip "with those that are here; for others:$missing"
}

mix()
{
	counted "$1" "$2" "$programs/mix" "$(by_level 8000 1000000)" 1 && equal --processes 1
}

@test "next: all calls, one thread, under each allocator" {
	each mix
}

ends()
{
	local end
	for end in return exit _exit abort kill; do
		counted "$1" "$2" "$programs/mix" 1000 2 $end || true
		equal --processes 1 || return 1
	done
}

@test "next: however the program ends" {
	each ends
}

threads()
{
	counted "$1" "$2" "$programs/threads" 8 "$(by_level 4000 1000000)" 1 && equal --processes 1 &&
		counted "$1" "$2" "$programs/handover" 4 "$(by_level 4000 1000000)" 1 && equal --processes 1 &&
		counted "$1" "$2" "$programs/threadlife" "$(by_level 100 10000)" 50 && equal --processes 1
}

@test "next: threads that come and go and free each other's blocks" {
	each threads
}

pingpong()
{
	counted "$1" "$2" "$programs/pingpong" "$(by_level 8000 1000000)" && equal --processes 1
}

@test "next: two threads resize each other's blocks" {
	each pingpong
}

forks()
{
	counted "$1" "$2" "$programs/manyforks" "$(by_level 20 500)" 8 100 && equal &&
		counted "$1" "$2" "$programs/spawn" 2 "$programs/mix" 500 5 && equal
}

@test "next: forked children, vfork, exec, posix_spawn" {
	each forks
}

figures()
{
	"$poolmem" report --json -n 0 "$out"/segments/*.pms >"$out/report.json"
	python3 - "$out/report.json" "$@"
}

# A program that turns its epochs itself: who allocated what, and at which age it died, is the same whoever serves.
@test "next: the same call sites, requested bytes and generations as poolmem's own heap" {
	local next
	POOLMEM="dir=$out/segments,sites=all" LD_PRELOAD=$lib "$programs/lifespans" >"$out/own.out"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/own.json"
	for next in "${allocators[@]}"; do
		present "$next" || continue
		rm -f "$out"/segments/*
		POOLMEM="dir=$out/segments,sites=all,heap=next" LD_PRELOAD="$lib $next" "$programs/lifespans" >"$out/next.out"
		cmp "$out/own.out" "$out/next.out"
		"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/next.json"
		python3 - "$out/own.json" "$out/next.json" <<-'END'
			import json, sys
			keys = ("allocated", "requested_bytes", "freed", "live", "live_requested_bytes", "died_0", "died_1", "died_2")
			own, other = (sorted(tuple(s[k] for k in keys) for s in json.load(open(f))["sites"] if s["allocated"] > 50)
			              for f in sys.argv[1:])
			assert len(own) >= 5 and own == other, (own, other)
		END
		"$poolmem" report --json "$out"/segments/*.pms >"$out/report.json"
		python3 - "$out/report.json" <<-'END'
			import json, sys
			m = json.load(open(sys.argv[1]))["metrics"]
			for g in "012":
			    e, s, d, l = (m[f"gen.{g}.{w}"] for w in ("entered", "survived", "died", "live"))
			    assert e == s + d + l, (g, e, s, d, l)
			assert m["gen.0.entered"] == m["alloc.count"]
			assert m["gen.0.survived"] + m["gen.1.survived"] == m["gen.1.entered"] + m["gen.2.entered"]
			assert sum(m[f"gen.{g}.died"] for g in "012") == m["free.count"]
			assert sum(m[f"gen.{g}.live"] for g in "012") == m["live.blocks"]
			assert m["gen.epochs"] > 50 and m["gen.2.died"] > 0
			assert m["foreign.free"] == 0 and "heap.committed" not in m, m
		END
	done
}

@test "next: gen=off has no ages, and says so" {
	counted "" sites=never,gen=off "$programs/mix" 20000 1
	figures <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert not [k for k in d["metrics"] if k.startswith("gen.")]
		assert {"heap_next", "no_births"} <= {n["key"] for n in d["notes"]}
	END
	"$poolmem" report "$out"/segments/*.pms >"$out/text"
	grep -q 'that of .*libc.so.6 (heap=next)' "$out/text"
	run -1 grep -q 'Generations' "$out/text"
	for command in survival map frag; do
		run -1 "$poolmem" $command "$out"/segments/*.pms
	done
}

# Blocks that came past us are passed on and not counted.
@test "next: what was not counted when it came is not counted when it goes" {
	cat >"$out/past.c" <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <malloc.h>
		#include <stdlib.h>
		int main(void)
		{
			void *(*past)(size_t) = (void *(*)(size_t))dlsym(dlopen("libc.so.6", RTLD_LAZY), "malloc");
			void *block[300];
			for (int i = 0; i < 300; i++)
				block[i] = past(100 + i);
			for (int i = 0; i < 200; i++)
				free(block[i]);
			for (int i = 200; i < 300; i++)
				free(realloc(block[i], 5000));
			return malloc_trim(0) < 0;
		}
	END
	cc -w -o "$out/past" "$out/past.c" -ldl
	POOLMEM="dir=$out/segments,heap=next,sites=all" LD_PRELOAD=$lib "$out/past"
	figures <<-'END'
		import json, sys
		m = json.load(open(sys.argv[1]))["metrics"]
		assert 290 <= m["foreign.free"] <= 300, m
		assert m["free.count"] <= m["alloc.count"], m
	END
}

# malloc, calloc, the aligned ones, realloc to nothing: what the program sees is what it sees without us.
@test "next: the program sees the other allocator's ways" {
	cat >"$out/ways.c" <<-'END'
		#define _GNU_SOURCE
		#include <errno.h>
		#include <malloc.h>
		#include <stdint.h>
		#include <stdio.h>
		#include <stdlib.h>
		int main(void)
		{
			void *p = NULL;
			for (size_t a = 16; a <= 65536; a *= 4) {
				void *q = memalign(a, 100), *r = aligned_alloc(a, a * 2);
				int e = posix_memalign(&p, a, 33);
				printf("%zu %d %d %d %d\n", a, (int)((uintptr_t)q % a), (int)((uintptr_t)r % a), e,
				       (int)((uintptr_t)p % a));
				free(q), free(r), free(p);
			}
			for (size_t n = 0; n < 5000; n = n * 2 + 1)
				p = malloc(n), printf("%zu ", malloc_usable_size(p)), free(p);
			p = calloc(33, 77);
			for (int i = 0; i < 33 * 77; i++)
				if (((char *)p)[i])
					puts("dirty");
			printf("%d\n", realloc(p, 0) == NULL);
			errno = 0;
			printf("%d %d\n", malloc(PTRDIFF_MAX) == NULL, errno == ENOMEM);
			printf("%d %d\n", mallopt(M_ARENA_MAX, 1), mallinfo2().arena > 0);
			return 0;
		}
	END
	cc -w -O0 -fno-builtin -o "$out/ways" "$out/ways.c"
	for next in "${allocators[@]}"; do
		present "$next" || continue
		LD_PRELOAD=$next "$out/ways" >"$out/plain"
		for settings in sites=all gen=off,sites=never; do
			POOLMEM="dir=$out/segments,heap=next,$settings" LD_PRELOAD="$lib $next" "$out/ways" >"$out/under"
			diff "$out/plain" "$out/under"
		done
	done
}

@test "heap=next: what a child inherits of a thread that has allocated nothing before it forks" {
	cat >"$out/idle.c" <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void *block[1000];
		static void *forks(void *unused)
		{
			pid_t child = fork();
			if (child)
				waitpid(child, NULL, 0);
			for (int i = 0; !child && i < 1000; i++)
				free(block[i]);
			if (!child)
				exit(0);
			return unused;
		}
		int main(void)
		{
			pthread_t thread;
			for (int i = 0; i < 1000; i++)
				block[i] = malloc(100);
			pthread_create(&thread, NULL, forks, NULL);
			pthread_join(thread, NULL);
			return 0;
		}
	END
	cc -O1 -pthread -fno-builtin -o "$out/idle" "$out/idle.c"
	rm -rf "$out"/segments/*
	POOLMEM="dir=$out/segments,heap=next" LD_PRELOAD=$lib "$out/idle"
	"$poolmem" report --json "$out"/segments/*.pms >"$out/json"
	python3 -c 'import json, sys; m = json.load(open(sys.argv[1]))["metrics"]; assert m["inherited.blocks"] >= 1000, m["inherited.blocks"]' "$out/json"
}

# While one thread's realloc runs, another gets the old address and gives it back: it finds no record but its own.
@test "next: an address that another thread gets while a realloc that moves it runs" {
	cat >"$out/moves.c" <<-'END'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <pthread.h>
		#include <string.h>
		struct block { size_t size; struct block *next; char bytes[]; };
		static char room[16 << 20] __attribute__((aligned(16)));
		static size_t used;
		static struct block *kept[4096];
		static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		static void *take(size_t size)
		{
			size = (size + 15) / 16 * 16 + (size == 0) * 16;
			pthread_mutex_lock(&lock);
			struct block *block = size / 16 < 4096 ? kept[size / 16] : NULL;
			if (block)
				kept[size / 16] = block->next;
			else if (used + size + 16 <= sizeof room) {
				block = (struct block *)(room + used);
				used += size + 16;
				block->size = size;
			}
			pthread_mutex_unlock(&lock);
			return block ? block->bytes : NULL;
		}
		static struct block *of(void *p) { return (struct block *)((char *)p - 16); }
		void *malloc(size_t size) { return take(size); }
		void *calloc(size_t n, size_t size)
		{
			void *p = take(n * size);
			return p ? memset(p, 0, n * size) : p;
		}
		void *memalign(size_t alignment, size_t size)
		{
			char *p = take(size + 2 * alignment);
			size_t up = -(size_t)p & (alignment - 1);
			if (!p || !up)
				return p;
			of(p + up)->size = of(p)->size - up;
			return p + up;
		}
		void free(void *p)
		{
			if (!p || of(p)->size / 16 >= 4096)
				return;
			pthread_mutex_lock(&lock);
			of(p)->next = kept[of(p)->size / 16];
			kept[of(p)->size / 16] = of(p);
			pthread_mutex_unlock(&lock);
		}
		void *realloc(void *p, size_t size)
		{
			void *to = take(size);
			void (*moved)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "moved");
			if (p) {
				memcpy(to, p, of(p)->size < size ? of(p)->size : size);
				free(p);
				if (moved)
					moved(p);
			}
			return to;
		}
		size_t malloc_usable_size(void *p) { return p ? of(p)->size : 0; }
	END
	cat >"$out/between.c" <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		static pthread_barrier_t barrier;
		static void *gone, *got;
		void moved(void *p)
		{
			if (p != gone)
				return;
			pthread_barrier_wait(&barrier);
			pthread_barrier_wait(&barrier);
		}
		__attribute__((noinline)) static void *other(void *unused)
		{
			pthread_barrier_wait(&barrier);
			got = malloc(4000);
			free(got);
			pthread_barrier_wait(&barrier);
			return unused;
		}
		__attribute__((noinline)) static void *first(void) { return malloc(4000); }
		int main(void)
		{
			pthread_t thread;
			pthread_barrier_init(&barrier, NULL, 2);
			pthread_create(&thread, NULL, other, NULL);
			gone = first();
			free(realloc(gone, 6000));
			pthread_join(thread, NULL);
			return got != gone;
		}
	END
	cc -w -shared -fPIC -O1 -fno-builtin -o "$out/libmoves.so" "$out/moves.c"
	cc -w -g -O1 -fno-builtin -rdynamic -pthread -o "$out/between" "$out/between.c"
	POOLMEM="dir=$out/segments,heap=next,sites=all" LD_PRELOAD="$lib $out/libmoves.so" "$out/between"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/sites.json"
	python3 - "$out/sites.json" <<-'END'
		import json, sys
		sites, report = {}, json.load(open(sys.argv[1]))
		for s in report["sites"]:
		    names = [report["frames"][f]["function"] for f in s["frames"]]
		    for name in ("first", "other"):
		        if name in names:
		            sites[name] = (s["allocated"], s["freed"], s["live"])
		assert sites == {"first": (1, 1, 0), "other": (1, 1, 0)}, sites
	END
}

@test "next: run --frag says beforehand that there will be nothing" {
	cd "$out"
	POOLMEM=heap=next "$poolmem" run --frag -o next.pm -- /bin/true 2>err
	head -1 err | grep -q -- '--frag: with heap=next'
	grep -q 'next  *poolmem report next.pm' err
	POOLMEM=heap=own "$poolmem" run --frag -o own.pm -- /bin/true 2>err
	run -1 grep -q -- '--frag:' err
}

# peak SETTINGS ARGUMENT...: most that lived at a time, as seen
peak()
{
	rm -rf "$out"/segments/*
	POOLMEM="dir=$out/segments,heap=next,$1" LD_PRELOAD=$lib "$programs/peaks" "${@:2}"
	"$poolmem" report --json "$out"/segments/*.pms | python3 -c 'import json, sys
print(json.load(sys.stdin)["metrics"]["live.peak"])'
}

@test "heap=next: what another thread frees is seen to go after a megabyte or so" {
	for settings in gen=off,sites=off gen.clock=allocs; do
		[ "$(peak $settings 30000 handed)" -lt 4000000 ] # a gigabyte came and went
	done
}

@test "heap=next: the peak of live bytes is exact where each block is recorded and runs are to repeat" {
	[ "$(peak sites=all,repeatable=1 1000)" -lt 2000 ]
	[ "$(peak sites=all,repeatable=1 30000 handed)" -lt 62000 ]
}

# instructions COMMAND...: with heap=next
instructions()
{
	POOLMEM="dir=$out/segments,heap=next,$settings" LD_PRELOAD=$lib \
		valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

@test "heap=next: a thread that only frees does as few instructions as one that asked for a block before" {
	command -v valgrind >/dev/null || skip "no package valgrind"
	for settings in sites=never,gen=off sites=never sites=sample; do
		only=$(instructions "$programs/onlyfrees" 10000)
		asked=$(instructions "$programs/onlyfrees" 10000 both)
		echo "$settings: $only, $asked"
		[ "$asked" -gt 1000000 ]
		[ "$only" -lt $((asked + 10000 * 5)) ] # less than five a free
	done
}

# What the program says it holds, and a block of libc's for a thread.
@test "blocks that another thread or a child makes smaller where they are: what lives, of which size" {
	local heap sizes how
	for heap in own next next,gen=off; do
		for sizes in "1000000 100000" "1000 24"; do
			for how in "" free fork; do
				rm -rf "$out/segments"
				POOLMEM="dir=$out/segments,heap=$heap" LD_PRELOAD=$lib "$programs/shrinks" $sizes $how >"$out/told"
				figures "$out/told" "$how" <<-'END'
					import json, sys
					process = json.load(open(sys.argv[1]))["processes"][-1]
					stayed, live = map(int, open(sys.argv[2]).read().split())
					m = process["metrics"]
					assert 0 <= m["live.bytes"] - live <= 512, (m["live.bytes"], live)
					assert m["live.blocks"] in ((100, 101) if live else (0, 1)), m["live.blocks"]
					assert sys.argv[3] == "fork" or 0 <= m["leak.bytes"] - live <= 512, (m["leak.bytes"], live)
					assert sys.argv[3] == "fork" or all(c["allocated"] >= c["freed"] for c in process["classes"]), process["classes"]
				END
			done
		done
	done
}

# Counts of allocations and frees, and the keys of the notes, of the one capture or segment.
brief_of()
{
	"$poolmem" report --json "$@" >"$out/report.json"
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(d["metrics"]["alloc.count"], d["metrics"]["free.count"], *[n["key"] for n in d["notes"]])' "$out/report.json"
}

# What an allocator does for itself, and libstdc++, is a few dozen.
@test "heap=next: C++ new and delete are counted, also of allocators that serve them past malloc" {
	local next came went notes count fail missing=
	for next in "${allocators[@]}"; do
		present "$next" || { missing+=" $(packages "$next")"; continue; }
		fail=fail # mimalloc 2.0 aborts then
		LD_PRELOAD=$next "$programs/news" fail >"$out/told" 2>/dev/null || fail=
		LD_PRELOAD=$next POOLMEM=heap=next "$poolmem" run --lib "$lib" -f -o "$out/news.pm" -- "$programs/news" $fail >"$out/told" 2>/dev/null
		count=$(cat "$out/told")
		[ "$count" = 7000 ]
		read -r came went notes <<<"$(brief_of "$out/news.pm")"
		echo "${next:-libc}: $came $went $notes"
		[ "$came" -ge "$count" ]
		[ "$came" -le $((count + 50)) ]
		[ "$went" -ge "$count" ]
		[[ $notes != *new_unseen* ]]
		rm -rf "$out/segments"
		POOLMEM="dir=$out/segments,heap=next" LD_PRELOAD="$lib $next" "$programs/news" >"$out/told"
		read -r came went notes <<<"$(brief_of "$out"/segments/*.pms)"
		[ "$came" -ge "$count" ] || [[ $notes = *new_unseen* ]]
	done
	[ -z "$missing" ] || skip "with those that are here; for others:$missing"
}

@test "heap=next: an allocator that is preloaded already comes behind poolmem; in front by hand, that is said" {
	local next=libmimalloc.so.2 came went notes
	present $next || skip "no package $(packages $next)"
	LD_PRELOAD="$lib $next" POOLMEM=heap=next "$poolmem" run --lib "$lib" -f -o "$out/run.pm" -- "$programs/mix" 1000 2 2>/dev/null
	read -r came went notes <<<"$(brief_of "$out/run.pm")"
	[ "$came" -gt 500 ]
	[[ $notes != *passive* ]]
	POOLMEM="dir=$out/segments,heap=next" LD_PRELOAD="$next $lib" "$programs/mix" 1000 2
	read -r came went notes <<<"$(brief_of "$out"/segments/*.pms)"
	[ "$came" -eq 0 ]
	[[ $notes = *passive* ]]
}

@test "heap=next: a block whose birth cannot be noted is not counted, and that is said" {
	local came went notes
	POOLMEM="dir=$out/segments,heap=next" LD_PRELOAD=$lib "$programs/unborn"
	read -r came went notes <<<"$(brief_of "$out"/segments/*.pms)"
	echo "$came $went $notes"
	[ $((came - went)) -lt 10 ]
	[[ $notes = *births_lost* ]]
}

@test "heap=next: what a realloc makes of old blocks in place stands in a wrong generation, and that is said" {
	POOLMEM="dir=$out/segments,heap=next" LD_PRELOAD=$lib "$programs/shrinks" 1000 100 age 10000 >"$out/told"
	"$poolmem" survival --json "$out"/segments/*.pms >"$out/json"
	python3 - "$out/json" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		wrong = d["metrics"]["gen.2.live"] - d["metrics"]["live.blocks"]
		assert wrong == 10000 and d["generations"]["uncertain"] >= 2 * wrong, (wrong, d["generations"]["uncertain"])
	END
}
