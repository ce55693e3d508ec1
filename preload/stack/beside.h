/* SPDX-License-Identifier: MIT */
/*
 * beside.h: what is known of recorded blocks, twelve bytes each, in an array with a place for each block of a pool.
 *
 * Where each block is recorded this is less than blocks.h needs, and found without a search.  Private memory.
 */
#ifndef STACK_BESIDE_H
#define STACK_BESIDE_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#pragma GCC visibility push(hidden)

enum { BESIDE_BLOCKS_MAX = PM_UNIT_BYTES / 16, BESIDE_SITE_BITS = 21, BESIDE_DESCENT_BITS = 10 };

/* As in struct recorded.  A place whose site is 0 is empty. */
struct beside_entry {
	uint32_t site : BESIDE_SITE_BITS;
	uint32_t is_frozen : 1;
	uint32_t descent : BESIDE_DESCENT_BITS;
	uint32_t epoch;
	uint16_t requested;
	uint8_t stamp;
	uint8_t reserved;
};

_Static_assert(sizeof(struct beside_entry) == 12, "for each block");

struct beside {
	uint32_t room; /* places */
	struct beside_entry entry[];
};

/*
 * Freezes or thaws the block that was `seen` there, whose thread may free it meanwhile.  false: another one is there now, or
 * none.
 */
static inline bool beside_set_frozen(struct beside_entry *entry, struct beside_entry seen,
				     bool is_frozen)
{
	uint32_t from, to;
	memcpy(&from, &seen, sizeof from);
	seen.is_frozen = is_frozen;
	memcpy(&to, &seen, sizeof to);
	return __atomic_compare_exchange_n((uint32_t *)entry, &from, to, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

static inline void beside_clear(struct beside_entry *entry)
{
	*entry = (struct beside_entry){0};
}

/* With room for so many blocks, all places empty; for good: somebody may be looking.  NULL: no memory.  One caller at a time. */
struct beside *beside_make(uint32_t blocks);

#pragma GCC visibility pop

#endif
