# SPDX-License-Identifier: MIT
# Advice: what patterns.c does on purpose is found and named, what it all but does is not.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
}

# advice SITES: rule, function and what it called of each, in order of the names; saving, unit
advice()
{
	rm -f "$out"/segments/*
	POOLMEM=dir=$out/segments,$1 LD_PRELOAD=$lib "$programs/patterns"
	"$poolmem" sites --json "$out"/segments/*.pms | python3 -c 'import json, sys
advice = json.load(sys.stdin)["advice"]
assert [a["share"] for a in advice] == sorted((a["share"] for a in advice), reverse=True)
for a in advice:
    assert a["at_least"] <= a["saves_up_to"] <= a["at_most"] and a["stacks"] == 1, a
for a in sorted(advice, key=lambda a: (a["rule"], a["function"])):
    print(a["rule"], a["function"], a["through"] or "", "" if a["estimated"] else a["saves_up_to"], a["unit"])'
}

@test "advice: each rule where it applies, and not where it nearly does" {
	run -0 advice sites=all
	echo "$output"
	# what its neighbours in time allocate makes a few blocks not temporary; the peak is noted up to a 64th lower
	diff - <(sed -E 's/ (99[0-9][0-9]|10000) calls/ 10000 calls/; s/ 39[4-9][0-9]{3} bytes/ 400000 bytes/' <<<"$output") <<-END
		growth has_growth  6900 calls
		leaked has_leaked  201600 bytes
		leaked has_tiny  384000 bytes
		leaked nearly_tiny_few  319968 bytes
		leaked nearly_tiny_large  960000 bytes
		remote has_remote  3000 calls
		slack has_slack  400000 bytes
		temporary has_temporary  10000 calls
		temporary has_temporary_in_libc realpath 10000 calls
		tiny has_tiny  12000 calls
	END
}

@test "advice: of a sample, when it tells enough" {
	run -0 advice sites.period=2K
	echo "$output"
	for row in "temporary has_temporary" "growth has_growth" "remote has_remote" "leaked nearly_tiny_large"; do
		[[ $output == *"$row "* ]]
	done
	run -1 grep -E 'nearly_(temporary|growth|remote|slack)' <<<"$output"
}

@test "advice: of a sample that tells too little nothing is said" {
	run advice sites.period=2M
	[ -z "$output" ] || [[ $output == *"no block was recorded"* ]]
}

@test "advice: in a report the first three, all with --advice" {
	advice sites=all >/dev/null
	run -0 "$poolmem" report "$out"/segments/*.pms
	[[ $output == *"Advice (3 of 10; \`poolmem sites --advice\` shows all)"* ]]
	[ "$(grep -c 'saves up to' <<<"${output//$'\n    '/}")" = 3 ]
	run -0 "$poolmem" sites --advice "$out"/segments/*.pms
	[ "$(grep -cE '^ +[0-9]+\. ' <<<"$output")" = 10 ]
	[ -z "$(grep -E '^.{81}' <<<"$output")" ]
	run -0 "$poolmem" sites --advice --filter has_growth "$out"/segments/*.pms
	[[ $output == *"1. has_growth at patterns.c:"* && $output != *"2. "* ]]
	run -2 "$poolmem" sites --advice --stacks "$out"/segments/*.pms
	run -2 "$poolmem" sites --advice --thread 1 "$out"/segments/*.pms
}
