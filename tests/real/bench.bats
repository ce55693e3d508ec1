# SPDX-License-Identifier: MIT
# What `make bench` prints and writes has the form that readers count on; no times are judged here.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	require_lib
	unset PEERS
	export POOLMEM_BUILD=$build
	bench=$root/tools/bench/run
	cd "$BATS_TEST_TMPDIR" || return 1
}

# says FILE WORDS...
says()
{
	local file=$1 words
	shift
	for words in "$@"; do
		grep -qE -- "$words" "$file" || { echo "not said: $words; but:"; cat "$file"; return 1; }
	done
}

# holds FILE EXPRESSION: over the record r
holds()
{
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$@" ||
		{ echo "does not hold: $2; in:"; cat "$1"; return 1; }
}

@test "bench: a kernel, as text and as JSON" {
	"$bench" -n 2 --only '^pair_40000$' --allocators '^poolmem$' --json r.json >text
	says text '^ratio to glibc, median of 2 rounds' \
		'^pair_40000: glibc [0-9.]+ s, cpu [0-9.]+ s, [0-9.]+ MiB, [0-9]+ faults$' \
		'^  poolmem +time +[0-9.]+ \([0-9.]+-[0-9.]+\) +cpu .* peak rss .* faults [0-9.]+$' \
		'^geometric mean of 1 kernels' '^  time: poolmem is at [0-9.]+ x the best peer, glibc$' \
		'^  pair_40000 +[0-9.]+[! ][~ ]glibc'
	holds r.json 'r["columns"] == ["cpu_s", "peak_rss_kib", "wall_s", "faults"]'
	holds r.json 'list(r["allocators"]) == ["glibc", "poolmem"] and all(a["version"] for a in r["allocators"].values())'
	holds r.json '[len(run) for runs in r["programs"]["pair_40000"].values() for run in runs] == [4] * 4'
	holds r.json '0 < r["summary"]["kernels"]["geomean"]["poolmem"]["peak rss"] < 9'
	"$bench" --from r.json >again
	diff text again
}

@test "bench: who fails or is not there is named, the others are shown" {
	echo 'void *malloc(unsigned long n) { (void)n; __builtin_trap(); }' >broken.c
	gcc -shared -fPIC -o broken.so broken.c
	echo 'words' >no.so
	printf '%s\n' 'hello - /bin/ls /  # and a comment' "given - 'rate=([0-9]+) done' echo 500 done" \
		'ends - sh -c "exit 3"' >programs
	export PEERS="broken=$PWD/broken.so gone=$PWD/gone.so no=$PWD/no.so"
	"$bench" -n 1 --only '^(hello|given|ends)$' --allocators 'poolmem|broken|gone|no$' --programs programs \
		--json r.json >text
	says text '^  broken +failed: signal' '^  gone: there is no /' '^  no: .* cannot be preloaded' \
		'^given: glibc 2000 s' '^ends: not shown' '^  glibc +failed: exit status 3' '^geometric mean of 2 programs'
	holds r.json '"broken" in r["failed"]["hello"] and "poolmem" in r["programs"]["hello"]'
}

@test "bench: what it costs to record each block, beside heaptrack" {
	"$bench" -n 2 --only '^pair_40000$' --allocators '^poolmem$' --profilers --json r.json >text
	says text '^  sites=all +time' '^  heaptrack +time' "^each block recorded: cpu seconds more than glibc's" \
		'^  pair_40000 +-?[0-9.]+ +[0-9.]+ +-?[0-9.]+( !)?$'
	holds r.json 'r["allocators"]["sites=all"]["env"] == {"POOLMEM": "sites=all"}'
	holds r.json '0 < r["summary"]["profiling_cpu_s"]["pair_40000"][1]'
}

@test "bench: an interrupt leaves what was seen so far" {
	echo 'hello - /bin/true' >programs
	"$bench" -n 1000000 --only '^hello$' --allocators '^poolmem$' --programs programs --json r.json >text &
	for _ in $(seq 1000); do
		[ -e r.json ] && break
		sleep 0.1
	done
	local code=0
	kill -TERM $! && wait $! || code=$?
	[ "$code" = 130 ]
	says text '^interrupted' '^geometric mean of 1 programs'
	holds r.json 'len(r["programs"]["hello"]["poolmem"]) == len(r["programs"]["hello"]["glibc"]) > 0'
}
