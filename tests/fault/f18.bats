# SPDX-License-Identifier: MIT
# F18: memory ends, at every possible place: the program sees NULL and ENOMEM, or ends as it does without us,
# and is never ended by the library.

bats_require_minimum_version 1.5.0
load under

# The program's own end, or ld.so's message that a library cannot be loaded.
survived()
{
	[ "$1" = 0 ] || [ "$1" = 127 ] || { echo "$2: exit code $1"; return 1; }
}

@test "F18 an address space limit, in 64 steps from too little to enough" {
	kib=2000 ended=0
	for step in $(seq 64); do
		code=0
		(ulimit -v "$kib" && watched "$programs/f18_limits" 30000000) >"$out/said" 2>&1 || code=$?
		survived "$code" "ulimit -v $kib" || { cat "$out/said"; false; }
		[ "$code" != 0 ] || ended=$((ended + 1))
		kib=$((kib * 109 / 100 + 100))
		rm -f "$out"/segments/*
	done
	echo "$ended of 64 ended by themselves, the last with $kib KiB"
	[ "$ended" -gt 32 ]
}

# Without us, the same limit leaves about as much: the arenas grow in steps that get smaller when refused.
@test "F18 a limit is used up nearly as far as by libc" {
	for bytes in 100 5000 100000; do
		plain=$(ulimit -v 200000 && plainly "$programs/f18_most" "$bytes")
		under=$(ulimit -v 200000 && watched "$programs/f18_most" "$bytes")
		echo "$bytes bytes each: $plain KiB without, $under KiB with the library"
		[ "$((under * 10))" -ge "$((plain * 6))" ]
		rm -f "$out"/segments/*
	done
}

# nth CALL ERROR LAST: each call of that name fails once, then each one from there on. The first mmap is
# ld.so's own, and it does not survive that.
nth()
{
	local when
	for when in $(seq 2 "$3") $(seq 2 3 "$3" | sed 's/$/+/'); do
		code=0
		timeout -k 5 "$watchdog" strace -f -qq -o /dev/null -e trace="$1" \
			-e inject="$1:error=$2:when=$when" \
			-E LD_PRELOAD="$lib" -E POOLMEM="dir=$out/segments" \
			"$programs/f18_limits" 3000000 >"$out/said" 2>&1 || code=$?
		survived "$code" "$1 number $when" || { cat "$out/said"; false; }
		rm -f "$out"/segments/*
	done
}

@test "F18 the N-th mmap fails, every N" {
	nth mmap ENOMEM "$(by_level 60 400)"
}

@test "F18 the N-th mremap, madvise, munmap fails, every N" {
	nth mremap ENOMEM "$(by_level 10 100)"
	nth madvise EINVAL "$(by_level 12 100)"
	nth munmap ENOMEM "$(by_level 5 100)"
}

@test "F18 what was freed serves at the limit, kept for another size or not" {
	plainly "$programs/f18_freed" >"$out/plain"
	watched "$programs/f18_freed" >"$out/under"
	diff "$out/plain" "$out/under"
	[ "$(grep -c "large yes, small yes" "$out/under")" = 2 ]
}
