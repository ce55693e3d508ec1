# SPDX-License-Identifier: MIT
# `poolmem check`: what each outcome exits with, what a budget file can say, what a baseline holds.

bats_require_minimum_version 1.5.0
load place

# budget LINE...: poolmem.budget
budget()
{
	printf '%s\n' "$@" >poolmem.budget
}

# json EXPRESSION: of the report in out.json, `d`; `t` its tests by name, `r(test, rule)` a rule by its text
json()
{
	python3 - "$1" <<-'END'
		import json, sys
		d = json.load(open("out.json"))
		t = {x["name"]: x for x in d["tests"]}
		def r(test, text): return next(x for x in t[test]["rules"] if x["rule"] == text)
		assert eval(sys.argv[1]), json.dumps(d, indent=1)[:4000]
	END
}

no_leftovers()
{
	[ -z "$(find "$out" -maxdepth 1 -name 'poolmem-check-*')" ]
	[ -z "$(find "$out/segments" -name '*.pms')" ]
}

# --- exit codes ---

@test "check: 0 within, to the unit" {
	run -0 check --rule 'alloc.count = 1002' --max-peak 2000B --no-leaks -- "$app" blocks 1000 held 1000 held 984
	run -0 check --max-allocs 1002 --rule 'alloc.requested = 267484' -- "$app" blocks 1000 held 1000 held 984
	no_leftovers
}

@test "check: 1 over budget, by one of anything" {
	run -1 check --max-allocs 1000 -- "$app" blocks 1001
	[[ $output == *"alloc.count is 1,001, 1 or"*"over 1,000"* ]]
	run -1 check --rule 'alloc.count = 1002' -- "$app" blocks 1001
	[[ $output == *"1 less than 1,002"* ]]
	run -1 check --max-peak 1007B -- "$app" held 1000
	run -1 check --no-leaks -- "$app" leak 1
	run -1 check --rule 'leak.bytes <= 15' -- "$app" leak 1
	no_leftovers
}

@test "check: 2 for a wrong command line, budget, baseline, or a program that is not there" {
	run -2 check
	[[ $output == *"There is no poolmem.budget here"* ]]
	run -2 check -- "$app"
	[[ $output == *"nothing to hold test"* ]]
	run -2 check --max-peak 24furlongs -- "$app"
	[[ $output == *"'furlongs' is no unit here"* ]]
	run -2 check --rule 'alloc.cuont = 1' -- "$app"
	[[ $output == *"there is no metric or key 'alloc.cuont'"* ]]
	run -2 check --no-leaks -- ./none
	[[ $output == *"./none cannot be run"* ]]
	run -2 check --rule 'alloc.count <= baseline' -- "$app"
	[[ $output == *"no baseline"* ]]
	run -2 check --no-leaks --against none.pm -- "$app"
	run -2 check --no-leaks --report html=x -- "$app"
	run -2 check --update --ratchet -- "$app"
	run -2 check --runs 1 --no-leaks -- "$app"
	run -2 check --exit 256 --no-leaks -- "$app"
	[[ $output == *"--exit '256': a number from 0 to 255 is expected here"* ]]
	run -2 check --baseline none.json --no-leaks -- "$app"
	budget '[test "a"]' "command = $app" 'alloc.count <= '
	run -2 check
	[[ $output == *"poolmem.budget:3:15: a number is expected here"* ]]
	no_leftovers
}

@test "check: 3 when something is missing: it is no pass" {
	run -3 check --max-allocs 1000000 -- "$app" blocks 10 behind
	[[ $output == *"ran on when the first had ended"* ]]
	sleep 2
	gcc -static -o static -x c - <<<'int main(void) { return 0; }'
	run -3 check --max-allocs 1000000 -- ./static
	[[ $output == *"is linked statically"* ]]
}

@test "check: 4 when the program failed, whatever its memory" {
	run -4 --separate-stderr check --max-allocs 0 -- "$app" blocks 10 echo 'the reason' exit 7
	[[ $output == *"the program exited with 7"* && $output != *"exceeded"* && $stderr == *"| the reason"* ]]
	run -4 check --no-leaks -- "$app" abort
	[[ $output == *"killed by SIGABRT"* ]]
	run -4 check --no-leaks --timeout 300ms -- "$app" hang
	[[ $output == *"killed after its timeout of 300 ms"* ]]
	for code in 1 2 3 4 125 127; do
		run -4 check --no-leaks -- "$app" exit $code
		run -0 check --no-leaks --exit $code -- "$app" exit $code
		run -1 check --max-allocs 9 --exit $code -- "$app" blocks 10 exit $code
	done
	run -0 check --no-leaks --exit SIGABRT -- "$app" abort
	no_leftovers
}

