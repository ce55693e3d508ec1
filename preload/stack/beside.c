/* SPDX-License-Identifier: MIT */
/* beside.c: see beside.h. */
#include "stack/beside.h"

#include "sys/memory.h"

#include <stddef.h>

enum { FIRST_BYTES = 256 << 10, BYTES_MAX = 4 << 20, GRAIN = _Alignof(struct beside) };

/* A child that another thread forks in between finds less there, not more. */
static struct {
	char *at;
	size_t left;
	size_t bytes; /* of all so far: so long is the next one, within limits */
} mapped;

static bool map(void)
{
	size_t bytes = mapped.bytes < FIRST_BYTES ? FIRST_BYTES
		       : mapped.bytes > BYTES_MAX ? BYTES_MAX
						  : mapped.bytes;
	char *more = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (!more)
		return false;
	memory_no_huge_pages(more, bytes);
	mapped.at = more;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	mapped.left = bytes;
	mapped.bytes += bytes;
	return true;
}

struct beside *beside_make(uint32_t blocks)
{
	size_t bytes = sizeof(struct beside) + blocks * sizeof(struct beside_entry);
	bytes = (bytes + GRAIN - 1) / GRAIN * GRAIN;
	if (blocks > BESIDE_BLOCKS_MAX || (mapped.left < bytes && !map()))
		return NULL;
	struct beside *beside = (struct beside *)mapped.at;
	mapped.left -= bytes;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	mapped.at += bytes;
	beside->room = blocks;
	return beside;
}
