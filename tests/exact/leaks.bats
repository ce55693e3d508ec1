# SPDX-License-Identifier: MIT
# What was never freed: equal, to the unit, to the account that a program keeps, and to what LeakSanitizer finds and suppresses.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	cd "$out"
}

# account: runs a program that keeps an account of its functions, and of its child's
account()
{
	POOLMEM=$POOLMEM,sites.period=1 LD_PRELOAD=$lib "$programs/sites" "$programs/libsites.so" >account
	mv segments/*.pms sites.pms
}

check()
{
	PYTHONDONTWRITEBYTECODE=1 python3 "$BATS_TEST_DIRNAME/leaks.py" "$@"
}

@test "leaks: what each function of a program and of its child left, counted by hand" {
	account
	"$poolmem" leaks --no-default-suppressions --json sites.pms >json
	check json account
	printf '%s\n' '# by function, and by module' 'leak:^site_plain$' '' ' leak:/libsites.so ' >first
	echo 'leak:site_gr*n$' >second
	"$poolmem" leaks --no-default-suppressions --suppressions first --suppressions second --json sites.pms >json
	check json account site_plain site_library site_grown
	echo 'leak:exact/sites.c' >file
	run -0 "$poolmem" leaks --no-default-suppressions --suppressions file sites.pms
	[[ $output != *site_* && $output == *"exact/sites.c"* ]]
}

@test "leaks: LeakSanitizer finds the same, and its suppressions match the same" {
	cc -g -O1 -fno-inline -fno-optimize-sibling-calls -fsanitize=leak -o sanitized "$BATS_TEST_DIRNAME/leaks.c" ||
		skip "the compiler has no LeakSanitizer"
	POOLMEM=$POOLMEM,sites=all LD_PRELOAD=$lib "$programs/leaks"
	mv segments/*.pms leaks.pms
	for lines in 'leak:nobody' 'leak:lose_outer leak:^lose_inner$ leak:second$' 'leak:^lose_*r$' \
		'leak:lose_first leak:main' 'leak:^lose$' 'leak:leaks.c' 'leak:ose_l*t' 'leak:lose_inner leak:lose_outer'; do
		printf '%s\n' $lines >rules
		LSAN_OPTIONS=suppressions=rules:print_suppressions=1:fast_unwind_on_malloc=0 ./sanitized 2>found || true
		[[ $(<found) != *"fatal error"* ]] || skip "LeakSanitizer does not run here"
		"$poolmem" leaks --suppressions rules --json leaks.pms >json
		python3 - <<-'END'
			import json, re
			found, report = open("found").read(), json.load(open("json"))
			used = {m[3]: (int(m[1]), int(m[2])) for m in re.finditer(r"^ +(\d+) +(\d+) (\S+)$", found, re.M)}
			left = re.search(r"SUMMARY: LeakSanitizer: (\d+) byte\(s\) leaked in (\d+)", found)
			assert used or left, found
			given = [s for s in report["suppressions"] if s["module"] is None]
			mine = {s["pattern"]: (s["blocks"], s["bytes"]) for s in given if s["blocks"]}
			assert mine == used, (mine, used)
			assert (report["left"]["bytes"], report["left"]["blocks"]) == (tuple(map(int, left.groups())) if left else (0, 0))
		END
	done
}

@test "leaks: what libc, the loader and libstdc++ keep is no program's leak" {
	POOLMEM=$POOLMEM,sites=all "$poolmem" run -f -o run.pm -- ls -l / >/dev/null
	"$poolmem" leaks --json run.pm >json
	python3 - <<-'END'
		import json
		d = json.load(open("json"))
		runtime = "libc.so", "ld-linux", "libstdc++.so"
		for s in d["sites"]:
		    first = d["frames"][s["location"]]
		    assert not first["module"].split("/")[-1].startswith(runtime), first
		assert d["suppressed"]["blocks"] > 0
	END
	run -0 "$poolmem" leaks --no-default-suppressions run.pm
	[[ $output != *"Suppressions used"* ]]
}

@test "leaks: what the loader keeps is suppressed, not what constructors that it calls lose" {
	cat >early.c <<-'END'
		#include <stdlib.h>
		__attribute__((constructor)) static void lose_early(void)
		{
			void *volatile block = malloc(80);
			(void)block;
		}
	END
	cc -g -shared -fPIC -o libearly.so early.c
	POOLMEM=$POOLMEM,sites=all LD_PRELOAD="$lib $out/libearly.so" "$programs/leaks"
	echo leak:leaks.c >rules
	run -0 "$poolmem" leaks --suppressions rules last
	[[ $output == *"Never freed: 1 block, 80 B, by 1 call site."*"lose_early at early.c:4"* ]]
}

@test "leaks: an exit code when anything is left" {
	POOLMEM=$POOLMEM,sites=all LD_PRELOAD=$lib "$programs/leaks"
	mv segments/*.pms leaks.pms
	run -9 "$poolmem" leaks --error-exitcode 9 leaks.pms
	[[ $output == *"Never freed: 24 blocks, "*"lose at leaks.c:"* ]]
	printf 'leak:main\nleak:lose_early\n' >all
	run -0 "$poolmem" leaks --error-exitcode 9 --suppressions all leaks.pms
	[[ $output == *"No block was left."* ]]
	run -0 "$poolmem" leaks --error-exitcode 9 --filter nobody leaks.pms
	run -9 "$poolmem" leaks --error-exitcode 9 --filter lose_inner leaks.pms
	run -0 "$poolmem" leaks --error-exitcode 0 leaks.pms
}

@test "leaks: of a sample, estimates that hold the truth; without sites, how to get them" {
	echo leak:lose_inner >rules
	for run in {1..40}; do
		POOLMEM=$POOLMEM,sites.period=300 LD_PRELOAD=$lib "$programs/leaks"
		"$poolmem" leaks --no-default-suppressions --suppressions rules --json last >"json$run"
	done
	python3 - <<-'END'
		import json
		held = 0
		for run in range(1, 41):
		    d = json.load(open("json%d" % run))
		    bound = d["estimated"].get("leak.blocks", {"at_least": d["metrics"]["leak.blocks"], "at_most": 24})
		    held += bound["at_least"] <= 17 <= bound["at_most"] <= 24
		assert held >= 30, held
	END
	run -0 "$poolmem" leaks --no-default-suppressions --suppressions rules last
	[[ $output == *"Never freed: about "*" blocks ("*" to "*"the"*"figures are estimates"* ]]
	run -0 "$poolmem" leaks --no-default-suppressions last
	[[ $output == *"Never freed: 24 blocks, "* ]]
	POOLMEM=$POOLMEM,sites=off LD_PRELOAD=$lib "$programs/leaks"
	run -1 --separate-stderr "$poolmem" leaks last
	[[ $stderr == *"24 blocks, "*"never freed, but not by whom"*"POOLMEM=sites=all"* ]]
}

@test "leaks: of a program that runs, what lives; of one that was killed, that it was" {
	POOLMEM=$POOLMEM,sites=all LD_PRELOAD=$lib sleep 100 &
	pid=$!
	for i in $(seq 100); do
		run "$poolmem" leaks --no-default-suppressions --error-exitcode 9 "$pid"
		[[ $output != *"Live now: "* ]] || break
		sleep 0.05
	done
	[[ $status = 0 && $output == *"Live now: "*"The program runs"* && $output != *"Never freed"* ]]
	kill -9 $pid
	wait $pid || true
	run -0 "$poolmem" leaks --no-default-suppressions "$pid"
	[[ $output == *"Never freed: "*"ended without exit()"*"no leak for that"* ]]
}

# agree FILE OPTION...: sites and leaks say the same of each stack
agree()
{
	local file=$1
	shift
	"$poolmem" leaks --json "$@" "$file" >json
	"$poolmem" sites --json --sort leaked "$@" "$file" >sites.json
	python3 - <<-'END'
		import collections, json
		def stacks(report):
		    frames = [json.dumps(frame) for frame in report["frames"]]
		    return collections.Counter({(tuple(frames[f] for f in site["frames"]), site["leaked"], site["leaked_bytes"]): 1
		                                for site in report["sites"] if site["leaked"]})
		leaks, sites = json.load(open("json")), json.load(open("sites.json"))
		assert leaks["of"] == "leaked" and stacks(leaks) == stacks(sites)
		assert leaks["left"]["blocks"] == sites["all"]["leaked"] and leaks["left"]["bytes"] == sites["all"]["leaked_bytes"]
		assert leaks["suppressed"] == sites["suppressed"], (leaks["suppressed"], sites["suppressed"])
		for site in sites["sites"]:
		    assert site["leaked_bytes"] == sum(row["leaked_bytes"] for row in site["classes"])
		for name in "leak.blocks", "leak.bytes":
		    assert leaks["metrics"][name] == sites["metrics"][name], name
		    assert leaks["estimated"].get(name) == sites["estimated"].get(name), name
		assert "leak_whole" not in [note["key"] for note in leaks["notes"] + sites["notes"]]
	END
}

@test "leaks: sites --sort leaked says the same, less what is suppressed" {
	account
	POOLMEM=$POOLMEM,sites=all "$poolmem" run -f -o run.pm -- ls -l / >/dev/null
	agree run.pm
	grep -A 1 '"suppressed": {' sites.json | grep -q '"sites": [1-9]'
	agree run.pm --no-default-suppressions
	printf 'leak:^site_plain$\n' >rules
	agree sites.pms --suppressions rules
	run -0 "$poolmem" sites --sort leaked --suppressions rules --no-default-suppressions sites.pms
	[[ $(tr -s '\n ' ' ' <<<"$output") == *"Suppressed, and not counted as never freed: "*" by 1 call site; "* ]]
	run -0 "$poolmem" sites sites.pms
	[[ $output != *Suppressed* ]]
}

@test "leaks: flamegraph, export and diff say the same, less what is suppressed" {
	local rules
	account
	printf 'leak:^site_plain$\n' >rules
	for rules in "--no-default-suppressions" "--suppressions rules"; do
		"$poolmem" leaks --json $rules sites.pms >json
		"$poolmem" flamegraph --of leaked --collapsed $rules sites.pms >collapsed
		"$poolmem" export --format csv $rules -f -o csv sites.pms
		"$poolmem" export --format speedscope $rules -f -o speedscope sites.pms
		"$poolmem" diff --of leaked --json $rules sites.pms sites.pms >diff
		python3 - <<-'END'
			import csv, json
			left = json.load(open("json"))["left"]["bytes"]
			assert left > 0
			print(left, file=open("left", "a"))
			assert left == sum(int(line.rsplit(" ", 1)[1]) for line in open("collapsed"))
			assert left == sum(int(row["leaked_bytes"]) for row in csv.DictReader(open("csv")))
			profiles = {p["name"]: p for p in json.load(open("speedscope"))["profiles"]}
			assert left == sum(profiles["leaked"]["weights"])
			whole = json.load(open("diff"))["all"]
			assert left == whole["before"] == whole["after"], whole
		END
	done
	[ "$(sed -n 1p left)" -gt "$(sed -n 2p left)" ] # the rule took something off
	echo 'leak:*' >all
	run -1 "$poolmem" flamegraph --of leaked --collapsed --suppressions all sites.pms
	[[ $output == *"none but those that are suppressed"* ]]
}

@test "leaks: leak.blocks and leak.bytes are less what is suppressed in each export, of all and of each process; else a note says so" {
	account
	printf 'leak:^site_plain$\n' >rules
	for rules in "--no-default-suppressions" "--suppressions rules"; do
		"$poolmem" leaks --json $rules sites.pms >json
		"$poolmem" export --format sqlite $rules -f -o db sites.pms
		"$poolmem" export --format openmetrics $rules -f -o prom sites.pms
		"$poolmem" report --json sites.pms >report
		python3 - <<-'END'
			import json, re, sqlite3
			left, report = json.load(open("json")), json.load(open("report"))
			rows = sqlite3.connect("db").execute("select process, name, value from metrics where name like 'leak.%'").fetchall()
			for name in "leak.blocks", "leak.bytes":
			    whole, = [value for process, of, value in rows if of == name and process is None]
			    parts = [value for process, of, value in rows if of == name and process is not None]
			    text = re.findall(r"^poolmem_%s\{.*\} (\d+)$" % name.replace(".", "_"), open("prom").read(), re.M)
			    assert parts == list(map(int, text)) and len(parts) == 2, (parts, text)
			    assert whole == left["metrics"][name], (name, whole)
			    # of a forked child alone it is the least
			    before = [p["metrics"][name] for p in report["processes"]]
			    print(name, sum(before) - sum(parts), left["suppressed"][name.split(".")[1]])
			    assert sum(before) - sum(parts) == left["suppressed"][name.split(".")[1]], (before, parts)
			notes = [note["key"] for note in report["notes"]]
			assert "leak_whole" in notes, notes
		END
		run -0 "$poolmem" report sites.pms
		[[ $output != *"leak.blocks"* ]]
	done
	POOLMEM=$POOLMEM,sites=off LD_PRELOAD=$lib "$programs/leaks"
	"$poolmem" export --format sqlite -f -o db last
	[ "$(sqlite3 db "select count(*) from about where key = 'note.leak_whole'")" = 1 ]
}
