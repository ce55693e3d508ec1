# SPDX-License-Identifier: MIT
# Two recordings compared: equal, to the unit, to what is known to differ between their inputs.

bats_require_minimum_version 1.5.0
load ../posix/preload

before='one:10:0 two:7:3 three:5:5 four:20:1 six:4:2 seven:9:0'
after='one:10:0 two:9:1 three:8:0 five:3:1 six:1:1 seven:30:30'

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	cd "$out"
}

# record NAME SETTINGS PROGRAM ARGUMENT...
record()
{
	POOLMEM=$POOLMEM,gen.threshold=1000000000:10:10,$2 LD_PRELOAD=$lib "${@:3}"
	mv segments/*.pms "$1"
}

check()
{
	python3 "$BATS_TEST_DIRNAME/diff.py" json $before -- $after
}

# all_figures [OPTION...]: before.pm and after.pm
all_figures()
{
	local of
	for of in live allocated churn 'leaked --blocks' 'temporary --sort change' 'live --sort shrinkage --blocks'; do
		"$poolmem" diff --of $of --json "$@" before.pm after.pm >json
		check
	done
}

@test "diff: two inputs of one program" {
	record before.pm sites=all "$programs/diff" $before
	record after.pm sites=all "$programs/diff" $after
	all_figures
	all_figures --lines
	run -0 "$poolmem" diff before.pm before.pm
	[[ $output == *"0 new, 0 gone, 0 grown, 0 shrunk, 5 as they were"* && $output != *"Call sites by"* ]]
}

# The second is another program: its lines and addresses have moved, and the compiler copied a function.
@test "diff: a program that was built anew" {
	mkdir moved
	{
		printf '\n\n\nint shift_text(int x);\nint shift_text(int x)\n{\n\treturn x * 3 + 1;\n}\n'
		cat "$BATS_TEST_DIRNAME/diff.c"
	} >moved/diff.c
	flags='-g -O1 -fno-ipa-icf -fno-inline -fno-optimize-sibling-calls'
	cc $flags -o old "$BATS_TEST_DIRNAME/diff.c"
	cc $flags -o new moved/diff.c
	objcopy --strip-debug --redefine-sym site_two=site_two.constprop.0 new copied
	record before.pm sites=all ./old $before
	record after.pm sites=all ./new $after
	all_figures
	"$poolmem" diff --lines --json before.pm after.pm >json
	run ! check
	cp new old  # built over the one that was recorded
	run -0 "$poolmem" diff before.pm after.pm
	[[ $output == *"Of before:"*"No names for code in old"*"Of after:"* ]]
	cc $flags -o old "$BATS_TEST_DIRNAME/diff.c"
	strip -g old
	record before.pm sites=all ./old $before
	record after.pm sites=all ./copied $after
	all_figures
}

@test "diff: --skip: who calls a wrapper; --filter lists a part" {
	record before.pm sites=all "$programs/diff" $before
	record after.pm sites=all "$programs/diff" $after
	run -0 "$poolmem" diff before.pm after.pm
	[[ $output == *"obtain at diff.c:"*" < site_six"* && $output == *"-128 B "*"128 B "*" 0 B  shrunk"* ]]
	run -0 "$poolmem" diff --skip '^obtain$' before.pm after.pm
	[[ $output == *" site_six at diff.c:"* && $output != *obtain* ]]
	all_figures --skip '^obtain$'
	run -0 "$poolmem" diff --filter site_six before.pm after.pm
	[[ $output == *"1 of 6 that changed match the filter"*obtain* && $output != *" site_two "* ]]
	run -0 "$poolmem" diff --stacks --filter site_six before.pm after.pm
	[[ $output == *"-128 B, shrunk; before 128 B, after 0 B"*"      site_six at diff.c:"*"      main at diff.c:"* ]]
	run -1 "$poolmem" diff --filter nobody before.pm after.pm
	[[ $output == *"no call site that changed matches the filter"* ]]
}

@test "diff: samples of the same differ by chance, and it says so; a large change is none" {
	same='two:20000:0 six:9000:4000' more='two:20000:0 six:50000:4000'
	for run in {0..12}; do
		record $run.pm sites.period=16384 "$programs/diff" $same
	done
	for run in {1..12}; do
		"$poolmem" diff --json $((run - 1)).pm $run.pm >same$run
		record more.pm sites.period=16384 "$programs/diff" $more
		"$poolmem" diff --json $run.pm more.pm >more$run
	done
	python3 - <<-'END' >differs
		import json
		same = [site for run in range(1, 13) for site in json.load(open("same%d" % run))["sites"]]
		chance = sum(site["may_be_chance"] for site in same)
		# Where both are at what was counted of the class there is no difference.
		assert len(same) >= 10 and chance >= 0.7 * len(same), (chance, len(same))
		held = 0
		for run in range(1, 13):
		    six = [s for s in json.load(open("more%d" % run))["sites"] if "site_six" in [f["function"] for f in s["stack"]]]
		    assert len(six) == 1 and six[0]["mark"] == "grown" and not six[0]["may_be_chance"]
		    held += six[0]["estimated"]["at_least"] <= 41000 * 64 <= six[0]["estimated"]["at_most"]
		assert held >= 8, held
		print(next(run for run in range(1, 13) if any(s["may_be_chance"] for s in json.load(open("same%d" % run))["sites"])))
	END
	run -0 "$poolmem" diff $(($(<differs) - 1)).pm $(<differs).pm
	[[ $output == *"may be chance (?)"*"+-"*"?"* ]]
	record all.pm sites=all "$programs/diff" $same
	run -0 "$poolmem" diff all.pm more.pm
	[[ $output == *" grown "*" obtain at"* && $output == *"Of after:"*"A sample was recorded"* ]]
}