@test "check: a signal ends the test that runs, and then poolmem by the same" {
	python3 - "$poolmem" "$lib" "$app" <<-'END'
		import os, signal, subprocess, sys, time
		poolmem, lib, app = sys.argv[1:]
		env = dict(os.environ, POOLMEM="dir=" + os.getcwd() + "/segments")
		p = subprocess.Popen([poolmem, "check", "--lib", lib, "--no-leaks", "--", app, "hang"], env=env, stdout=subprocess.DEVNULL)
		until = time.time() + 60
		while time.time() < until and not os.listdir("segments"):
		    time.sleep(0.05)
		p.send_signal(signal.SIGTERM)
		assert p.wait() == -signal.SIGTERM, p.returncode
	END
	[ -z "$(find "$out" -maxdepth 1 -name 'poolmem-check-*')" ]
}

@test "check: the worst of several tests counts, and all of them run" {
	budget '[test "good"]' "command = $app blocks 5" 'alloc.count = 5' \
		'[test "over"]' "command = $app blocks 6" 'alloc.count = 5' \
		'[test "fails"]' "command = $app exit 1" 'alloc.count = 5' \
		'[test "good too"]' "command = $app blocks 7" 'alloc.count = 7'
	run -4 check --json
	printf '%s' "$output" >out.json
	json '[x["state"] for x in d["tests"]] == ["passed", "exceeded", "failed", "passed"] and d["exit_code"] == 4'
	run -1 check --test over --test good
	run -0 check --test 'good too'
	run -2 check --test none
}

# --- what to do next ---

