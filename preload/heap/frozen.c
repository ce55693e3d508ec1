/* SPDX-License-Identifier: MIT */
/* frozen.c: see frozen.h. */
#include "heap/frozen.h"

#include "heap/arena.h"

/* What a walk does to the stamp of a live block that is not recorded, seen just now.  true: the block counts. */
typedef bool change(uint8_t *at, uint8_t stamp);

struct walk {
	change *change;
	struct frozen *frozen; /* NULL: nothing is counted */
};

/*
 * What is recorded, frozen or not, the host knows.  The block that was looked at may be gone by then, and another one be
 * recorded in its place: what was done to it is undone.
 */
static bool visit_block(struct pool *pool, uint32_t index, change *change)
{
	uint8_t *at = &pool->stamps[index], done = STAMP_OLD;
	uint8_t stamp = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	if (stamp != STAMP_SPECIAL)
		return change(at, stamp);
	if (host_is_recorded(pool, index) || !change(at, stamp))
		return false;
	if (likely(!host_is_recorded(pool, index)))
		return true;
	__atomic_compare_exchange_n(at, &done, STAMP_SPECIAL, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return false;
}

static void visit(struct pool *pool, void *context)
{
	const struct walk *walk = context;
	uint32_t stamps = pool->state == POOL_LARGE ? 1 : pool->threaded;
	for (uint32_t i = 0; i < stamps; i++)
		if (visit_block(pool, i, walk->change) && walk->frozen)
			frozen_add(walk->frozen, pool->size_class, pool->block_bytes);
}

static void each_block(change *change, struct frozen *frozen)
{
	struct walk walk = {change, frozen};
	arena_each_pool(visit, &walk);
}

/* Of a block that is freed meanwhile, malloc's and free's plain stores win. */
static bool freeze(uint8_t *at, uint8_t stamp)
{
	return stamp != STAMP_FREE && stamp != STAMP_SPECIAL && stamp != stamps.now &&
	       __atomic_compare_exchange_n(at, &stamp, STAMP_SPECIAL, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

static bool thaw(uint8_t *at, uint8_t stamp)
{
	return stamp == STAMP_SPECIAL && frozen_thaw(at);
}

static bool is_frozen(uint8_t *at, uint8_t stamp)
{
	(void)at;
	return stamp == STAMP_SPECIAL;
}

void frozen_take(struct frozen *ret_frozen)
{
	each_block(freeze, ret_frozen);
}

void frozen_give_back(void)
{
	each_block(thaw, NULL);
}

void frozen_count(struct frozen *ret_frozen)
{
	each_block(is_frozen, ret_frozen);
}
