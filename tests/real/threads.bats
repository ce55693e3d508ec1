# SPDX-License-Identifier: MIT
# Names of threads, which the library does not ask for: those that poolmem saw from outside.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments,sites=all
	expected='before yes 2000
named yes 3000
named yes 5000
worker-3 yes 4000'
}

# The table of threads, without that of the unprintable name: name, alive, allocated to hundreds.
table()
{
	sed -n '/^Threads/,/^$/p' | awk '$1 ~ /^[0-9]+$/ { gsub(",", ""); print $2, $3, int($4 / 100) * 100 }' |
		grep -v '^a)' | LC_ALL=C sort
}

@test "names: of a program that runs, those of now" {
	LD_PRELOAD=$lib "$programs/named" 3000 3>&- &
	pid=$!
	for _ in $(seq 100); do
		"$poolmem" report "$pid" >"$out/report" 2>/dev/null || true
		[ "$(table <"$out/report")" = "$expected" ] && break
		sleep 0.05
	done
	cat "$out/report"
	[ "$(table <"$out/report")" = "$expected" ]
	"$poolmem" sites "$pid" --thread worker-3 --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert sum(s["allocated"] for s in d["sites"]) == 4000, d["sites"]'
	kill "$pid"
	run -1 grep -q $'\e' "$out/report" # what a thread calls itself does not reach the terminal
}

@test "names: in a capture the last that each thread was seen with, of the thread that held the slot last" {
	"$poolmem" run -o "$out/run.pm" -- "$programs/named" 400 2>/dev/null
	"$poolmem" report --json "$out/run.pm" | python3 -c '
import json, sys
d = json.load(sys.stdin)
threads = d["processes"][0]["threads"]
names = {t.get("name"): t for t in threads}
assert len(threads) == 5 and "after" in names and "before" not in names, threads
assert names["worker-9"]["holders"] == 2, threads
main = [t for t in threads if t["tid"] == d["processes"][0]["pid"]]
assert [t["name"] for t in main] == ["named"], threads'
	run "$poolmem" sites --thread nobody "$out/run.pm"
	[ "$status" = 1 ]
	[[ $output == *"no thread that was seen with the name 'nobody'"* ]]
	run "$poolmem" sites --thread 99999999999 "$out/run.pm"
	[ "$status" = 2 ]
	"$poolmem" report "$out/run.pm" | awk 'length > 80 { print; wrong = 1 } END { exit wrong }'
}

@test "names: without anyone who looked threads have their numbers" {
	LD_PRELOAD=$lib "$programs/named" 10
	"$poolmem" report "$out"/segments/*.pms >"$out/report"
	grep -A2 '^Threads' "$out/report" | grep -q '^ *thread  *alive  *threads  *allocated'
	"$poolmem" report --json "$out"/segments/*.pms | python3 -c '
import json, sys
assert not any("name" in t for t in json.load(sys.stdin)["processes"][0]["threads"])'
}
