# SPDX-License-Identifier: MIT
# The man pages say what there is: every command, option, setting and message.

bats_require_minimum_version 1.5.0
load ../posix/preload

page()
{
	MANWIDTH=200 man -l "$build/man/$1" | col -b
}

commands()
{
	"$poolmem" | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

@test "man: a page for each command, with all its options" {
	[ "$(commands | wc -l)" -ge 5 ]
	for command in $(commands); do
		page "poolmem-$command.1" >"$BATS_TEST_TMPDIR/page"
		grep -q "poolmem $command" "$BATS_TEST_TMPDIR/page"
		"$poolmem" "$command" --help | sed -n '/^Options/,/^$/s/^  \(-.*[^ ]\)   *.*/\1/p' |
			tr ', ' '\n\n' | grep -- '^-' >"$BATS_TEST_TMPDIR/options"
		[ -s "$BATS_TEST_TMPDIR/options" ]
		while read -r option; do
			grep -qF -- "$option" "$BATS_TEST_TMPDIR/page" || { echo "$command $option"; return 1; }
		done <"$BATS_TEST_TMPDIR/options"
		page poolmem.1 | grep -q "poolmem-$command"
	done
}

@test "man: poolmem-report(1) has every metric with its meaning" {
	page poolmem-report.1 | tr -s '[:space:]' ' ' >"$BATS_TEST_TMPDIR/page"
	sed -n '/define PM_METRICS/,/^$/p' "$BATS_TEST_DIRNAME/../../include/poolmem/words.h" | tr -d '\\\n' |
		grep -oE 'X\([A-Z0-9_]+, *"[^"]*", *[A-Z]+, *[^"]*"[^"]*"\)' |
		sed -E 's/[^"]*"([^"]*)"[^"]*"([^"]*)".*/\1 \2/' >"$BATS_TEST_TMPDIR/metrics"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/metrics")" -ge 59 ]
	while read -r metric; do
		grep -qF -- " $metric" "$BATS_TEST_TMPDIR/page" || { echo "$metric"; return 1; }
	done <"$BATS_TEST_TMPDIR/metrics"
	"$poolmem" report --json "$BATS_TEST_DIRNAME/../golden/exited/capture.pm" |
		python3 -c 'import json, sys; print(*json.load(sys.stdin)["metrics"], sep="\n")' |
		while read -r name; do grep -q "^$name " "$BATS_TEST_TMPDIR/metrics" || exit 1; done
}

@test "man: libpoolmem(7) has every setting with its default, and every message" {
	page libpoolmem.7 >"$BATS_TEST_TMPDIR/page"
	POOLMEM=help=1 preloaded_help 2>"$BATS_TEST_TMPDIR/help"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 9 ]
	sed -n 's/^poolmem: \([a-z_.]*\)=.* (default \([^)]*\)): .*/\1 \2/p' "$BATS_TEST_TMPDIR/help" |
		while read -r key default; do
			grep -A 8 "^ *$key=" "$BATS_TEST_TMPDIR/page" | grep -qF "${default:-Default}" ||
				{ echo "$key=$default"; return 1; }
		done
	for message in 'double free' 'interior free' 'invalid free' 'corrupt free list'; do
		grep -q "poolmem: $message: 0x" "$BATS_TEST_TMPDIR/page"
	done
}

preloaded_help()
{
	LD_PRELOAD=$lib /bin/true
}

@test "man: poolmem-gc(7) has every function of poolmem.h" {
	page poolmem-gc.7 >"$BATS_TEST_TMPDIR/page"
	sed -n 's/^static inline .*\(poolmem_[a-z_]*\)(.*/\1/p' "$root/include/poolmem/poolmem.h" |
		grep -v '^poolmem_not_here$' >"$BATS_TEST_TMPDIR/functions"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/functions")" -ge 12 ]
	while read -r function; do
		grep -q "$function(" "$BATS_TEST_TMPDIR/page" || { echo "$function"; return 1; }
	done <"$BATS_TEST_TMPDIR/functions"
}

@test "man: each member of what --json prints" {
	local root="$BATS_TEST_DIRNAME/../.." command capture captures
	"$poolmem" run -o "$BATS_TEST_TMPDIR/true.pm" -- /bin/true 2>"$BATS_TEST_TMPDIR/stderr"
	captures=("$root"/tests/golden/*/capture.pm "$BATS_TEST_TMPDIR/true.pm")
	for command in report survival sites leaks frag map; do
		for capture in "${captures[@]}"; do
			"$poolmem" $command --json "$capture" || true
			[ $command != map ] || "$poolmem" map --json --by owner "$capture" || true
			[ $command != survival ] || "$poolmem" survival --json --thresholds 500:5:5 "$capture" || true
		done 2>"$BATS_TEST_TMPDIR/stderr" >"$BATS_TEST_TMPDIR/json"
		python3 "$BATS_TEST_DIRNAME/json_members.py" "$root/analyzer/man" $command <"$BATS_TEST_TMPDIR/json"
	done
	python3 "$BATS_TEST_DIRNAME/json_members.py" "$root/analyzer/man" check <"$root/tests/reports/golden/example.json"
}
