# SPDX-License-Identifier: MIT
# replay --what-if: libraries with other constants are built of the same sources, count as exactly, and a trace tells
# what each constant is good for.

bats_require_minimum_version 1.5.0
load ../posix/preload

built="pool-16K pool-32K pool-128K classes-coarse classes-fine place-age"

setup()
{
	prepare
	trace=$out/trace.pmt
}

recorded()
{
	rm -f "$trace"
	POOLMEM="dir=$out/segments,trace=$trace" LD_PRELOAD=$lib "$programs/variants" "$1"
	rm -f "$out"/segments/*
}

# what_if PARAM...: replays; `told` looks at the outcome.
what_if()
{
	POOLMEM="dir=$out/segments" "$poolmem" replay --what-if --json --lib "$lib" -f -o "$out/json" "$@" "$trace"
}

# told NAME FIGURE LEAST MOST: what changes, in hundredths; "same": nothing that can be told.
told()
{
	python3 - "$out/json" "$@" <<'PY'
import json, sys
file, name, figure, *range = sys.argv[1:]
document = json.load(open(file))
[row] = [row for row in document["what_if"]["values"] if row["name"] == name]
change = row["change"][figure]
print(name, figure, change, row["verdict"], document["what_if"]["best"])
if range == ["same"]:
    assert not change["told"], change
else:
    assert change["told"] and int(range[0]) <= 100 * change["part"] <= int(range[1]), change
PY
}

# unit, sizes of classes but that of 0, and bytes of the pool of each.
layout()
{
	POOLMEM="dir=$out/segments" LD_PRELOAD=$1 /bin/true
	python3 - "$out"/segments/*.pms <<'PY'
import struct, sys
data = open(sys.argv[1], "rb").read(65536)
unit, = struct.unpack_from("<I", data, 108)
offset, stride, count = struct.unpack_from("<QII", data, 136)
classes = [struct.unpack_from("<IIII", data, offset + i * stride) for i in range(count)]
print(unit, *[block for kind, block, pool, most in classes[1:] if kind == 1])
print(*[pool for kind, block, pool, most in classes[1:] if kind == 1])
PY
	rm -f "$out"/segments/*
}

sizes() # GRAIN STEPS
{
	python3 -c 'import sys
grain, steps = map(int, sys.argv[1:])
print(*range(grain, 1025, grain), *[b + b // steps * (i + 1) for b in (1 << n for n in range(10, 15)) for i in range(steps)])' "$@"
}

@test "what-if: each library has the constants of its name, and poolmem its own" {
	while read -r name unit grain steps; do
		layout "$build/$name" >"$out/layout"
		[ "$(head -1 "$out/layout")" = "$unit $(sizes "$grain" "$steps")" ]
		[ "$(tail -1 "$out/layout" | cut -d' ' -f1)" = "$unit" ]
	done <<-END
		libpoolmem.so 65536 16 8
		what-if/pool-16K/libpoolmem.so 16384 16 8
		what-if/pool-32K/libpoolmem.so 32768 16 8
		what-if/pool-128K/libpoolmem.so 131072 16 8
		what-if/classes-coarse/libpoolmem.so 65536 32 4
		what-if/classes-fine/libpoolmem.so 65536 16 16
		what-if/place-age/libpoolmem.so 65536 16 8
	END
}

@test "what-if: each library counts exactly, with threads and without" {
	for name in $built; do
		for run in "mix 60000 1" "threads 8 20000 1" "handover 4 20000 1"; do
			set -- $run
			rm -rf "$out"/segments/* "$out/oracle"
			POOLMEM="dir=$out/segments" ORACLE_OUT=$out/oracle \
				LD_PRELOAD="$programs/liboracle.so $build/what-if/$name/libpoolmem.so" "$programs/$1" "${@:2}"
			python3 "$here/check.py" --poolmem "$poolmem" --processes 1 "$out/oracle" "$out/segments"
		done
	done
}

@test "what-if: each library keeps what is written to blocks, and answers as libc" {
	for name in $built; do
		lib=$build/what-if/$name/libpoolmem.so
		same_as_glibc "$build/tests/posix/stress" 1 "$(by_level 30000 2000000)" 1
		same_as_glibc "$build/tests/posix/stress" 8 "$(by_level 5000 200000)" 1
		same_as_glibc "$build/tests/posix/corners"
		same_as_glibc "$build/tests/posix/pairs" 100000 1
	done
}

@test "what-if: shorter pools strand less" {
	recorded strands
	what_if --fast pool
	told pool=16K rss.peak -45 -25
	told pool=32K rss.peak -33 -13
}

@test "what-if: finer classes leave less slack, coarser more" {
	recorded slack
	what_if --fast classes
	told classes=fine rss.peak -8 -4
	told classes=coarse rss.peak 5 15
	recorded small
	what_if --fast classes
	told classes=coarse rss.peak 22 40
	told classes=fine rss.peak same
}

@test "what-if: what is given back late, or early, by a program that goes on" {
	recorded idles
	what_if purge=0 purge=never
	told purge=never rss.end 500 10000
	told purge=never rss.mean 50 1000
	told purge=0 rss.mean -95 -30
	grep -q '"best": "purge=0"' "$out/json"
}

@test "what-if: by age, what is old goes as a whole" {
	recorded ages
	what_if place
	told place=age rss.peak 25 60
	told place=age rss.end -60 -30
	python3 -c 'import json, sys
document = json.load(open(sys.argv[1]))
[row] = document["what_if"]["values"]
assert row["verdict"] == "trade" and document["what_if"]["best"] is None, row' "$out/json"
}

@test "what-if: the text says what each changes, and what to do" {
	recorded strands
	"$poolmem" replay --what-if --fast --lib "$lib" pool=16K purge=1000 "$trace" >"$out/text"
	grep -qE '^poolmem +[0-9.]+ MiB' <(sed 's/^ *//' "$out/text")
	grep -qE '^Pools of 16 KiB: [0-9.]+ % less at the peak' "$out/text"
	tr '\n' ' ' <"$out/text" | tr -s ' ' >"$out/line"
	grep -q "What to change: pools of 16 KiB\. .* It is a constant: make EXTRA_CFLAGS='-DPM_UNIT_KIB=16'\." "$out/line"
	grep -q 'Each was changed alone' "$out/line"
	grep -q "The program's time was not kept" "$out/line"
	"$poolmem" replay --what-if --fast --runs 2 --lib "$lib" pool=16K "$trace" >"$out/text"
	grep -q 'too few replays to tell a difference' "$out/text"
	tr '\n' ' ' <"$out/text" | tr -s ' ' | grep -q 'it takes 5 of each'
}

