# SPDX-License-Identifier: MIT
# F1: nothing that runs inside or before the library's start may lead back into it for ever.

bats_require_minimum_version 1.5.0
load under

# both_ways LIBRARY PROGRAM: the library before and after ours, and what is printed the same as without ours
both_ways()
{
	preloads=$1 plainly "$2" >"$out/plain"
	[ -s "$out/plain" ]
	for preloads in "$1 $lib" "$lib $1"; do
		rm -f "$out"/segments/*
		watched "$2" >"$out/under"
		diff "$out/plain" "$out/under"
		[ "$(told 'metrics["alloc.count"] > 10')" = True ]
	done
}

@test "F1 another preload wraps open, mmap, locks, masks, clocks and allocates in each" {
	both_ways "$programs/libf01_wraps.so" "$programs/f01_calls"
}

@test "F1 constructors and destructors allocate and start threads" {
	both_ways "$programs/libf01_constructor.so" "$programs/f01_calls"
}

@test "F1 an ifunc resolver of the program allocates" {
	plainly "$programs/f01_ifunc" >"$out/plain"
	watched "$programs/f01_ifunc" >"$out/under"
	grep -qx '4 blocks right' "$out/plain"
	diff "$out/plain" "$out/under"
}

# ld.so relocates from the end of the search order: libc, the library, ours, the program.
@test "F1 an ifunc resolver of a library allocates, before the library itself is relocated" {
	both_ways "$programs/libf01_ifunc.so" "$programs/f01_calls"
	cc -o "$out/needs" "$here/f01_calls.c" -pthread -Wl,--no-as-needed -L"$programs" -l:libf01_ifunc.so \
		-Wl,-rpath,"$programs"
	plainly "$out/needs" >"$out/plain"
	grep -qx 'library: 4 blocks right' "$out/plain"
	rm -f "$out"/segments/*
	watched "$out/needs" >"$out/under"
	diff "$out/plain" "$out/under"
	rm -f "$out"/segments/* "$ORACLE_OUT"
	LD_BIND_NOW=1 watched "$out/needs" >"$out/under"
	diff "$out/plain" "$out/under"
}
