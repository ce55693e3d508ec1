# SPDX-License-Identifier: MIT
# `poolmem check` never passes what it did not see: programs without a record, processes that run on, suppressions of other
# stacks, an end that only looks like the wanted one.

bats_require_minimum_version 1.5.0
load place

always=(--max-allocs 1000000000)

setup()
{
	enter
	gcc -static -o static -x c - <<<'int main(void) { return 0; }'
}

# What the kernel tells takes rights; without them only what lives while it is looked at is known.
require_kernel_tells()
{
	POOLMEM=dir=$out/segments "$poolmem" run --lib "$lib" -q -o told.pm -- true
	"$poolmem" report --json told.pm | grep -q '"programs_of": *"kernel"' ||
		skip "the kernel does not tell which programs run: perf_event_open is not allowed here"
}

# unseen TEXT ARGUMENTS...: the test is unreliable, and the report has the text; its lines are folded
unseen()
{
	local text=$1
	shift
	run -3 check --report json=out.json "$@"
	python3 - "$text" <<-'END'
		import json, sys
		test = json.load(open("out.json"))["tests"][0]
		assert test["state"] == "unreliable" and sys.argv[1] in test["why"], test["why"]
	END
}

# noted TEXT: the last report has a note with it
noted()
{
	python3 - "$1" <<-'END'
		import json, sys
		notes = [n["text"] if isinstance(n, dict) else n for n in json.load(open("out.json"))["notes"]]
		assert any(sys.argv[1] in n for n in notes), notes
	END
}

@test "check: a program that left no record is no pass, however short it lives" {
	require_kernel_tells
	unseen 'were not recorded: static (' -- sh -c './static; true'
	unseen 'is linked statically: no loader runs in it, so nothing can be preloaded; link it dynamically' -- sh -c './static; true'
	unseen 'were not recorded: static (' -- sh -c 'exec ./static'
	unseen 'were not recorded: static (' -- env -i ./static
	unseen 'were not recorded: true (' -- env -i "$(type -P true)"
	unseen 'ran without libpoolmem.so: leave LD_PRELOAD and POOLMEM in its environment' -- sh -c 'unset LD_PRELOAD; /bin/true; :'
	unseen 'POOLMEM=off was set for it' -- sh -c 'POOLMEM=off /bin/true; :'
	unseen 'were not recorded: static, true (' -- sh -c './static & env -i /bin/true; wait'
	unseen 'were not recorded: static (' -- python3 -c 'import os; os.posix_spawn("./static", ["x"], os.environ)'
	unseen 'were not recorded: static (' -- perl -e 'system "./static"'
}

@test "check: blocks that could not be recorded are no pass, whatever the rule" {
	unseen 'blocks found no room to be recorded' --env PYTHONMALLOC=malloc -- \
		bash -c 'ulimit -f 256; exec /usr/bin/python3 -c "import json"'
}

@test "check: programs that all left a record are a pass: shells, pipes, spawns, an exec of itself, ends without exit" {
	require_kernel_tells
	run -0 check -- sh -c 'for i in 1 2 3 4 5 6 7 8; do ls >/dev/null; done; ls | sort | wc -l; (exit 0); x=$(true); exec sh -c "exec sh -c :"'
	if unshare -pf true; then
		run -0 check -- unshare -pf sh -c '/bin/true; /bin/true'
		unseen 'were not recorded: static (' -- unshare -pf sh -c '/bin/true; ./static; :'
	fi
	run -0 check -- perl -e 'system "true"; exec "perl", "-e", "kill 9, fork || sleep 9; wait"'
	run -0 check -- python3 -c 'import os, subprocess; subprocess.run(["sh", "-c", "kill -9 $$"]); os.posix_spawn("/bin/true", ["true"], os.environ); os.wait(); os._exit(0)'
}

