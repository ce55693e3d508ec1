/* SPDX-License-Identifier: MIT */
/*
 * records.h: what is known of a recorded block, wherever it stands.
 *
 *   each block is recorded: beside its pool (stack/beside.h)      a sample, large ones: by address (stack/blocks.h)
 *
 * A block's stamp is STAMP_SPECIAL from when it is recorded until its free.  Who frees it alone takes its record.
 */
#ifndef LIFE_RECORDS_H
#define LIFE_RECORDS_H

#include "heap/arena.h"
#include "life/recorder.h"
#include "stack/beside.h"
#include "stack/blocks.h"
#include "tally/clock.h"

#pragma GCC visibility push(hidden)

_Static_assert(LIFE_DESCENTS <= 1 << BESIDE_DESCENT_BITS, "struct beside_entry");
_Static_assert(RECORDER_ROWS < 1 << BESIDE_SITE_BITS, "struct beside_entry");
_Static_assert(CLASS_MAX <= UINT16_MAX, "beside_entry.requested");

/* Of blocks that this process records. */
static inline uint32_t records_descent(void)
{
	return life.descent % LIFE_DESCENTS;
}

/* Of a block of the pool. */
static inline void *records_block(const struct pool *pool, uint64_t index)
{
	return pool->start + index * pool->block_bytes;
}

/* The record beside the pool; NULL: there is none. */
static inline struct beside_entry *records_beside(const struct pool *pool, uint64_t index)
{
	struct beside *beside = __atomic_load_n(arena_of_host(pool), __ATOMIC_ACQUIRE);
	struct beside_entry *entry = beside && index < beside->room ? &beside->entry[index] : NULL;
	return entry && entry->site ? entry : NULL;
}

/* An array beside the pool that has a place for each of its blocks.  false: there is none. */
static inline bool records_has_room(const struct pool *pool)
{
	const struct beside *beside = __atomic_load_n(arena_of_host(pool), __ATOMIC_RELAXED);
	return beside && beside->room >= pool->capacity;
}

/* Makes one.  One caller at a time.  false: no memory. */
bool records_make_room(const struct pool *pool);

/* There is room, and the block is not recorded. */
static inline void records_put_beside(const struct pool *pool, uint64_t index, uint32_t site,
				      size_t requested, uint8_t stamp)
{
	struct beside *beside = __atomic_load_n(arena_of_host(pool), __ATOMIC_RELAXED);
	beside->entry[index] = (struct beside_entry){
		.site = site,
		.descent = records_descent(),
		.epoch = (uint32_t)clock_now.epoch,
		.requested = (uint16_t)requested,
		.stamp = stamp,
	};
}

/* Epoch of its birth. */
static inline uint64_t records_epoch(const struct beside_entry *entry)
{
	uint64_t now = clock_now.epoch;
	return now - (uint32_t)((uint32_t)now - entry->epoch);
}

/* By address, as made by the heap just now; `order` as in struct recorded.  false: no room. */
bool records_put(struct heap *heap, const struct pool *pool, uint64_t index, uint32_t site,
		 size_t requested, uint64_t order);

/* false: it is not recorded. */
bool records_look(const struct pool *pool, uint64_t index, struct recorded *ret_recorded);

/* The program wants another size of it; it is recorded. */
void records_resize(const struct pool *pool, uint64_t index, size_t requested);

/* Its free is a dlclose() from now on.  false: no room. */
bool records_watch(const struct pool *pool, uint64_t index);

/* All there are; those that come and go meanwhile perhaps.  The visitor may change stamp and is_frozen, and no others. */
void records_each(blocks_visit *visit, void *context);

#pragma GCC visibility pop

#endif
