# SPDX-License-Identifier: MIT
# F41: kernels without MADV_POPULATE_WRITE or MADV_WIPEONFORK.  Built with the answer "unknown" forced, the
# library still counts right and says what it does without.  (_dl_find_object: see tests/abi.)

bats_require_minimum_version 1.5.0
load host

# The library alone, in a folder of this test.
built()
{
	make -s -C "$root" BUILD="$out/build" CFLAGS=-O1 EXTRA_CFLAGS="$1" "$out/build/libpoolmem.so" >&2
	lib=$out/build/libpoolmem.so
	preloads="$oracle $lib"
}

counted_right()
{
	rm -rf "$out"/segments/* "$ORACLE_OUT"
	code=0
	watched "${@:2}" || code=$?
	[ "$code" = 0 ]
	equal --processes "$1"
}

basic_counts()
{
	local exact=$build/tests/exact
	counted_right 1 "$exact/mix" "$(by_level 50000 3000000)" 1
	counted_right 1 "$exact/threads" 8 "$(by_level 10000 300000)" 1
	counted_right 1 "$exact/handover" 4 "$(by_level 20000 300000)" 1
	counted_right "$(by_level 29 209)" "$exact/manyforks" "$(by_level 20 200)" 8 100
}

small_disk()
{
	mount -t tmpfs -o "size=$1,mode=700" none "$out/segments"
	preloads=$lib same "$programs/f19_work" 12 6 2000
	[ "$code" = 7 ]
}

@test "F41 no MADV_POPULATE_WRITE: a segment of fixed size, or none on a small disk" {
	built -DPM_FORCE_NO_POPULATE
	basic_counts
	[ "$(told '"fixed_size" in notes')" = True ]
	[ "$(told '"no_wipe_on_fork" in notes')" = False ]
	for size in 4k 64k 512k 2m; do apart small_disk $size; done
}

# What the kernel is asked to drop from arenas, which lie at addresses below 2^44, begins and ends with a page of so many bytes.
# How much is dropped in time is asked in posix.bats: under strace, beside other work, these programs may find it too little.
dropped_whole_pages()
{
	strace -f --seccomp-bpf -o "$out/calls" -e trace=madvise,munmap,mremap -E POOLMEM="dir=$out/segments$3" \
		-E LD_PRELOAD="$lib" "$build/tests/posix/$2" >&2 || [ $? = 1 ]
	python3 - "$1" "$out/calls" <<-'END'
		import re, sys
		page, seen = int(sys.argv[1]), 0
		for line in open(sys.argv[2]):
		    call = re.search(r"(munmap|mremap|madvise)\((0x[0-9a-f]+), (\d+)(.*)", line)
		    if call and int(call[2], 16) < 1 << 44 and ("DONTNEED" in call[4] or call[1] != "madvise"):
		        assert int(call[2], 16) % page == 0 and int(call[3]) % page == 0, line
		        seen += 1
		assert seen > 10, seen
	END
}

with_pages()
{
	built -DPM_FORCE_PAGE=$1
	basic_counts
	dropped_whole_pages $1 sleeps ,purge.ms=1 # pages inside pools, too
	dropped_whole_pages $1 goesback ,purge.ms=1
}

@test "F41 pages of 16 KiB" { with_pages 16384; }
@test "F41 pages of 64 KiB" { with_pages 65536; }

@test "F41 no MADV_WIPEONFORK: children of fork are told apart" {
	built -DPM_FORCE_NO_WIPE
	basic_counts
	[ "$(told '"no_wipe_on_fork" in notes')" = True ]
	if [ "$level" = soak ]; then
		built "-DPM_FORCE_NO_WIPE -DPM_FORCE_NO_POPULATE"
		basic_counts
		[ "$(told '"fixed_size" in notes and "no_wipe_on_fork" in notes')" = True ]
	fi
}

@test "F41 no PAGEMAP_SCAN: pages that were only read are told by their being mapped once" {
	built -DPM_FORCE_NO_SCAN
	cat >"$out/zeros.c" <<-'END'
		#include <stdlib.h>
		int main(void)
		{
			char *block = calloc(1, 20 << 20);
			volatile char sum = 0;
			for (int at = 0; at < 20 << 20; at += 4096)
				sum += block[at];
			return 0;
		}
	END
	gcc -o "$out/zeros" "$out/zeros.c"
	POOLMEM=dir=$out/segments,frag=exit LD_PRELOAD=$lib "$out/zeros"
	"$poolmem" frag --json "$out"/segments/*.pms >"$out/json"
	python3 "$POOLMEM_ROOT/tests/exact/frag.py" residual "$out/json"
}
