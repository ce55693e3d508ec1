# SPDX-License-Identifier: MIT
# Hosts that run code of others, for minutes, with each block recorded by its stack: what they write is the same, and no block
# is missing among the call sites.  Stacks through code that a run-time compiler made may be cut; it is said how many.

bats_require_minimum_version 1.5.0
load ../posix/preload

setup()
{
	prepare
	files=$here/hosts
	export LC_ALL=C.UTF-8
}

# host CODE PROGRAM...: without and with the library, each in a fresh folder
host()
{
	local way
	for way in plain under; do
		rm -rf "$out/work" && mkdir "$out/work" && cd "$out/work" || return
		if [ -n "$prepare" ]; then $prepare; fi
		if [ $way = plain ]; then
			"$@" >"$out/plain.out" 2>"$out/plain.err"
		else
			POOLMEM=dir=$out/segments,sites=all "$poolmem" run -q -o "$out/run.pm" -- "$@" >"$out/under.out" 2>"$out/under.err"
		fi
		find . -type f | LC_ALL=C sort | xargs cksum >>"$out/$way.out"
	done
	diff "$out/plain.out" "$out/under.out"
	diff "$out/plain.err" "$out/under.err"
	[ -s "$out/plain.out" ]
}

# recorded COMMAND: each block that the processes of that name allocated is in a site, or counted as dropped
recorded()
{
	"$poolmem" sites --json -n 0 "$out/run.pm" >"$out/sites"
	"$poolmem" report --json "$out/run.pm" >"$out/report"
	python3 - "$out/sites" "$out/report" <<-'END'
		import collections, json, sys
		sites, report = (json.load(open(path)) for path in sys.argv[1:])
		ends = collections.Counter()
		for site in sites["sites"]:
		    ends["+".join(site["stack_ends"])] += site["allocated"]
		recorded, allocated = sum(ends.values()), report["metrics"]["alloc.count"]
		print(allocated, "blocks;", dict(ends), "dropped", sites["dropped_blocks"])
		early = 200 * len(report["processes"])  # before the library's constructor
		assert allocated - early <= recorded + sites["dropped_blocks"] <= allocated, recorded
		live = sum(site["live"] for site in sites["sites"])
		assert live <= report["metrics"]["leak.blocks"], live
	END
}

run_bash()
{
	host bash "$files/work.sh" "$(by_level 20 3000)"
}

run_luajit()
{
	host luajit "$files/work.lua" 400000
	recorded
}

run_node()
{
	host node "$files/work.js" 6000
	recorded
}

run_javac()
{
	prepare="python3 $files/work.py 250" host sh -c 'exec javac -d out *.java'
	recorded
}

@test "hosts: bash, with descriptors of its own and forked children; in soak luajit, node and javac too" {
	for machine in bash $(by_level "" "luajit node javac"); do
		"run_$machine"
		rm -f "$out/run.pm"
	done
}
