# SPDX-License-Identifier: MIT
# Resident memory of real programs: each byte is in a part, what is left over is under one per cent and never negative.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	cd "$out"
	served=
}

teardown()
{
	[ -z "$served" ] || kill -9 "$served" 2>/dev/null || true
}

check()
{
	PYTHONDONTWRITEBYTECODE=1 python3 "$BATS_TEST_DIRNAME/frag.py" "$@" | tee -a measured >&3
	[ "${PIPESTATUS[0]}" = 0 ]
}

installed()
{
	command -v "$1" >/dev/null || skip "no $1"
}

# at_end LABEL SHARE COMMAND...: the largest of its processes, at its end
at_end()
{
	local label=$1 share=$2
	shift 2
	rm -f segments/*
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib "$@" >said 2>&1 </dev/null || { cat said; return 1; }
	cat said >>all
	for segment in segments/*.pms; do
		"$poolmem" frag --json -n 0 "$segment" >"json.${segment##*/}"
	done
	python3 - json.* >json <<-'END'
		import json, sys
		all = [p for f in sys.argv[1:] for p in json.load(open(f))["processes"] if p["waterfall"]["rss"]]
		json.dump({"processes": all}, sys.stdout)
	END
	rm json.*
	check "$label" json "$share"
}

# live LABEL COMMAND...: three moments of a process that waits
live()
{
	local label=$1 moment
	shift
	rm -f segments/*
	POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$@" >said 2>&1 </dev/null &
	served=$!
	for moment in 1 2 3; do
		sleep $(by_level 0.7 2)
		"$poolmem" frag --json -n 0 segments/*"-$served-"*.pms >json
		cat "/proc/$served/smaps" >smaps
		check "$label, live" json 1
	done
	check "$label, by mapping" json 1 smaps
	kill -9 "$served"
	wait "$served" || true
	served=
}

strings='x = [str(i) for i in range(300000)]; y = x[::50]; del x'

@test "frag: python3, its own heap and ours" {
	python=/usr/bin/python3
	[ -x $python ] || python=python3
	at_end "python3" 1 $python -c "$strings"
	at_end "python3 malloc" 1 env PYTHONMALLOC=malloc $python -c "$strings"
	export PYTHONMALLOC=malloc
	live "python3 malloc" $python -c "$strings; import time; time.sleep(60)"
}

@test "frag: perl" {
	installed perl
	perl='my %h; $h{$_} = [$_] for 1..100000; delete $h{$_} for grep { $_ % 50 } 1..100000;'
	at_end perl 1 perl -e "$perl"
	live perl perl -e "$perl sleep 60"
}

@test "frag: sqlite3" {
	installed sqlite3
	at_end sqlite3 1 sqlite3 :memory: "create table t(a, b); with recursive c(x) as (select 1 union all select x + 1
		from c limit 100000) insert into t select x, hex(randomblob(20)) from c; delete from t where a % 50"
}

@test "frag: lua" {
	installed lua5.4
	at_end lua5.4 1 lua5.4 -e 'local t = {} for i = 1, 200000 do t[i] = {i} end for i = 1, 200000 do
		if i % 50 > 0 then t[i] = nil end end collectgarbage()'
}

@test "frag: cc1" {
	at_end cc1 1 gcc -O1 -c -o out.o -I"$root/include" -iquote "$root/analyzer" "$root/analyzer/study/pins.c"
}

@test "frag: redis-server, which waits" {
	installed redis-server
	live redis-server redis-server --port 0 --save '' --unixsocket "$out/socket"
}

@test "frag: threads that go on: by how much is said" {
	cat >churn.c <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		static void *work(void *seed)
		{
			enum { KEPT = 20000 };
			static __thread char *kept[KEPT];
			unsigned random = (unsigned)(long)seed;
			for (;;) {
				random = random * 1103515245 + 12345;
				unsigned at = (random >> 8) % KEPT;
				size_t bytes = (random >> 12) % 2000 + 1;
				free(kept[at]);
				kept[at] = memset(malloc(bytes), 1, bytes);
			}
			return seed;
		}
		int main(void)
		{
			pthread_t thread;
			for (long i = 0; i < 4; i++)
				pthread_create(&thread, NULL, work, (void *)i);
			sleep(1);
			exit(0);
		}
	END
	cc -O1 -pthread -o churn churn.c
	at_end "four threads" 10 ./churn
}

@test "frag: gs, node, java" {
	[ "$level" = soak ] || return 0
	! command -v gs || at_end gs 1 gs -q -dNOPAUSE -dBATCH -sDEVICE=png16m -r100 -sOutputFile=page.png \
		-c '/Helvetica findfont 40 scalefont setfont 0 1 200 { 30 mul dup moveto (page) show } for showpage'
	! command -v node || at_end node 5 node -e 'let a = []; for (let i = 0; i < 300000; i++) a.push({i})'
	! command -v java || at_end java 5 java -version
	! command -v luajit || live luajit luajit -e 'local t = {} for i = 1, 100000 do t[i] = {i} end while true do
		os.execute("sleep 60") end'
}

@test "frag: postgres, which forks" {
	[ "$level" = soak ] || return 0
	command -v initdb && command -v postgres || return 0 # tools/setup does not install it
	[ "$(id -u)" = 0 ] || skip "needs root"
	open=$(mktemp -d /tmp/poolmem-open.XXXXXX)
	chmod 1777 "$open"
	mkdir "$open/data" && chown 65534:65534 "$open/data"
	cp "$lib" "$open"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=$open"
	$as_nobody initdb -D "$open/data" >/dev/null
	$as_nobody POOLMEM=dir=$open/shm LD_PRELOAD=$open/libpoolmem.so postgres -D "$open/data" -k "$open" -h '' >said 2>&1 &
	sleep 4
	served=$(head -n 1 "$open/data/postmaster.pid")
	for moment in 1 2 3; do
		"$poolmem" frag --json -n 0 "$open/shm"/*"-$served-"*.pms >json
		check postgres json 1
		sleep 1
	done
	kill -9 "$served"
	served=
	rm -rf "$open"
}