@test "what-if: nonsense is told what there is" {
	recorded small
	while IFS='|' read -r arguments said; do
		run -2 --separate-stderr "$poolmem" replay --lib "$lib" $arguments "$trace"
		[ -z "$output" ]
		[[ $stderr == *"$said"* ]] || { echo "$stderr"; false; }
	done <<-END
		--what-if pol|no parameter 'pol'; there are pool, classes, place, purge
		--what-if pool=33K|'pool=33K' is none of pool=16K, pool=32K, pool=128K; poolmem has: 64K
		--what-if pool= |'pool=' is none of
		--what-if purge=200|poolmem has: 200
		--what-if --under glibc|--what-if goes without --under
		--what-if --speed|--what-if goes without --speed
		--what-if --print|--what-if goes without --print
		--what-if --runs 51|a number from 1 to 50
		pool=16K|one trace at a time
	END
}

@test "what-if: installed, it finds its libraries; where they are missing, it says which" {
	recorded small
	make -s BUILD="$POOLMEM_BUILD" PREFIX="$out/usr" install
	"$out/usr/bin/poolmem" replay --what-if --fast --runs 1 "$trace" >"$out/text"
	grep -q 'pool=16K' "$out/text"
	run ! grep -q 'Not tried' "$out/text"
	rm -r "$out/usr/libexec/poolmem/what-if/pool-16K"
	"$out/usr/bin/poolmem" replay --what-if --fast --runs 1 "$trace" >"$out/text"
	tr '\n' ' ' <"$out/text" | tr -s ' ' >"$out/line"
	grep -q 'Not tried: pool=16K: no what-if/pool-16K/libpoolmem.so beside .*which `make` builds' "$out/line"
	run -1 --separate-stderr "$out/usr/bin/poolmem" replay --what-if pool=16K "$trace"
	[[ $stderr == *"pool=16K: no what-if/pool-16K/libpoolmem.so"* ]]
	make -s BUILD="$POOLMEM_BUILD" PREFIX="$out/usr" uninstall
	run find "$out/usr" -type f -name '*poolmem*'
	[ -z "$output" ]
}