# What is to be written is told to the letter: as it stands it is accepted.
@test "check: the line that accepts what was not recorded is told to the letter" {
	require_kernel_tells
	cp static 'a [b]*'
	local line command="sh -c 'POOLMEM=off /bin/true; ./a\\ [b]\\*; /bin/../bin/true; env -i /bin/true; :'"
	printf '%s\n' '[test "a"]' "command = $command" 'leak.blocks <= 1M' >poolmem.budget
	run -3 check --report json=out.json
	line=$(python3 -c 'import json; print(json.load(open("out.json"))["tests"][0]["why"])')
	[[ $line == *"accept that with the lines 'unrecorded = true' and 'unrecorded = 'a \\[b]\\*'' in the budget" ]]
	printf '%s\n' 'unrecorded = true' "unrecorded = 'a \\[b]\\*'" >>poolmem.budget
	run -0 check
	printf '%s\n' '[test "a"]' "command = $command" "unrecorded = 'a [b]*'" 'unrecorded = true' >poolmem.budget
	run -3 check
	eval "run -3 check --report json=out.json -- $command"
	line=$(python3 -c 'import json; print(json.load(open("out.json"))["tests"][0]["why"])')
	[[ $line == *"accept that with --unrecorded true --unrecorded 'a \\[b]\\*'" ]]
	eval "run -0 check ${line##*accept that with } -- $command"
	run -2 check --unrecorded '' -- true
	[[ $output == *"--unrecorded: which program?"* ]]
}

@test "check: the budget can accept programs without a record, by name or pattern, and says so" {
	require_kernel_tells
	run -0 check --report json=out.json --unrecorded 'sta*' --unrecorded true -- sh -c './static; env -i /bin/true'
	noted 'in no figure are, as the budget allows: static, true'
	unseen 'were not recorded: true (' --unrecorded static -- sh -c './static; env -i /bin/true; :'
	printf '%s\n' '[test "a"]' "command = sh -c './static; true'" 'unrecorded = "*/static"' >poolmem.budget
	run -0 check
	printf '%s\n' '[test "a"]' "command = sh -c './static; true'" >poolmem.budget
	run -3 check
}

@test "check: where the kernel does not tell, what lives while it is looked at is seen, and the rest is a note" {
	gcc -static -o longer -x c - <<<'#include <unistd.h>
int main(void) { sleep(1); return 0; }'
	under() { "$programs/../fault/f31_filter" 1 perf_event_open env POOLMEM=dir="$out/segments" "$poolmem" check --lib "$lib" --max-allocs 1000000 "$@"; }
	run -3 under --report json=out.json -- sh -c './longer; true'
	[[ $(<out.json) == *'were not recorded: longer ('* ]]
	run -0 under --report json=out.json -- sh -c 'sleep 0.5; (sleep 0.5); exec sleep 0.5'
	noted 'the kernel does not tell which programs a test starts (Operation not permitted)'
	run -0 under --report json=out.json -- sleep 0.3
	run noted 'the kernel does not tell'
	[ "$status" != 0 ]
}

@test "run, report: programs that left no record are named" {
	require_kernel_tells
	POOLMEM=dir=$out/segments run --separate-stderr "$poolmem" run --lib "$lib" -o told.pm -f -- sh -c './static; env -i /bin/true'
	[[ $stderr == *"not recorded   2 programs: static, true"* ]]
	run -0 "$poolmem" report told.pm
	[[ $(tr -s '\n ' ' ' <<<"$output") == *"left no record"*"(2 programs; static, true)"* ]]
}

@test "run: a program that runs on is named, unless it may still keep a record" {
	require_kernel_tells
	gcc -static -o stays -x c - <<<'#include <unistd.h>
int main(void) { sleep(3); return 0; }'
	POOLMEM=dir=$out/segments run --separate-stderr "$poolmem" run --lib "$lib" -o told.pm -f -- sh -c 'setsid ./stays >&- 2>&- & sleep 0.3'
	[[ $stderr == *"not recorded   1 program: stays"* ]]
	POOLMEM=dir=$out/segments run --separate-stderr "$poolmem" run --lib "$lib" -o told.pm -f -- sh -c 'setsid sleep 3 >&- 2>&- & sleep 0.3'
	[[ $stderr != *"not recorded"* ]]
}

@test "check: what runs on is no pass, and does not run on" {
	cat >daemon.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			if (fork() == 0) {
				setsid();
				if (fork() != 0)
					_exit(0);
				FILE *f = fopen(argv[1], "a");
				fprintf(f, "%d\n", getpid());
				fclose(f);
				for (int i = 0; i < 3; i++)
					close(i);
				for (;;)
					pause();
			}
			while (access(argv[1], F_OK) != 0)
				usleep(1000);
			if (argc > 2)
				for (;;)
					pause();
			return 0;
		}
	END
	gcc -o daemon daemon.c
	unseen 'ran on when the first had ended, and were killed' -- ./daemon pids
	run -4 check --timeout 500ms -- ./daemon more 1
	[ -s pids ]
	[ -s more ]
	for pid in $(cat pids more); do
		run kill -0 "$pid"
		[ "$status" != 0 ]
	done
}

