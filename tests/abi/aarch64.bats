# SPDX-License-Identifier: MIT
# The library on aarch64, as far as an emulator shows it: built by a cross-compiler, run by qemu, read by the analyzer of this
# machine.  What qemu does not show is the order in which another processor sees stores.
#
# bats cannot leave a test out at run time: at level test one whose packages are missing says so and does nothing.

bats_require_minimum_version 1.5.0
load ../posix/preload

cc=aarch64-linux-gnu-gcc
sysroot=/usr/aarch64-linux-gnu

setup_file()
{
	for need in $cc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user; do
		command -v "${need%:*}" >/dev/null || missing+=" ${need#*:}"
	done
	[ -r $sysroot/lib/libc.so.6 ] || missing+=" libc6-dev-arm64-cross"
	export missing
	[ -n "$missing" ] && return
	cross=$BATS_FILE_TMPDIR
	make -s -C "$root" CC=$cc BUILD="$cross" CFLAGS='-O2 -g' "$cross/libpoolmem.so" >"$cross/make.log" 2>&1
	for name in mix threads handover; do
		compile -fno-builtin -o "$cross/$name" "$root/tests/exact/$name.c"
	done
	compile -fno-builtin -shared -fPIC -o "$cross/liboracle.so" "$root/tests/exact/liboracle.c"
	compile -fno-builtin -o "$cross/work" "$here/cross/work.c"
	compile -fno-builtin -o "$cross/stress" "$root/tests/posix/stress.c"
}

compile()
{
	$cc -std=gnu11 -O1 -g -Wall -Wextra -I"$root/include" -iquote "$root/tests" -pthread "$@"
}

# Whether the test can be run; in soak it must.
ready()
{
	cross=$BATS_FILE_TMPDIR out=$BATS_TEST_TMPDIR
	[ -z "$missing" ] && mkdir -m 700 "$out/segments" && return
	[ "$level" = test ] || skip "not here:$missing (tools/setup soak installs them)"
	echo "# not here:$missing" >&3
	return 1
}

# emulated PROGRAM ARGUMENT...   $options of qemu, $settings, $preloads
# A processor without SVE, whose loads fail in qemu 7.2 on pages that mremap has moved away from, or with -p.
emulated()
{
	# shellcheck disable=SC2086
	POOLMEM=dir=$out/segments${settings:+,$settings} ORACLE_OUT=$out/oracle \
		qemu-aarch64 -cpu cortex-a72 ${options-} -L $sysroot -E LD_PRELOAD="${preloads-$cross/libpoolmem.so}" "$@"
}