# next_step CODE WORDS ARGUMENT...: check exits with CODE, and says WORDS; of what it says to do nothing else is there
next_step()
{
	local code=$1 words=$2 other
	shift 2
	run "-$code" check "$@"
	output=${output//$'\n'/ }
	output=$(tr -s ' ' <<<"$output")
	for other in 'take it into the baseline with --update' 'raise the limit' 'Free what the call sites' 'Where a figure is less' \
		'Give the rules that are named a tolerance' 'Correct the names' 'Test a program whose calls' 'Let the program wait' \
		'Run the failed command' 'Run the command that took too long' 'Correct the command' 'Make the baseline:' \
		'compare with a newer capture' 'Compare with a capture'; do
		if [ "$other" = "$words" ]; then
			[[ $output == *"$other"* ]]
		else
			[[ $output != *"$other"* ]]
		fi
	done
}

@test "check: what to do next is of the cause" {
	gcc -static -o static -x c - <<<'int main(void) { return 0; }'
	next_step 1 'raise the limit' --max-allocs 5 -- "$app" blocks 6
	next_step 1 'Free what the call sites' --no-leaks -- "$app" leak 6
	next_step 3 'Test a program whose calls' --no-leaks -- ./static
	next_step 3 'Let the program wait' --no-leaks -- "$app" behind
	next_step 2 'Correct the command' --no-leaks -- ./none
	next_step 4 'Run the failed command' --no-leaks -- "$app" exit 1
	next_step 4 'Run the command that took too long' --no-leaks --timeout 200ms -- "$app" hang
	next_step 3 'Correct the names' --rule 'site "blokcs" alloc.count <= 5' -- "$app" blocks 6
	next_step 2 'Make the baseline:' --rule 'alloc.count <= baseline' -- "$app" blocks 6
	next_step 1 'Where a figure is less' --rule 'alloc.count = 7' -- "$app" blocks 6
	[[ $output == *"write alloc.count = 6, or <= to allow less"* ]]
	run -0 check --rule 'alloc.count <= baseline' --update -- "$app" blocks 6
	next_step 1 'take it into the baseline with --update' --rule 'alloc.count <= baseline' -- "$app" blocks 7
	chance 10000 'site "blocks" alloc.count <= 10025'
	next_step 3 'Give the rules that are named a tolerance' --runs 4
	sleep 2
}

@test "check: what is suggested for chance is written as its rule is" {
	chance 10000 'site "blocks" alloc.count <= 10025'
	run -3 check --runs 4 --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count <= 10025")["remedy"].endswith("of these that is 10,050")'
	json '[x["cause"] for x in t["a"]["rules"]] == ["chance"] and t["a"]["cause"] is None'
	chance 10000 'site "blocks" alloc.count = baseline'
	run check --update
	chance 10000 'site "blocks" alloc.count = baseline'
	run -3 check --runs 4 --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count = baseline")["remedy"] == "allow for what chance does: site \"blocks\" alloc.count = baseline +- 1.5000%, with --runs 7"'
	# So small that three times the spread is more than the figure: no share, but as much as that.
	chance 3 'site "blocks" alloc.count <= baseline'
	run check --update
	chance 3 'site "blocks" alloc.count <= baseline'
	run -3 check --runs 4 --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count <= baseline")["remedy"] == "allow for what chance does: site \"blocks\" alloc.count <= baseline + 150, with --runs 7"'
}

# --- options ---

@test "check: a command line that ends with -- names no program" {
	budget '[test "a"]' "command = $app" 'alloc.count = 0'
	run -2 check --no-leaks --
	[[ $output == *"which program? Nothing stands behind --"* ]]
	run -2 check --
	run -0 check --no-leaks
	run -2 check --test --
	[[ $output == *'there is no test "--"'* ]]
}

@test "check: times as compare takes them: seconds, or with a unit" {
	local time
	for time in 1 1s 1000ms '0.5 s'; do
		run -4 check --no-leaks --timeout "$time" -- "$app" hang
	done
	for time in 60 60s 1min; do
		run -0 check --no-leaks --timeout "$time" -- "$app"
		run -0 "$poolmem" compare --only glibc --runs 1 --timeout "$time" -- true
	done
	for time in 5x 0 '' '5 5' -1; do
		run -2 check --no-leaks "--timeout=$time" -- "$app"
		[[ $output == *"--timeout '$time': "* ]]
		run -2 "$poolmem" compare --only glibc "--timeout=$time" -- true
		[[ $output == *"--timeout '$time': "* ]]
	done
	budget '[test "a"]' "command = $app hang" 'timeout = 1' 'alloc.count = 0'
	run -4 check
	[[ $output == *"its timeout of 1.00 s"* ]]
}

@test "check: variables of the command line reach each test, before its own" {
	run -0 check --no-leaks --env 'A=a b' --env HELD --env GONE -- "$app" is A 'a b' is GONE '' is HELD ''
	export HELD='it is'
	run -0 check --no-leaks --env HELD --env A=1 --env A=2 -- "$app" is HELD 'it is' is A 2
	run -4 check --no-leaks -- "$app" is HELD 'it is'
	budget '[test "a"]' "command = $app is A new" 'env.A = old' 'alloc.count = 0' \
		'[test "b"]' "command = $app is A new" 'alloc.count = 0'
	run -4 check
	run -0 check --env A=new
	run -2 check --env POOLMEM=sites=off
	[[ $output == *"POOLMEM cannot be set here"* ]]
	run -2 check --env =x
	[[ $output == *"which variable?"* ]]
}

@test "check: what a rule of the command line has wrong is shown with its column and the page to read" {
	run -2 check --rule 'alloc.count <= 5 5' -- "$app"
	[[ $output == *"'alloc.count <= 5 5', column 18: '5' is too much here: a limit is one number"*"see poolmem-budget(5)"* ]]
	budget '[test "a"]' "command = $app" 'alloc.count <= 5 5'
	run -2 check
	[[ $output == *"poolmem.budget:3:18: '5' is too much here"*"see poolmem-budget(5)"* ]]
}

@test "check: a report or a baseline that cannot be written is told before anything runs" {
	budget '[test "a"]' "command = sh -c 'echo ran >>ran'" 'leak.blocks <= 1M'
	run -3 check --report json=a.json --report junit=none/b.xml
	[[ $output == *"cannot create none/b.xml"* && $output != *passed* ]]
	run -3 check --report "json=$out"
	run -3 check --update --baseline none/b.json
	[ ! -e ran ]
	[ ! -e a.json ]
	[ -z "$(find . -name 'a.json*')" ]
	mkfifo pipe
	cat pipe >piped &
	local reader=$!
	run -0 check --report json=pipe
	wait "$reader"
	python3 -c 'import json; assert json.load(open("piped"))["state"] == "passed"'
}

# --- budget files ---

@test "check: environment, directory, quotes, comments, exit and timeout of a test" {
	mkdir 'a b'
	budget '# a comment' '; another' '[test "one"]   # and one here' "command = '$app' is SEEN 'a # b' is HELD yes is HOME \"$HOME\" is GONE \"\" blocks 3" \
		'env.SEEN = "a # b"' 'env = HELD=yes' 'env = PASSED' 'timeout = 1.5 min' 'alloc.count = 3' \
		'[test "two"]' "command = $app is PASSED 'it is' exit 3" 'env = PASSED' 'exit = 3' 'directory = "a b"' 'alloc.count = 0' \
		'[test "three"]' 'command = sh -c "test -d segments"' 'leak.blocks <= 1,000,000' \
		'[test "four"]' 'command = sh -c "test ! -d segments"' 'directory = a\ b' 'leak.blocks <= 1k'
	run -0 env PASSED='it is' GONE=never POOLMEM="dir=$out/segments" "$poolmem" check --lib "$lib"
}

@test "check: two runs alike: the same environment, the same addresses, the same length of all of it" {
	cat >same.sh <<-'END'
		env | sort >>env.$1
		cat /proc/self/maps | grep -v '[0-9] */dev/shm\|\[' | cut -d- -f1 >>maps.$1
		echo ok >>turns
	END
	budget '[test "one"]' "command = sh same.sh 1" 'leak.blocks <= 1M'
	run check --runs 2
	[ "$(wc -l <turns)" = 2 ]
	python3 - <<-'END'
		lines = open("env.1").read().split("\n")
		half = [l for l in lines if l]
		assert len(half) % 2 == 0
		first, second = half[:len(half) // 2], half[len(half) // 2:]
		assert [len(l) for l in first] == [len(l) for l in second]
		assert [l for l in first if not l.startswith("POOLMEM=")] == [l for l in second if not l.startswith("POOLMEM=")]
		maps = open("maps.1").read().split()
		assert maps[:len(maps) // 2] == maps[len(maps) // 2:]
	END
}

@test "check: sites and modules have rules of their own" {
	budget '[test "a"]' "command = $app blocks 100 held 50 leak 60" \
		'site "blocks" alloc.count = 100' 'site "hold" alloc.count = 1' 'site "act" alloc.count = 102' \
		'site "leak" leak.bytes = 64' 'site "bl*" leak.bytes = 0' 'site "hold" alloc.requested = 50' \
		'module "budgeted" alloc.count = 102' 'module "libnone" alloc.count = 0' 'site "main" live.blocks = 1'
	run -0 check
	[[ $output == *'no call site is of module "libnone"'* ]]
	budget '[test "a"]' "command = $app blocks 100 held 50" 'site "blocks" alloc.count <= 99' 'site "hold" alloc.count <= 1'
	run -1 check --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count <= 99")["sites"][0]["function"] == "blocks"'
}

@test "check: a rule of a site or module that nothing is of is no pass" {
	budget '[test "a"]' "command = $app blocks 100" 'site "blokcs" alloc.count <= 5'
	run -3 check
	[[ $output == *'no call site is of site "blokcs" in any run'*"limit of 0"* ]]
	budget '[test "a"]' "command = $app blocks 100" 'module "libnone" alloc.count = 7' 'module "budgeted" alloc.count = 100'
	run -1 check
	budget '[test "a"]' "command = $app blocks 100" 'module "libnone" alloc.count <= 7'
	run -3 check
	budget '[test "a"]' "command = $app blocks 100" 'module "libnone" alloc.count <= 0' 'site "none" leak.bytes = 0'
	run -0 check
	budget '[test "a"]' "command = $app blocks 100 held 10" 'site "hold" alloc.count <= baseline'
	run -0 check --update
	budget '[test "a"]' "command = $app blocks 100" 'site "hold" alloc.count <= baseline'
	run -0 check
	[[ $output == *'no call site is of site "hold"'* ]]
}

@test "check: who is to blame is named by the rule's own match" {
	budget '[test "a"]' "command = $app blocks 10 leak 50 leaks 3" 'site "leak" alloc.count = 0'
	run -1 check --json
	printf '%s' "$output" >out.json
	json '[s["function"] for s in r("a", "site \"leak\" alloc.count = 0")["sites"]] == ["leak"]'
}

@test "check: a test may be called as its scratch would be, and POOLMEM is check's own" {
	budget '[test "again"]' "command = $app blocks 10" 'alloc.count <= 5'
	run -1 check --json
	printf '%s' "$output" >out.json
	json 'r("again", "alloc.count <= 5")["sites"][0]["function"] == "blocks"'
	budget '[test "a"]' "command = $app blocks 10" 'env.POOLMEM = sites=none' 'alloc.count <= 10'
	run -2 check
	[[ $output == *"poolmem.budget:3:"*"POOLMEM cannot be set here"* ]]
	budget '[test "a"]' "command = $app blocks 10" 'env = POOLMEM' 'alloc.count <= 10'
	run -2 check
	no_leftovers
}

@test "check: a budget and a baseline may be links" {
	budget '[test "a"]' "command = $app blocks 10" 'alloc.count <= baseline'
	run -0 check --update
	mkdir real
	mv poolmem.budget poolmem.baseline.json real
	ln -s real/poolmem.budget real/poolmem.baseline.json .
	run -0 check
	echo 'leak:^leak$' >real/left
	ln -s real/left real/none .
	run -1 check --no-leaks -- "$app" leak 5
	run -0 check --no-leaks --suppressions left -- "$app" leak 5
	run -2 check --no-leaks --against none -- "$app"
	[[ $output == *"cannot open none"* ]]
}

# --- chance ---

# chance BLOCKS RULE...: so many blocks and 50 more in turn
chance()
{
	rm -f turn
	budget '[test "a"]' "command = sh -c 'n=\$(cat turn || echo 0); echo \$((n + 1)) >turn; exec $app blocks \$(($1 + n % 2 * 50))'" "${@:2}"
}

@test "check: what is chance is named, with its spread and a tolerance that holds it" {
	chance 10000 'site "blocks" alloc.count <= 10025'
	run -3 check --runs 4
	[[ $output == *"differs from run to run"* ]]
	chance 10000 'site "blocks" alloc.count <= 10025'
	run -3 check --runs 7
	[[ $output == *"3 of 7 runs were over 10,025"* ]]
	chance 10000 'site "blocks" alloc.count <= 10025'
	echo 1 >turn
	run -1 check --runs 7
	[[ $output == *"4 of 7 runs were over"* ]]
	chance 10000 'site "blocks" alloc.count <= 10050'
	run -0 check --runs 4
	chance 10000 'site "blocks" alloc.count <= baseline + 5%'
	run -0 check --update
	run -0 check
	[[ $output == *"7 runs"* ]]
	python3 -c 'import json; v = json.load(open("poolmem.baseline.json"))["tests"]["a"]["metrics"]["alloc.count"]; assert len(v) == 7, v'
	chance 12000 'site "blocks" alloc.count <= baseline + 5%'
	run -1 check --json
	printf '%s' "$output" >out.json
	json '0 <= r("a", "site \"blocks\" alloc.count <= baseline + 5%")["p"] < 0.01'
	json 'r("a", "site \"blocks\" alloc.count <= baseline + 5%")["tolerance_millionths"] == 3 * 50 * 1000000 // 12000'
}

# --- baselines ---

@test "check: a baseline is sorted, a figure a line; the second run is within it" {
	budget '[test "b"]' "command = $app blocks 100 leak 5" 'alloc.count <= baseline' 'site "leak" alloc.count <= baseline' \
		'[test "a"]' "command = $app held 100" 'live.peak <= baseline'
	run -2 check
	run -0 check --update
	cp poolmem.baseline.json first
	run -0 check --update
	cmp first poolmem.baseline.json
	python3 - <<-'END'
		import json, re
		text = open("poolmem.baseline.json").read()
		d = json.loads(text)
		assert d["schema"] == 1 and list(d["tests"]) == ["a", "b"]
		for t in d["tests"].values():
		    assert list(t["metrics"]) == sorted(t["metrics"]) and list(t["environment"]) == sorted(t["environment"])
		    assert set(t["environment"]) >= {"architecture", "compiler", "libc", "page_bytes", "poolmem"}, t["environment"]
		m = d["tests"]["b"]["metrics"]
		assert m["alloc.count"] == 101 and m['site "leak" alloc.count'] == 1 and m["leak.blocks"] == 1
		assert not any(k.startswith(("rss.", "process.pid", "process.elapsed")) for k in m)
		assert re.search(r'^ +"alloc.count": 101,$', text, re.M)
		s = d["tests"]["b"]["sites"]
		assert [(x["function"], x["alloc.count"]) for x in s] == [("blocks", 100), ("leak", 1)], s
		assert all(x["file"] == "budgeted.c" and x["line"] > 0 for x in s)
	END
	run -0 check
	sed -i 's/blocks 100/blocks 101/' poolmem.budget
	run -1 check
	[[ $output == *"grown +1: 100 before, 101 after"* && $output == *"blocks at "*budgeted.c:* ]]
}

@test "check: the ratchet takes only what is better" {
	budget '[test "a"]' "command = $app blocks 100 leak 100" 'alloc.count <= baseline + 10%' 'leak.blocks <= baseline'
	run -0 check --update
	sed -i 's/blocks 100/blocks 105/; s/leak 100/leak 50/' poolmem.budget
	run -0 check --ratchet
	python3 -c 'import json; m = json.load(open("poolmem.baseline.json"))["tests"]["a"]["metrics"]; assert m["alloc.count"] == 101 and m["leak.bytes"] == 64, m'
	sed -i 's/blocks 105/blocks 90/' poolmem.budget
	run -0 check --ratchet
	python3 -c 'import json; m = json.load(open("poolmem.baseline.json"))["tests"]["a"]["metrics"]; assert m["alloc.count"] == 91 and m["leak.bytes"] == 64, m'
	cp poolmem.baseline.json before
	sed -i 's/blocks 90/blocks 200/' poolmem.budget
	run -1 check --ratchet
	cmp before poolmem.baseline.json
	sed -i 's/blocks 200/exit 1/' poolmem.budget
	run -4 check --ratchet
	run -4 check --update
	cmp before poolmem.baseline.json
}

@test "check: = is equal: less is told as less, and the ratchet takes it" {
	budget '[test "a"]' "command = $app leaks 3 blocks 100" 'leak.blocks = baseline' 'alloc.count = baseline +- 1%'
	run -0 check --update
	cp poolmem.baseline.json before
	sed -i 's/leaks 3/leaks 1/' poolmem.budget
	run -1 check
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"leak.blocks is 1, 2 less than its baseline of 3. less is not equal: --ratchet takes it into the baseline, and leak.blocks <= baseline would allow it."* ]]
	cmp before poolmem.baseline.json
	run -0 check --ratchet
	python3 -c 'import json; m = json.load(open("poolmem.baseline.json"))["tests"]["a"]["metrics"]; assert m["leak.blocks"] == 1 and m["alloc.count"] == 101, m'
	run -0 check
	sed -i 's/leaks 1/leaks 2/' poolmem.budget
	cp poolmem.baseline.json before
	run -1 check --ratchet
	cmp before poolmem.baseline.json
	# What is less by one rule does not excuse what is more by another.
	sed -i 's/leaks 2 blocks 100/leaks 0 blocks 200/' poolmem.budget
	run -1 check --ratchet
	cmp before poolmem.baseline.json
}

@test "check: runs that disagree about a baseline: the middle one decides, unless it may be chance" {
	chance 10000 'site "blocks" alloc.count <= baseline'
	run check --update --runs 8
	# As it was: half of the runs are over the lower one of both in the middle, and none of it is told apart.
	chance 10000 'site "blocks" alloc.count <= baseline'
	echo 1 >turn
	run -3 check --runs 7 --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count <= baseline")["cause"] == "chance" and r("a", "site \"blocks\" alloc.count <= baseline")["p"] >= 0.05'
	# The middle one is within.
	chance 10000 'site "blocks" alloc.count <= baseline'
	run -0 check --runs 7
	# The middle one is over, and that is no chance.
	chance 10020 'site "blocks" alloc.count <= baseline + 30'
	echo 1 >turn
	python3 - <<-'END'
		import json
		d = json.load(open("poolmem.baseline.json"))
		d["tests"]["a"]["metrics"]['site "blocks" alloc.count'] = [10000] * 7 + [9999]
		json.dump(d, open("poolmem.baseline.json", "w"))
	END
	run -1 check --runs 7 --json
	printf '%s' "$output" >out.json
	json 'r("a", "site \"blocks\" alloc.count <= baseline + 30")["cause"] == "grew" and 0 <= r("a", "site \"blocks\" alloc.count <= baseline + 30")["p"] < 0.05'
	# With too few runs nothing is decided.
	run -3 check --runs 4
}

