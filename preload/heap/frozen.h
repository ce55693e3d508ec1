/* SPDX-License-Identifier: MIT */
/*
 * frozen.h: live blocks that the statistics leave out.
 *
 * Their stamps are STAMP_SPECIAL, so that their free takes the slow path, which tells host_special_died().
 */
#ifndef HEAP_FROZEN_H
#define HEAP_FROZEN_H

#include "heap/heap.h"

#pragma GCC visibility push(hidden)

/* By class: blocks, of CLASS_LARGE_BYTES their bytes. */
struct frozen {
	uint64_t of[CLASS_COUNT];
};

/* One more block. */
static inline void frozen_add(struct frozen *frozen, unsigned size_class, size_t bytes)
{
	frozen->of[size_class]++;
	if (size_class == CLASS_LARGE)
		frozen->of[CLASS_LARGE_BYTES] += bytes;
}

/*
 * Freezes what lives and was born before this epoch, and adds it to `ret_frozen`.  A block that another thread frees
 * meanwhile may be counted though it is not frozen.  One caller at a time, no epoch turns, no pass of ageing.c.
 */
void frozen_take(struct frozen *ret_frozen);

/* Of one block: its stamp becomes STAMP_OLD.  false: it is not frozen. */
static inline bool frozen_thaw(uint8_t *stamp)
{
	uint8_t frozen = STAMP_SPECIAL;
	return __atomic_load_n(stamp, __ATOMIC_RELAXED) == STAMP_SPECIAL &&
	       __atomic_compare_exchange_n(stamp, &frozen, STAMP_OLD, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

/* The stamps of all that are frozen become STAMP_OLD. */
void frozen_give_back(void);

/* What is frozen. */
void frozen_count(struct frozen *ret_frozen);

#pragma GCC visibility pop

#endif
