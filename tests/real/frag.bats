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

# needs COMMAND PACKAGE [COMMAND PACKAGE]...: or the test is left out, by the name of the package
needs()
{
	while [ $# -gt 0 ]; do
		command -v "$1" >/dev/null || skip "needs $2"
		shift 2
	done
}

# at_end LABEL SHARE COMMAND...: the largest of its processes, at its end
at_end()
{
	local label=$1 share=$2
	shift 2
	rm -rf segments/* smaps
	mkdir smaps
	POOLMEM=dir=$out/segments,frag=exit "$build/tests/real/smaps_at_exit" smaps env LD_PRELOAD=$lib "$@" >said 2>&1 </dev/null ||
		{ cat said; return 1; }
	of_all_segments
	check "$label" json "$share" smaps ${moving-}
}

# json: all processes that were surveyed
of_all_segments()
{
	for segment in segments/*.pms; do
		"$poolmem" frag --json -n 0 "$segment" >"json.${segment##*/}"
	done
	python3 - json.* >json <<-'END'
		import json, sys
		all = [p for f in sys.argv[1:] for p in json.load(open(f))["processes"] if p["waterfall"]["rss"]]
		json.dump({"processes": all}, sys.stdout)
	END
	rm json.*
}

# three_moments LABEL PID: of a process, mapping by mapping unless it is $moving
three_moments()
{
	local moment
	for moment in 1 2 3; do
		sleep $(by_level 0.3 1)
		"$poolmem" frag --json -n 0 segments/*"-$2-"*.pms >json
		cat "/proc/$2/smaps" >smaps.now
		check "$1, live" json 1 smaps.now ${moving-}
	done
}

# live LABEL WHEN COMMAND...: three moments of a process after so many seconds, or "reads": since it waits for what does not come
live()
{
	local label=$1 when=$2
	shift 2
	rm -rf segments/*
	mkfifo input
	exec 8<>input
	POOLMEM=dir=$out/segments LD_PRELOAD=$lib "$@" >said 2>&1 <input 8>&- &
	served=$!
	if [ "$when" = reads ]; then
		until [[ $(</proc/$served/wchan) == *pipe* ]]; do sleep 0.05; done
	else
		sleep "$when"
	fi
	three_moments "$label" "$served"
	kill -9 "$served"
	wait "$served" || true
	served=
	exec 8>&-
	rm input
}

strings='x = [str(i) for i in range(300000)]; y = x[::50]; del x'

@test "frag: python3, its own heap and ours" {
	python=/usr/bin/python3
	[ -x $python ] || python=python3
	at_end "python3" 1 $python -c "$strings"
	at_end "python3 malloc" 1 env PYTHONMALLOC=malloc $python -c "$strings"
	export PYTHONMALLOC=malloc
	live "python3 malloc" reads $python -c "$strings; input()"
}

@test "frag: perl" {
	needs perl perl
	perl='my %h; $h{$_} = [$_] for 1..100000; delete $h{$_} for grep { $_ % 50 } 1..100000;'
	at_end perl 1 perl -e "$perl"
	live perl reads perl -e "$perl <STDIN>"
}

@test "frag: sqlite3" {
	needs sqlite3 sqlite3
	rows="create table t(a, b); with recursive c(x) as (select 1 union all select x + 1
		from c limit 100000) insert into t select x, hex(randomblob(20)) from c; delete from t where a % 50;"
	at_end sqlite3 1 sqlite3 :memory: "$rows"
	live sqlite3 reads sqlite3 -cmd "$rows" :memory:
}

@test "frag: lua" {
	needs lua5.4 lua5.4
	lua='local t = {} for i = 1, 200000 do t[i] = {i} end for i = 1, 200000 do
		if i % 50 > 0 then t[i] = nil end end collectgarbage()'
	at_end lua5.4 1 lua5.4 -e "$lua"
	live lua5.4 reads lua5.4 -e "$lua io.read()"
}

# It works all the while.
@test "frag: cc1plus" {
	needs g++ g++
	printf '#include <%s>\n' regex map iostream functional random >many.cpp
	echo 'std::regex r("a*b"); std::map<int, std::function<std::string(int)>> m; std::mt19937 g;' >>many.cpp
	at_end cc1plus 1 g++ -O2 -c -o many.o many.cpp
	cc1plus=$(g++ -print-prog-name=cc1plus)
	printf 'template <int N> struct F { enum { v = F<N - 1>::v + 1, w = F<N - 2>::v }; }; template <> struct F<0> { enum { v }; };
		template <> struct F<1> { enum { v }; }; int x = F<%d>::v;\n' 800 >>many.cpp
	for i in $(seq 40); do printf 'template class std::map<int[%d], std::function<int(int)>>;\n' "$i"; done >>many.cpp
	moving=moving
	live cc1plus 0.4 "$cc1plus" -quiet -O2 -imultiarch "$(g++ -print-multiarch)" -o many.s many.cpp
}

@test "frag: gs" {
	needs gs ghostscript
	page='/Helvetica findfont 40 scalefont setfont 0 1 200 { 30 mul dup moveto (page) show } for showpage'
	at_end gs 1 gs -q -dNOPAUSE -dBATCH -sDEVICE=png16m -r100 -sOutputFile=page.png -c "$page"
	live gs reads gs -q -dNOPAUSE -sDEVICE=png16m -r100 -sOutputFile=page.png -c "$page" -f -
}

@test "frag: redis-server" {
	needs redis-server redis-server redis-cli redis-tools
	redis="redis-server --port 0 --save \"\" --unixsocket $out/socket"
	fill='redis-cli -s "$0" eval "for i = 1, 50000 do redis.call(\"set\", i, i) end for i = 1, 50000 do if i % 50 > 0 then redis.call(\"del\", i) end end" 0'
	at_end redis-server 1 sh -c "$redis & sleep 1; $fill; redis-cli -s \"\$0\" shutdown nosave; wait" "$out/socket"
	(sleep 0.5 && sh -c "$fill" "$out/socket" >/dev/null) &
	live redis-server 2 redis-server --port 0 --save '' --unixsocket "$out/socket"
}

@test "frag: node" {
	[ "$level" = soak ] || return 0 # which installs it
	needs node nodejs
	node='let a = []; for (let i = 0; i < 300000; i++) a.push({i});'
	at_end node 1 node -e "$node"
	live node 3 node -e "$node setInterval(() => a.length, 1e6)"
}

@test "frag: java" {
	[ "$level" = soak ] || return 0 # which installs it
	needs java default-jre-headless javac default-jdk-headless
	cat >Live.java <<-'END'
		public class Live {
			public static void main(String[] arguments) throws Exception {
				StringBuilder text = new StringBuilder();
				for (int i = 0; i < 300000; i++)
					text.append(i);
				System.out.println(text.length());
				if (arguments.length > 0)
					Thread.sleep(1000000);
			}
		}
	END
	javac Live.java
	at_end java 1 java Live
	live java 4 java Live wait
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
	moving=moving
	at_end "four threads" 10 ./churn
	# Whose pages stay: RSS does not tell.
	python3 -c 'import json
w = max(json.load(open("json"))["processes"], key=lambda p: p["waterfall"]["rss"])["waterfall"]
print("# drift", w["drift"], "blocks", w["drift_blocks"], "of", w["live_blocks"])
assert 0 < w["drift_blocks"] <= 2 * w["live_blocks"] + 1000, w
assert 0 < w["drift_block_bytes"] < 2 * w["live_bytes"] + (1 << 20), w' >&3
	"$poolmem" frag -o words segments/*.pms
	tr -s '\n ' ' ' <words | grep -q 'went on while it was looked at'
	# One figure for the peak, here and in the report, though what was seen and not proven was more.
	"$poolmem" run --frag -f -o churn.pm -- ./churn 2>/dev/null
	"$poolmem" frag --json --at live-peak churn.pm >json
	"$poolmem" report --json churn.pm >report.json
	python3 -c 'import json
one = json.load(open("json"))["processes"][0]
assert one["at"] == "live-peak", one["at"]
peak = json.load(open("report.json"))["metrics"]["live.peak"]
assert one["peak_highest"] == peak, (one["peak_highest"], peak)'
	most=$("$poolmem" report churn.pm | sed -n 's/^ *live at peak //p')
	"$poolmem" frag churn.pm | tr -s '\n ' ' ' | grep -qF "Most live: $most, at "
}

@test "frag: postgres, which forks" {
	[ "$level" = soak ] || return 0 # which installs it
	[ "$(id -u)" = 0 ] || skip "needs root"
	needs initdb postgresql postgres postgresql
	open=$(mktemp -d /tmp/poolmem-open.XXXXXX)
	chmod 1777 "$open"
	mkdir -m 700 "$open/data" "$open/shm" "$open/smaps"
	chown -R 65534:65534 "$open/data" "$open/shm" "$open/smaps"
	cp "$lib" "$build/tests/real/smaps_at_exit" "$open"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=$open"
	$as_nobody initdb -D "$open/data" >/dev/null
	cd "$open"
	$as_nobody POOLMEM=dir=$open/shm,frag=exit ./smaps_at_exit smaps env LD_PRELOAD=$open/libpoolmem.so \
		postgres -D data -k "$open" -h '' >said 2>&1 &
	sleep 4
	served=$(head -n 1 "$open/data/postmaster.pid")
	ln -s shm segments
	three_moments postgres "$served"
	kill -INT "$served"
	wait $!
	served=
	of_all_segments
	check postgres json 1 smaps
	cd "$out"
	rm -rf "$open"
}