# equal PROGRAM ARGUMENT...: it counts as an interposer in front of it does
equal()
{
	rm -rf "$out"/segments/* "$out/oracle"
	preloads="$cross/liboracle.so $cross/libpoolmem.so" emulated "$@" || [ "$?" = "${code-0}" ]
	python3 "$root/tests/exact/check.py" --poolmem "$poolmem" --processes 1 "$out/oracle" "$out/segments"
}

# Each process as it says itself; not by its id, which a child does not learn under -p.
as_told()
{
	rm -rf "$out"/segments/*
	emulated "$cross/work" >"$out/told"
	"$poolmem" report --json "$out"/segments/*.pms >"$out/report.json"
	python3 - "$out/told" "$out/report.json" <<-'END'
		import json, sys
		told = sorted((int(a), int(f)) for p, a, f in map(str.split, open(sys.argv[1])))
		d = json.load(open(sys.argv[2]))
		found = sorted((p["metrics"]["alloc.count"], p["metrics"]["free.count"]) for p in d["processes"])
		assert len(told) == 5 and found == told, (told, found)
		for p in d["processes"]:
		    m = p["metrics"]
		    assert m["live.blocks"] == m["inherited.blocks"] + m["alloc.count"] - m["free.count"], m
	END
}

@test "aarch64: builds without a word, exports what the map lists, needs libc alone" {
	ready || return 0
	[ ! -s "$cross/make.log" ]
	"$root/tools/exports" "$cross/libpoolmem.so" "$root/preload/exports.map"
}

@test "aarch64: exact: one thread, all calls, however it ends" {
	ready || return 0
	equal "$cross/mix" 30000 1
	code=137 equal "$cross/mix" 10000 2 kill
}

@test "aarch64: exact: threads, and blocks that others free" {
	ready || return 0
	equal "$cross/threads" 8 5000 1
	equal "$cross/handover" 4 10000 1
	settings=sites=all equal "$cross/threads" 8 2000 1
}

@test "aarch64: what a program and its forked children say of themselves" {
	ready || return 0
	as_told
	settings=sites=all as_told
}

@test "aarch64: contents survive random calls" {
	ready || return 0
	for threads in 1 8; do
		preloads='' emulated "$cross/stress" $threads 3000 1 >"$out/plain"
		emulated "$cross/stress" $threads 3000 1 >"$out/under" || { tail -n 5 "$out/under"; return 1; }
		diff "$out/plain" "$out/under"
	done
}

@test "aarch64: where pages were moved away and purged, zeros come back" {
	ready || return 0
	compile -fno-builtin -o "$out/moved" "$here/cross/moved.c"
	emulated "$out/moved"
}

@test "aarch64: pages of 16 and 64 KiB" {
	ready || return 0
	for page in 16384 65536; do
		options="-p $page" as_told
		options="-p $page" emulated "$cross/stress" 1 3000 1 >"$out/under"
	done
}

# Small machines have 39 bits.  So emulated, a mapping does not grow in place, and the segment with it: one process alone.
@test "aarch64: exact: few addresses" {
	ready || return 0
	options='-R 0x8000000000' equal "$cross/mix" 30000 1
}

# Then no address stands in a table yet.
@test "aarch64: F1 a resolver allocates before the library is relocated" {
	ready || return 0
	compile -fno-builtin -shared -fPIC -o "$out/libf01_ifunc.so" "$root/tests/fault/libf01_ifunc.c"
	compile -o "$out/calls" "$root/tests/fault/f01_calls.c" -Wl,--no-as-needed -L"$out" -l:libf01_ifunc.so \
		-Wl,-rpath,"$out"
	emulated "$out/calls" >"$out/under"
	grep -qx 'library: 4 blocks right' "$out/under"
}

@test "aarch64: call sites: each block has its stack, with names" {
	ready || return 0
	settings=sites=all emulated "$cross/work" >"$out/told"
	"$poolmem" sites --json -n 0 "$out"/segments/*.pms >"$out/sites.json"
	python3 - "$out/sites.json" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		m, ours = d["metrics"], {}
		assert not d["dropped_stacks"] + d["dropped_blocks"]
		assert sum(s["allocated"] for s in d["sites"]) == m["alloc.count"], (m, d["all"])
		for s in d["sites"]:
		    names = [d["frames"][i]["function"] for i in s["frames"]]
		    assert s["stack_ends"] == ["whole"] and "main" in names and "work" in names, s
		    ours.setdefault(tuple(names[:names.index("main") + 1]), []).append(s["allocated"])
		assert ("leaf", "with_array", "take", "work", "main") in ours, ours
	END
}

@test "aarch64: on another processor run and doctor say so beforehand" {
	ready || return 0
	[ "$(uname -m)" = x86_64 ] || return 0
	run -1 "$poolmem" doctor "$cross/work"
	[[ $output == *"work is for another processor (aarch64): libpoolmem.so here is for x86-64"* ]]
	cd "$out"
	run --separate-stderr "$poolmem" run -- "$cross/work"
	[[ $stderr == *"work is for another processor (aarch64)"* ]]
	run -1 "$poolmem" doctor --lib "$cross/libpoolmem.so"
	[[ $output == *"for another processor"* ]]
}

# Signed return addresses need an emulated processor that signs.
@test "aarch64: stacks are those of backtrace(), wherever a timer interrupts" {
	ready || return 0
	for flags in -O2 '-O2 -fomit-frame-pointer' '-O2 -mbranch-protection=standard' \
		'-O2 -mbranch-protection=pac-ret+leaf+b-key' -O0; do
		# shellcheck disable=SC2086
		compile $flags -iquote "$root/preload" -o "$out/walks" "$here/cross/walks.c" \
			"$cross"/preload/{stack,sys}/*.o
		run -0 qemu-aarch64 -cpu max -L $sysroot "$out/walks"
		echo "$flags: $output"
		[[ $output =~ ^([0-9]+)\ compared,\ ([0-9]+)\ whole$ ]]
		[ "${BASH_REMATCH[1]}" -ge 300 ]
		[ "${BASH_REMATCH[2]}" -ge 250 ]
	done
}

@test "other machines: make names those that it builds for" {
	cat >"$BATS_TEST_TMPDIR/cc" <<-'END'
		#!/bin/sh
		[ "$1" = -dumpmachine ] && exec echo riscv64-linux-gnu
		exec gcc "$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/cc"
	run -2 make -s -C "$root" CC="$BATS_TEST_TMPDIR/cc" BUILD="$BATS_TEST_TMPDIR/build" all
	[[ $output == *"poolmem runs on x86-64 and aarch64 Linux with glibc"*"builds for riscv64-linux-gnu"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/build" ]
	run -1 gcc -mx32 -fsyntax-only -iquote "$root/preload" -include "$root/preload/sys/raw.h" -x c /dev/null
	[[ $output == *"64-bit"* ]]
}