@test "check: a baseline of another command is told" {
	run -0 check --update --rule 'alloc.count <= baseline' -- "$app" blocks 10
	run -0 check --rule 'alloc.count <= baseline' -- "$app" blocks 10
	[[ $output != *"another command"* ]]
	mkdir sub
	cp "$app" sub
	run -0 check --rule 'alloc.count <= baseline' -- sub/budgeted blocks 10
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"The baseline was made with another command: $app blocks 10 then, sub/budgeted blocks 10 now."* ]]
	run -0 check -- "$app" blocks 10
	run -1 check -- "$app" blocks 11
}

@test "check: another environment is told, and what of it differs" {
	budget '[test "a"]' "command = $app blocks 10" 'alloc.count <= baseline'
	run -0 check --update
	run -0 check
	[[ $output != *"libc"* ]]
	sed -i 's/"libc": "[^"]*"/"libc": "libc.so.6 0123456789abcdef"/' poolmem.baseline.json
	run -0 check
	[[ $output == *libc*"libc.so.6 0123456789abcdef"* ]]
}

@test "check: a capture serves as a baseline" {
	POOLMEM=dir=$out/segments,sites=all "$poolmem" run --lib "$lib" -q -o main.pm -- "$app" blocks 100
	run -0 check --against main.pm --rule 'alloc.count <= baseline' -- "$app" blocks 100
	run -1 check --against main.pm --rule 'alloc.count <= baseline' -- "$app" blocks 101
	[[ $output == *"grown +1: 100 before, 101 after"* ]]
	run -1 check --against main.pm -- "$app" blocks 100 leak 5
	[[ $output == *"new +1"*leak* ]]
	[[ $output == *"compare with a newer capture"* ]]
	ln -s main.pm link.pm
	run -0 check --against link.pm -- "$app" blocks 100
}

