# SPDX-License-Identifier: MIT
# The reports of `poolmem check` from the command line to the file; what is in them is tests/unit/analyzer_check_reports.c's.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
	unset GITHUB_STEP_SUMMARY GITHUB_WORKSPACE CI_PROJECT_DIR
	cd "$out"
	cc -g -o example "$root/tools/ci/example.c"
	printf '%s\n' '[test "a|b,c:d<e>%0A::error::@f"]' 'command = ./example 100 leak' 'leak.blocks = 0' >poolmem.budget
}

@test "reports: one for each format, from one run, beside the text; files are replaced" {
	local format options=()
	for format in text json junit markdown github gitlab openmetrics; do
		options+=(--report "$format=out.$format")
		echo old >"out.$format"
	done
	run -1 "$poolmem" check "${options[@]}"
	[[ $output == *"leak.blocks is 100, 100 over 0."* ]]
	diff <(echo "$output") out.text
	[ "$(jq -r '.tests[0].name' out.json)" = 'a|b,c:d<e>%0A::error::@f' ]
	[ "$(jq '.began_ns > 1600000000000000000 and .elapsed_ns > 0' out.json)" = true ]
	xmllint --noout --schema "$here/junit.xsd" out.junit
	grep -q '^::error file=poolmem.budget,line=3,title=a|b%2Cc%3Ad<e>%250A%3A%3Aerror%3A%3A@f%3A leak.blocks exceeded::' out.github
	[ "$(grep -c . out.github)" = 1 ]
	[ "$(jq -r '.[0].location | "\(.path):\(.lines.begin)"' out.gitlab)" = poolmem.budget:3 ]
	grep -q '^poolmem_check_value{test="a|b,c:d<e>%0A::error::@f",metric="leak.blocks",rule="leak.blocks = 0"} 100$' out.openmetrics
	grep -q '<code>a&#124;b,c:d&#60;e&#62;%0A::error::&#64;<!-- -->f</code>' out.markdown
	python3 "$root/tests/real/json_members.py" "$root/analyzer/man" check <out.json
}

@test "reports: of a limit that the baseline is over, too, those with most are named" {
	run -1 "$poolmem" check --update
	run -1 "$poolmem" check
	[[ $output == *"has 100"*"prepend at "*"example.c:13"* ]]
}

@test "reports: a format that is none, a file that cannot be written" {
	run -2 "$poolmem" check --report html=x
	[[ $output == *"formats are text, json, junit, markdown, github, gitlab or openmetrics"* ]]
	run -3 "$poolmem" check --report json=/dev/full
	[[ $output == *"cannot write /dev/full"* ]]
	run -3 "$poolmem" check --report json=no/such/folder
	[[ $output == *"cannot create no/such/folder"* ]]
}