@test "check: a code is no signal, and a signal no code" {
	run -4 check --exit 134 -- "$app" abort
	[[ $output == *"was killed by SIGABRT, and did not exit with 134"* ]]
	run -0 check --exit SIGABRT -- "$app" abort
	run -0 check --exit 134 -- "$app" exit 134
	run -4 check --exit SIGABRT -- "$app" exit 134
	[[ $output == *"exited with 134, and was not killed by SIGABRT"* ]]
	run -4 check --exit SIGSEGV -- "$app" abort
	run -2 check --exit SIGNONE -- "$app" abort
	[[ $output == *"the name of a signal is expected here, as SIGSEGV"* ]]
	printf '%s\n' '[test "a"]' "command = $app abort" 'exit = SIGABRT' >poolmem.budget
	run -0 check
}

# The first run leaves a block by a function whose leaks are suppressed, the others as much by one whose are not.
@test "check: as much left by others than in the first run is not what was suppressed then" {
	cat >leaks.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <unistd.h>
		void *volatile kept;
		__attribute__((noinline)) void by_known(void) { kept = malloc(1000); kept = 0; }
		__attribute__((noinline)) void by_other(void) { kept = malloc(1000); kept = 0; }
		int main(void)
		{
			int fd = open("been", O_CREAT | O_EXCL, 0600);
			fd >= 0 ? by_known() : by_other();
			return 0;
		}
	END
	gcc -g -O0 -o leaks leaks.c
	echo 'leak:by_known' >known
	run -1 check --no-leaks --suppressions known --report json=out.json -- ./leaks
	python3 - <<-'END'
		import json
		rule = next(r for r in json.load(open("out.json"))["tests"][0]["rules"] if r["metric"] == "leak.blocks")
		assert (rule["runs"]["least"], rule["runs"]["most"]) == (0, 1), rule
	END
}

@test "check: what a test preloads itself is loaded, before the library" {
	gcc -shared -fPIC -o first.so -x c - <<<'#include <stdlib.h>
__attribute__((constructor)) static void begin(void) { exit(7); }'
	printf '%s\n' '[test "a"]' "command = $app" "env.LD_PRELOAD = $out/first.so" 'exit = 7' >poolmem.budget
	run -0 check
}

@test "check: captures of tests with names alike are kept apart" {
	printf '%s\n' '[test "a/b"]' "command = $app blocks 10" '[test "a_b"]' "command = $app blocks 20" '[test "a b"]' "command = $app blocks 30" >poolmem.budget
	run -0 check --keep kept
	[ "$(ls kept | wc -l)" = 3 ]
	[ -e kept/a_b.pm ]
	[ "$("$poolmem" report --json kept/a_b.pm | python3 -c 'import json,sys; print(json.load(sys.stdin)["metrics"]["alloc.count"])')" = 20 ]
}

@test "check: addresses that cannot be fixed are a note" {
	run -0 "$programs/../fault/f31_filter" 1 personality env POOLMEM=dir="$out/segments" "$poolmem" check --lib "$lib" --max-allocs 100 \
		--report json=out.json -- "$app" blocks 10
	noted 'addresses are drawn at random here'
	run -0 check --report json=out.json -- "$app" blocks 10
	run noted 'addresses are drawn'
	[ "$status" != 0 ]
}

@test "check: of several processes live.peak is a sum, and it is said" {
	run -0 check --max-peak 1GiB --report json=out.json -- sh -c '/bin/true; /bin/true'
	noted 'live.peak is the sum of the peaks of'
	run -0 check --max-peak 1GiB --report json=out.json -- "$app" blocks 10
	run noted 'live.peak is the sum'
	[ "$status" != 0 ]
}

@test "check: what the shell had started that became poolmem is of no test, and goes on" {
	bash -c 'sleep 60 & echo $! >pid; exec "$@"' bash "$poolmem" check --max-peak 100MiB -- true
	kill "$(cat pid)"
	# One of them ends meanwhile.
	bash -c 'sleep 0.1 & exec "$@"' bash "$poolmem" check --max-peak 100MiB -- sleep 0.3
}