@test "check: a capture without each call site says so, and how to make one that has" {
	POOLMEM=dir=$out/segments "$poolmem" run --lib "$lib" -q -o plain.pm -- "$app" blocks 100 leak 5
	run -0 check --against plain.pm --rule 'alloc.count <= baseline' -- "$app" blocks 100
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"plain.pm does not have each call site"*"POOLMEM=sites=all,repeatable=1 poolmem run -o FILE -- "*"budgeted"*"blocks 100"* ]]
	run -1 check --against plain.pm --rule 'alloc.count <= baseline' --json -- "$app" blocks 102
	printf '%s' "$output" >out.json
	json 'r("budgeted", "alloc.count <= baseline")["sites"][0]["mark"] is None'
	for rule in 'leak.blocks <= baseline' 'site "blocks" alloc.count <= baseline'; do
		run -2 check --against plain.pm --rule "$rule" -- "$app" blocks 100
		output=$(tr -s ' \n' ' ' <<<"$output")
		[[ $output == *"there is no baseline for "*"plain.pm does not have each call site"*"Compare with a capture that has each call site"* ]]
	done
}

@test "check: a program under another file name is the same program" {
	local built grown
	for built in '' -s; do
		grown='("grown", 10, 11)'
		[ -z "$built" ] || grown='("grown", 1010, 1011)' # places without a name are told by their module alone
		cat >names.c <<-'END'
			#include <stdlib.h>
			void *volatile kept;
			__attribute__((noinline)) void one(int n) { while (n--) free(kept = malloc(1000)); }
			__attribute__((noinline)) void two(int n) { while (n--) free(kept = malloc(3)); }
			int main(int argc, char **argv) { one(1000); two(atoi(argv[1])); return argc > 2; }
		END
		gcc -g -O1 $built -o before names.c
		cp before after
		POOLMEM=dir=$out/segments,sites=all "$poolmem" run --lib "$lib" -q -f -o main.pm -- ./before 10
		run -1 check --against main.pm --rule 'alloc.count <= baseline' --json -- ./after 11
		printf '%s' "$output" >out.json
		json '[(s["mark"], s["before"], s["after"]) for s in t["after"]["rules"][0]["sites"]] == ['"$grown"']'
		# The same of a baseline in a file.
		budget '[test "a"]' 'command = ./before 10' 'alloc.count <= baseline'
		run -0 check --update
		budget '[test "a"]' 'command = ./after 11' 'alloc.count <= baseline'
		run -1 check --json
		printf '%s' "$output" >out.json
		json '[(s["mark"], s["before"], s["after"]) for s in t["a"]["rules"][0]["sites"]] == ['"$grown"']'
	done
}

