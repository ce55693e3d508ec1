# SPDX-License-Identifier: MIT
# Under tools that look at programs, and under limits of the address space: the program works, and its calls are counted.

bats_require_minimum_version 1.5.0
load ../posix/preload

perl='my %h; $h{$_ % 997} .= "x" x ($_ % 50) for 1..20000; print scalar(keys %h), "\n"'

setup()
{
	prepare
	export POOLMEM=dir=$out/segments PERL_HASH_SEED=0 LC_ALL=C
}

# Allocations of perl in the reports that are there, which then go.
counted()
{
	local segment
	for segment in "$out/segments"/*.pms; do "$poolmem" report --json "$segment"; done >"$out/reports"
	rm "$out/segments"/*
	python3 - "$out/reports" <<-'END'
		import json, sys
		text, at, count = open(sys.argv[1]).read().strip(), 0, 0
		while at < len(text):
		    report, at = json.JSONDecoder().raw_decode(text, at)
		    count += sum(p["metrics"]["alloc.count"] for p in report["processes"] if p["exe"].endswith("perl"))
		    at += len(text[at:]) - len(text[at:].lstrip())
		print(count)
	END
}

# under COMMAND...: perl as the command's program; the same output, and as many calls as by itself
under()
{
	LD_PRELOAD=$lib perl -e "$perl" >"$out/plain"
	plain=$(counted)
	LD_PRELOAD=$lib "$@" perl -e "$perl" >"$out/under"
	diff "$out/plain" "$out/under"
	under=$(counted)
	echo "$plain by itself, $under under $1"
	[ "$plain" -gt 10000 ]
	[ $((under > plain ? under - plain : plain - under)) -lt 100 ] # names and variables of its environment
}

@test "callgrind, whose address space is small" {
	under valgrind -q --tool=callgrind --callgrind-out-file=/dev/null
}

@test "memcheck, told not to take malloc over" {
	under valgrind -q --tool=memcheck --soname-synonyms=somalloc=nouserintercepts
}

# valgrind lets no mapping grow that lies as far up as ours.
@test "valgrind: the record grows with the program" {
	command -v valgrind >/dev/null || skip "no package valgrind"
	export POOLMEM=$POOLMEM,sites=all
	LD_PRELOAD=$lib valgrind -q --tool=none \
		perl -e 'my %h; for my $i (1..1000) { eval "sub f$i { [map { \$_ . $i } 1..5] }"; $h{$i} = eval "f$i()" }'
	for segment in "$out/segments"/*.pms; do "$poolmem" report --json "$segment"; done >"$out/reports"
	python3 - "$out/reports" <<-'END'
		import json, sys
		text, at, seen = open(sys.argv[1]).read().strip(), 0, 0
		while at < len(text):
		    report, at = json.JSONDecoder().raw_decode(text, at)
		    at += len(text[at:]) - len(text[at:].lstrip())
		    if any(p["exe"].endswith("perl") for p in report["processes"]):
		        seen += 1
		        assert not {n["key"] for n in report["notes"]} & {"truncated", "dropped_stacks", "dropped_blocks"}, report["notes"]
		        assert report["metrics"]["alloc.count"] > 50000, report["metrics"]
		assert seen == 1, seen
	END
}

@test "gdb: breakpoints, and calls of malloc by the debugger" {
	export LD_PRELOAD=
	gdb -nx -q -batch -ex "set environment LD_PRELOAD $lib" -ex "set startup-with-shell off" -ex 'break malloc_usable_size' \
		-ex run -ex delete -ex 'print (long)malloc_usable_size((void *)malloc(1000))' \
		-ex 'call (void)free((void *)malloc(70000))' -ex continue \
		--args "$build/tests/posix/corners" >"$out/said" 2>&1 || true
	cat "$out/said"
	grep -q 'exited normally' "$out/said"
	grep -qE '= 10(00|08|24)' "$out/said"
}

# Blocks over 32 KiB take up to 64 KiB more of addresses than of memory.
@test "ulimit -v: what fits is served, what does not is refused as by libc" {
	cat >"$out/fill.py" <<-'END'
		import sys
		blocks, size = [], int(sys.argv[1])
		try:
		    while True:
		        blocks.append(bytearray(size))
		except MemoryError:
		    count = len(blocks)
		    blocks.clear()
		    again = [bytearray(size) for _ in range(count * 9 // 10)]
		    print(count * size >> 20, len(again) >= count * 9 // 10)
	END
	export PYTHONMALLOC=malloc
	for size in 3000 100000 3000000 50000000; do
		(ulimit -v 400000; exec python3 "$out/fill.py" $size) >"$out/plain"
		(ulimit -v 400000; LD_PRELOAD=$lib exec python3 "$out/fill.py" $size) >"$out/under"
		echo "$size: $(cat "$out/plain") by libc, $(cat "$out/under") by us"
		read -r plain _ <"$out/plain"
		read -r under again <"$out/under"
		[ "$again" = True ]
		[ "$under" -ge $((plain * 3 / 5)) ]
	done
}
