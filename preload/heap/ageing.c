/* SPDX-License-Identifier: MIT */
/*
 * ageing.c: stamps that are about to become ambiguous turn into STAMP_OLD.
 *
 * Most pools of a large heap are full or only lose blocks: no new stamp comes to them, and once all they have are old
 * they are left alone until they serve again.  The owner may begin to serve while a pass looks: it sets the mark,
 * then AGEING_DUE, then stamps.  The pass sets AGEING_LOOKING, then reads the mark.  Either it sees there that the
 * pool serves, or the owner's AGEING_DUE comes later and undoes what the pass found.  A large block has one stamp, set
 * before AGEING_DUE.  A flag of the arena tells which have a pool to look at: most of a large heap is old.
 */
#include "heap/heap.h"
#include "heap/region.h"
#include "tally/clock.h"

static bool is_turning[256]; /* stamps that turn in this pass */

/* true: none is left that has to turn later. */
static bool age_stamps(struct pool *pool)
{
	bool rest = false;
	for (uint32_t i = 0; i < pool->threaded; i++) {
		uint8_t stamp = __atomic_load_n(&pool->stamps[i], __ATOMIC_RELAXED);
		if (stamp == STAMP_FREE || stamp == STAMP_OLD)
			continue;
		if (is_turning[stamp])
			__atomic_compare_exchange_n(&pool->stamps[i], &stamp, STAMP_OLD, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
		else
			rest = true;
	}
	return !rest;
}

void ageing_due(struct pool *pool)
{
	struct arena *arena = arena_at(pool->arena);
	__atomic_store_n(&pool->ageing, AGEING_DUE, __ATOMIC_RELEASE);
	__atomic_store_n(&arena->ageing, true, __ATOMIC_RELEASE);
}

static void age_pool(struct pool *pool, void *ret_rest)
{
	bool *rest = ret_rest;
	uint8_t looking = AGEING_LOOKING;
	if (ageing_is_done(pool))
		return;
	__atomic_exchange_n(&pool->ageing, AGEING_LOOKING, __ATOMIC_ACQ_REL);
	bool serves = __atomic_load_n(&pool->mark, __ATOMIC_ACQUIRE) == POOL_SERVES;
	bool done = age_stamps(pool) && !serves;
	__atomic_compare_exchange_n(&pool->ageing, &looking, done ? AGEING_DONE : AGEING_DUE, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	*rest |= !done;
}

/* Pools that become due while this looks raise the flag after it was taken down. */
static void age_arena(struct arena *arena)
{
	bool rest = false;
	if (!__atomic_load_n(&arena->ageing, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&arena->ageing, false, __ATOMIC_ACQ_REL))
		return;
	arena_each_pool_of(arena, age_pool, &rest);
	if (rest)
		__atomic_store_n(&arena->ageing, true, __ATOMIC_RELEASE);
}

void ageing_pass(void)
{
	for (unsigned stamp = STAMP_FIRST; stamp <= STAMP_LAST; stamp++)
		is_turning[stamp] = clock_age((uint8_t)stamp) >= CLOCK_OLD_AGE;
	for (uint32_t i = 0; i < arena_count(); i++)
		age_arena(arena_at(i));
}