@test "check: a call without a name is shown by its module and place" {
	gcc -s -O1 -o bare -x c - <<<'#include <stdlib.h>
		void *volatile kept; int main(void) { kept = malloc(5); return 0; }'
	run -1 check --no-leaks -- ./bare
	[[ $output =~ $'\n'\ *bare\+0x[0-9a-f]+$'\n' && $output != *"$out/bare"$'\n'* ]]
}

@test "check: what a shell leaves is left out as the report says" {
	local shell line
	for shell in dash bash; do
		run -1 check --no-leaks --report json=out.json -- "$shell" -c "$app leak 5; :"
		output=$(tr -s ' \n' ' ' <<<"$output")
		[[ $output =~ "what the shell itself leaves, "([0-9,]+)" blocks of these, does not count with a line leak:/$shell\$ in a file of suppressions" ]]
		# What the program leaves stands first, and the shell leaves all the rest.
		json "r('$shell', 'leak.blocks = 0')['sites'][0]['function'] == 'leak'"
		json "r('$shell', 'leak.blocks = 0')['value'] == 1 + ${BASH_REMATCH[1]//,/}"
		line=${output#*with a line }
		echo "${line%% in a file*}" >shell.supp
		run -1 check --no-leaks --suppressions shell.supp -- "$shell" -c "$app leak 5; :"
		[[ $output == *"leak.blocks is 1, 1 over 0"* && $output != *"the shell itself"* ]]
		run -0 check --no-leaks --suppressions shell.supp -- "$shell" -c "$app blocks 5; :"
	done
	run -1 check --no-leaks -- dash -c "bash -c '$app leak 5; :'; :"
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *"does not count with the lines leak:/dash$ and leak:/bash$ in a file of suppressions"* ]]
	run -0 check --rule 'module "budgeted" leak.blocks = 0' -- sh -c "$app blocks 5; :"
	run -1 check --rule 'module "budgeted" leak.blocks = 0' -- sh -c "$app leak 5; :"
}

