# SPDX-License-Identifier: MIT
# F21, by the kernel for want of memory: what is left says where the memory was and what led there.

bats_require_minimum_version 1.5.0
load under

group=/sys/fs/cgroup/memory/poolmem-$$

setup()
{
	prepare
	mkdir "$group" 2>/dev/null && echo 64M 2>/dev/null >"$group/memory.limit_in_bytes" ||
		skip "a memory group of version 1 that we may make"
	# The limit is of what is resident: where swap is counted, it is limited together with that.
	echo 64M 2>/dev/null >"$group/memory.memsw.limit_in_bytes" || true
}

teardown()
{
	if [ -d "$group" ]; then rmdir "$group"; fi
}

# limited COMMAND...   in the group
limited()
{
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" "$@"
}

# frag EXPRESSION FILE: in Python over `p`, the process of the program
frag()
{
	"$poolmem" frag --json "$2" | python3 -c 'import json, sys
p = max(json.load(sys.stdin)["processes"], key=lambda p: sum(v or 0 for v in p["waterfall"]["parts"].values()))
w = p["waterfall"]
print(eval(sys.argv[1]))' "$1"
}

@test "F21 killed for memory under run --frag: parts, holders, and what became more afterwards" {
	run -137 env POOLMEM=sites=all "$poolmem" run --frag -q -o "$out/oom.pm" -- \
		sh -c 'echo $$ >"$1/cgroup.procs"; exec "$2"' sh "$group" "$programs/f21_memory"
	run -0 frag 'p["state"], p["at"], w["basis"]' "$out/oom.pm"
	[ "$output" = "('killed', 'peak', 'survey')" ]
	# The program does not hold still: requested and slack may be an estimate.
	run -0 frag 'w["split"] in ("exact", "estimated")' "$out/oom.pm"
	[ "$output" = True ]
	# What the survey saw and what the rows of sites gained afterwards is about what the group allowed.
	run -0 frag 'w["rss"] + w["swap"] + sum(g["bytes"] for g in p["growth_to_the_end"]) >= 40 << 20, w["rss"] <= 72 << 20' "$out/oom.pm"
	[ "$output" = "(True, True)" ]
	run -0 frag 'p["growth_to_the_end"][0]["function"] if p["growth_to_the_end"] else "append_to_list"' "$out/oom.pm"
	[ "$output" = append_to_list ]
	run -0 "$poolmem" frag "$out/oom.pm"
	[[ $output = *"killed by SIGKILL"*"This was when "*" were resident in all"* ]]
	"$poolmem" frag --svg "$out/oom.svg" "$out/oom.pm" >/dev/null
	grep -q '&lt;0.1 %' "$out/oom.svg"
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$out/oom.svg"
}

@test "F21 killed for memory without run: committed bytes, classes and pools as they were published" {
	run -137 limited env POOLMEM="dir=$out/segments" LD_PRELOAD="$lib" "$programs/f21_memory"
	run -0 frag 'w["basis"], w["rss"], 40 << 20 <= w["parts"]["requested"] <= 64 << 20' "$out"/segments/*.pms
	[ "$output" = "('map', None, True)" ]
	run -0 "$poolmem" frag "$out"/segments/*.pms
	[[ $output = *"as they were published last"* ]]
}

@test "F21 killed for memory without run: what became more in the last epochs, by call site" {
	run -137 limited env POOLMEM="dir=$out/segments,sites=all" LD_PRELOAD="$lib" "$programs/f21_memory"
	run -0 frag '(lambda grown: (grown[0]["function"], grown[0]["blocks"] > 100, len(grown)))(p["growth_lately"]["sites"])' "$out"/segments/*.pms
	[ "$output" = "('append_to_list', True, 1)" ]
	run -0 "$poolmem" frag "$out"/segments/*.pms
	[[ $output = *"What became more in the last "*"append_to_list"* ]]
}
