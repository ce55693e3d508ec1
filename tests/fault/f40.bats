# SPDX-License-Identifier: MIT
# F40: mlockall makes all that is mapped resident, and with a limit refuses what goes beyond it.  The
# library maps what it uses: the outcome is the same as without it, and little more is resident.

bats_require_minimum_version 1.5.0
load host

# What the library itself may add, once all of its mappings are resident.
allowance_kib=6144

# locked [USER-COMMAND]: without and with the library
locked()
{
	"$@" timeout -k 5 "$watchdog" /mnt/f40_lock >"$out/plain" 2>"$out/plain.kib"
	"$@" timeout -k 5 "$watchdog" env POOLMEM="dir=/mnt/segments,purge.ms=1" LD_PRELOAD="$lib" \
		/mnt/f40_lock >"$out/watched" 2>"$out/watched.kib"
	cat "$out/watched" "$out"/*.kib
	diff "$out/plain" "$out/watched"
	grep -qx 'missing 0, not zero 0' "$out/watched"
	[ "$(cat "$out/watched.kib")" -lt $(($(cat "$out/plain.kib") + allowance_kib)) ]
}

as_root()
{
	open_house "$programs/f40_lock"
	mkdir -m 700 /mnt/segments
	locked
	grep -qx 'mlockall 0, error 0' "$out/watched"
	[ "$(find /mnt/segments -name '*.pms' | wc -l)" = 1 ]
}

# RLIMIT_MEMLOCK of 64 KiB before Linux 5.16, 8 MiB since, and whatever it is here
as_user()
{
	open_house "$programs/f40_lock"
	as_nobody mkdir -m 700 /mnt/segments
	locked as_nobody
	for limit in 8192 64 0; do
		ulimit -l $limit || true # what is lower already stays
		locked as_nobody
	done
}

@test "F40 mlockall as root: nothing refused, little more resident" {
	export allowance_kib
	apart as_root
}

@test "F40 mlockall as a user, with the limits that kernels and systems set" {
	export allowance_kib
	apart as_user
}

@test "F40 memory that stays dirty because it is locked is counted once" {
	cat >"$out/locked.c" <<-'END'
		#include <malloc.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		int main(void)
		{
			if (mlockall(MCL_CURRENT | MCL_FUTURE))
				return 1;
			for (int i = 0; i < 50; i++) {
				free(memset(malloc(300000), 1, 300000));
				malloc_trim(0);
				if (mallinfo2().keepcost > 100 << 20 || mallinfo2().fordblks > 100 << 20)
					return 2;
			}
			malloc_stats();
			return 3;
		}
	END
	cc "$out/locked.c" -o "$out/locked"
	code=0
	watched "$out/locked" 2>"$out/stats" || code=$?
	cat "$out/stats"
	[ "$code" = 3 ]
	[ "$(awk '/free, kept/ { print $4 < 100000000 }' "$out/stats")" = 1 ]
}
