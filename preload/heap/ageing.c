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
#include "heap/births.h"
#include "heap/heap.h"
#include "heap/region.h"
#include "tally/clock.h"

enum { GROUP = 16 };

/* Stamps of sixteen blocks. */
typedef uint8_t group __attribute__((vector_size(GROUP), may_alias));
typedef uint64_t halves __attribute__((vector_size(GROUP), may_alias));

_Static_assert(offsetof(struct pool, stamps) % GROUP == 0, "and descriptors are whole lines");

/* Stamps that turn in this pass: one range, two where it goes round, or none: then STAMP_FREE stands here. */
static bool is_turning[256];
static struct {
	uint8_t first, span;
} turning[2];

static void set_turning(void)
{
	unsigned ranges = 0;
	turning[0].first = STAMP_FREE;
	turning[0].span = 0;
	for (unsigned stamp = STAMP_FIRST; stamp <= STAMP_LAST; stamp++) {
		is_turning[stamp] = clock_age((uint8_t)stamp) >= CLOCK_OLD_AGE;
		if (!is_turning[stamp])
			continue;
		if (stamp == STAMP_FIRST || !is_turning[stamp - 1])
			turning[ranges++].first = (uint8_t)stamp;
		turning[ranges - 1].span = (uint8_t)(stamp - turning[ranges - 1].first);
	}
	if (ranges < 2)
		turning[1] = turning[0];
}

static bool any(group mask)
{
	halves both = (halves)mask;
	return both[0] | both[1];
}

static void turn(uint8_t *at, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t stamp = __atomic_load_n(&at[i], __ATOMIC_RELAXED);
		if (is_turning[stamp])
			__atomic_compare_exchange_n(&at[i], &stamp, STAMP_OLD, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

/* true: none is left that has to turn later: frozen ones have not.  Behind the blocks stamps are STAMP_FREE. */
static bool age_stamps(uint8_t *stamps_of, uint32_t count)
{
	bool rest = false;
	for (uint32_t i = 0; i < count; i += GROUP) {
		group at = *(const group *)&stamps_of[i];
		group done = (group)((at == STAMP_FREE) | (at >= STAMP_OLD));
		group turns = (group)((at - turning[0].first <= turning[0].span) |
				      (at - turning[1].first <= turning[1].span)) &
			      ~done;
		if (any(turns))
			turn(&stamps_of[i], count - i < GROUP ? count - i : GROUP);
		rest |= any(~(done | turns));
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
	bool done = age_stamps(pool->stamps, pool->threaded) && !serves;
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

static void age_births(uint8_t *stamps_of, uint32_t count)
{
	age_stamps(stamps_of, count);
}

static void pass(void)
{
	set_turning();
	for (uint32_t i = 0; i < arena_count(); i++)
		age_arena(arena_at(i));
	births_each(age_births);
}

void ageing_pass_if_due(void)
{
	static uint64_t last; /* epoch of the last pass that came to its end */
	if (clock_now.epoch - last < CLOCK_AGEING_PERIOD)
		return;
	pass();
	last = clock_now.epoch;
}
