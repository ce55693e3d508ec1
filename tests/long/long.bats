# SPDX-License-Identifier: MIT
# What a program that runs for days would see: memory that creeps up, and tools that must go on working.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	export POOLMEM=dir=$out/segments
}

# The first two cycles see each kind of neighbour once; later ones may need a tenth more, and no more with time.
@test "sizes that drift for an hour: resident memory stays flat, and returns when all is freed" {
	LD_PRELOAD=$lib "$programs/drift" "$(by_level 30 60)" "$(by_level 6 3600s)" >"$out/cycles"
	cat "$out/cycles"
	python3 - "$out/cycles" <<-'END'
		import sys
		lines = open(sys.argv[1]).read().splitlines()
		cycles = [int(l.split()[2]) for l in lines if l.startswith("cycle")]
		freed = int(lines[-1].split()[1])
		first = max(cycles[:2])
		assert len(cycles) >= 5, cycles
		assert max(cycles[2:]) <= first * 1.2 + 4096, (first, max(cycles[2:]))
		last = sorted(cycles[-5:])[2]
		assert last <= first * 1.1 + 4096, (first, last)
		assert freed <= first / 5 + 4096, (first, freed)
	END
}

@test "many short threads leave nothing behind" {
	threads=$(by_level 20000 1000000)
	LD_PRELOAD=$lib "$programs/brief" "$threads" >"$out/told"
	cat "$out/told"
	{ read -r rss maps size; read -r rss_end maps_end size_end; } <"$out/told"
	[ "$rss_end" -le $((rss + 4096)) ]
	[ "$maps_end" -le $((maps + 8)) ]
	[ "$size_end" -le $((size + 16384)) ]
	[ "$(python3 "$root/tests/fault/told.py" "$poolmem" "$out/segments" 'metrics["process.threads"]')" -ge "$threads" ]
	[ "$(du -B1 "$out/segments"/*.pms | cut -f1)" -lt $((1 << 20)) ]
}

# replayed CALLS: records so many and replays them; "bytes of the trace, KiB that the replay took at most"
replayed()
{
	local trace=$out/$1.pmt
	POOLMEM=dir=$out/segments,sites=never,trace.max=8G,trace=$trace LD_PRELOAD=$lib "$programs/calls" "$1"
	# of poolmem, which makes the script, and of poolmem-replay: what is more
	TMPDIR=$out /usr/bin/time -o "$out/took" -f %M "$poolmem" replay --lib "$lib" --fast --runs 1 --under glibc --json "$trace" >"$out/json"
	python3 - "$out/json" "$1" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		calls = d["replay"]["calls"]
		assert abs(calls - int(sys.argv[2])) < 3000 and not d["replay"]["truncated"], d["replay"]
		assert d["allocators"][0]["steps"] >= calls and not d["allocators"][0]["refused"], d
	END
	echo "$(stat -c %s "$trace") $(cat "$out/took")"
	rm "$trace"
}

# 40 bytes for each chunk of 64 KiB are kept to find it, some 20,000 events: what else is needed is what lives at a time.
@test "replay: a trace that is fifteen times as long takes no more memory" {
	command -v /usr/bin/time >/dev/null || skip "no package time"
	short=$(replayed "$(by_level 1000000 20000000)")
	long=$(replayed "$(by_level 15000000 300000000)")
	echo "short: $short; long: $long"
	[ "${long% *}" -gt $((13 * ${short% *})) ]
	[ "${long#* }" -lt $((${short#* } + 1024 + ${long% *} / 65536 * 120 / 1024)) ]
}