@test "check: captures are kept where that is asked for, named after their tests" {
	budget '[test "a b/c"]' "command = $app blocks 10" 'alloc.count <= 10' '[test "d"]' "command = $app blocks 20" 'alloc.count <= 10'
	run -1 check --keep kept
	[[ $(ls kept | tr "\n" " ") =~ ^a_b_c-[0-9a-f]{8}.pm\ d.pm\ $ ]]
	run -0 "$poolmem" report --json kept/d.pm
	[ "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["metrics"]["alloc.count"])' <<<"$output")" = 20 ]
	no_leftovers
}

@test "check: reports, several at once" {
	run -1 check --no-leaks --report json=a.json --report junit=b.xml --report markdown=c.md -- "$app" leak 5
	python3 -c 'import json; assert json.load(open("a.json"))["exit_code"] == 1'
	python3 -c 'import xml.etree.ElementTree as e; e.parse("b.xml")'
	grep -q leak.blocks c.md
	run -3 check --rule 'alloc.count = 0' --report json=/dev/full -- "$app"
}

# --- nothing by the clock ---

# madvises SETTING ARGUMENT...: how often pages went back
madvises()
{
	POOLMEM=dir=$out/segments,sites=all,repeatable=$1 strace -f -e trace=madvise -o trace \
		-E LD_PRELOAD="$lib" "$app" "${@:2}"
	grep -c 'MADV_DONTNEED\|MADV_FREE' trace || true
}

@test "check: purges wait for allocations, not for the clock" {
	command -v strace || skip "no package strace"
	local holds='held 3000000 held 3000000 held 3000000'
	# shellcheck disable=SC2086
	[ "$(madvises 1 $holds blocks 1000)" = "$(madvises 1 $holds pause blocks 500 pause blocks 500)" ]
	POOLMEM=dir=$out/segments,repeatable=0 strace -f -e trace=madvise -o slow -E LD_PRELOAD="$lib" "$programs/purges" 3 100
	POOLMEM=dir=$out/segments,repeatable=1 strace -f -e trace=madvise -o slow_too -E LD_PRELOAD="$lib" "$programs/purges" 3 100
	POOLMEM=dir=$out/segments,repeatable=1 strace -f -e trace=madvise -o long -E LD_PRELOAD="$lib" "$programs/purges" 0 1000000
	[ "$(grep -c MADV_DONTNEED slow)" -gt "$(grep -c MADV_DONTNEED slow_too)" ]
	[ "$(grep -c MADV_DONTNEED long)" -gt "$(grep -c MADV_DONTNEED slow_too)" ]
}

@test "check: the peak is seen between two ticks" {
	run -0 check --rule 'live.peak = 93504' -- "$app" spike
	run -1 check --rule 'live.peak <= 93503' -- "$app" spike
}

@test "check: says what it wrote, which baseline it read, and which rules nobody gave" {
	budget '[test "g"]' "command = $app blocks 9"
	run -0 check --update
	[[ $output == *"baseline poolmem.baseline.json: 1 test written."* ]]
	run -0 check --ratchet
	[[ $output == *"baseline poolmem.baseline.json: nothing to lower."* ]]
	sed -i "s/blocks 9/blocks 7/" poolmem.budget
	run -0 check --ratchet
	[[ $output == *"alloc.count of g "*" -> "* ]]
	sed -i "s/blocks 7/blocks 99/" poolmem.budget
	run -1 check
	[[ $output == *"Baseline: poolmem.baseline.json"* && $output == *"(default rules)"* && $output != *"(command line)"* ]]
}

@test "check: an end that is not the wanted one says how to want it, or what was wanted" {
	run -4 check --max-allocs 9 -- sh -c 'kill -SEGV $$'
	[[ $output == *"killed by SIGSEGV; if that is meant, exit = SIGSEGV says so"* ]]
	run -4 check --exit SIGSEGV --max-allocs 9 -- /bin/true
	[[ $output == *"it must end as exit says"* && $output != *"must succeed"* ]]
}

@test "check: limits that are slips" {
	run check --max-peak 24 -- "$app" blocks 1
	[[ $output == *"has no unit: it is taken for 24 bytes"* ]]
	run check --max-peak 24B -- "$app" blocks 1
	[[ $output != *"has no unit"* ]]
	run -2 check --rule 'live.peak <= baseline - 200%' -- "$app" blocks 1
	[[ $output == *"column 25: more than 100% less than the baseline can never be kept"* ]]
}

@test "check: what a run wrote into the baseline is in its report" {
	budget '[test "a"]' "command = $app blocks 9" '[test "b"]' "command = $app leak 9" '[test "c"]' "command = $app exit 1"
	run -4 check --update --report json=out.json
	json 'd["written"] == {"file": "poolmem.baseline.json", "how": "update", "tests": ["a", "b"], "changes": []}'
	run -4 check --report json=out.json
	json 'd["written"] is None'
	sed -i 's/blocks 9/blocks 7/' poolmem.budget
	run -4 check --ratchet --json
	printf '%s' "$output" >out.json
	json 'd["written"]["how"] == "ratchet" and d["written"]["tests"] == ["a"]'
	json '{"test": "a", "metric": "alloc.count", "then": 9, "now": 7} in d["written"]["changes"]'
	sed -i 's/blocks 7/blocks 99/' poolmem.budget
	run -4 check --update --report json=out.json --report text=text --report markdown=markdown
	json '{"test": "a", "metric": "alloc.count", "then": 7, "now": 99} in d["written"]["changes"]'
	[[ $output == *"baseline poolmem.baseline.json: 2 tests written." && $(<text) == *"2 tests written." && $(<markdown) == *"2 tests written" ]]
	# What was in the baseline before is told of to the end: call sites that are gone, another command, another libc.
	sed -i 's/"libc": "[^"]*"/"libc": "libc.so.6 0123456789abcdef"/' poolmem.baseline.json
	budget '[test "a"]' "command = $app held 10" 'alloc.count = 5'
	run -1 check --update --report json=out.json
	json '{"libc", "command"} <= {x["what"] for x in d["differences"]} and d["written"]["tests"] == ["a"]'
}

@test "check: a command of several that is not there is what the title says" {
	budget '[test "a"]' "command = $app blocks 9" 'alloc.count <= 9' '[test "b"]' 'command = ./none' 'alloc.count <= 9' \
		'[test "c"]' "command = $app blocks 9" 'alloc.count <= 9'
	run -2 check --report markdown=out.md
	[ "$(head -n 1 out.md)" = '### poolmem check: 1 of 3 tests: its command cannot be run' ]
	grep -q '^#### <code>b</code>: its command cannot be run$' out.md
}

@test "check: what is to know of each test of a budget is said once" {
	budget '[test "a"]' "command = $app blocks 9" '[test "b"]' "command = $app blocks 9" 'live.peak <= 5000' '[test "c"]' "command = $app blocks 9"
	run -0 check --rule 'module "libnone" alloc.count = 0' --report json=out.json
	output=$(tr -s ' \n' ' ' <<<"$output")
	[[ $output == *'each test: no call site is of module "libnone": its figures are 0.'* ]]
	[ "$(grep -o libnone <<<"$output" | wc -l)" = 1 ]
	json '[(x["test"], x["text"][:12]) for x in d["notes"]] == [(t, "no call site") for t in "abc"]'
}

@test "check: captures of a run that was killed are gone with the next one" {
	local pid child
	POOLMEM=dir=$out/segments "$poolmem" check --lib "$lib" --no-leaks -- "$app" blocks 1 hang 3>&- &
	pid=$!
	until [ -n "$(find "$out/segments" -name '*.pms')" ]; do sleep 0.05; done
	find . -maxdepth 1 -name 'poolmem-check-*' -exec touch {}/.again.pm \;
	[ -n "$(find . -name .again.pm)" ]
	child=$(find "$out/segments" -name '*.pms' -printf '%f\n' | cut -d- -f2)
	kill -9 "$pid" "$child"
	wait "$pid" || true
	run -0 check --no-leaks -- "$app" blocks 1
	[ -z "$(find "$out" -maxdepth 1 -name 'poolmem-check-*')" ]
}
