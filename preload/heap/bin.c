/* SPDX-License-Identifier: MIT */
/*
 * bin.c: the pools of one class in one heap.
 *
 * A bin is a list of ACTIVE pools; malloc pops from the first.  A pool all of whose blocks are used
 * leaves the list (FULL) and comes back by its next free: a local one by the countdown `until`, a remote
 * one by a notice to the owner.  A pool without used blocks goes back to its arena unless it is the
 * first of its bin.
 *
 * In a library of `poolmem replay --what-if`, PM_PLACE_AGE, blocks are placed by age: a pool that has survived a middle
 * sweep serves no new ones until it is nearly empty, so that what is old is not mixed with what is young.
 */
#include "heap/heap.h"
#include "heap/region.h"
#include "tally/clock.h"

#ifndef PM_PLACE_AGE
#define PM_PLACE_AGE 0
#endif

struct pool pool_empty = {.owner = OWNER_NONE};

enum {
	FREE_PART_TO_RETURN = 32, /* a full pool comes back when this part is free: not for each free, nor too late */
	NEARLY_EMPTY_PART = 8, /* an old pool may serve again when no more than this part is used */
	LOOKED_AT = 64,        /* pools of a bin, for one that is not old */
	HALVED_PER_TICK = 64, /* of a thread that only frees, a pool tells six times or so until it is empty */
};

/* The first of a bin serves; that it is empty now and then is no event. */
static void make_first(struct heap *heap, struct pool *pool)
{
	heap->bin[pool->size_class] = pool;
	pool->prev = NULL;
	pool_set_mark(pool, POOL_SERVES);
	/* After the mark: see ageing.c. */
	ageing_due(pool);
}

/* It tells when half of what is used now is gone: frees alone reach what is done now and then. */
static void watch(struct pool *pool)
{
	pool_set_mark(pool, pool_used(pool) / 2);
}

/* Behind the first, which goes on serving. */
static void link(struct heap *heap, struct pool *pool)
{
	struct pool *first = heap->bin[pool->size_class];
	pool->next = NULL;
	pool->rested = false;
	if (first == &pool_empty) {
		make_first(heap, pool);
		return;
	}
	watch(pool);
	pool->prev = first;
	pool->next = first->next;
	if (first->next)
		first->next->prev = pool;
	first->next = pool;
}

static void unlink(struct heap *heap, struct pool *pool)
{
	if (pool->next)
		pool->next->prev = pool->prev;
	if (pool->prev)
		pool->prev->next = pool->next;
	else if (pool->next)
		make_first(heap, pool->next);
	else
		heap->bin[pool->size_class] = &pool_empty;
	pool->next = pool->prev = NULL;
}

/* --- by age --------------------------------------------------------------------------------------- */

static uint16_t epoch_of(const uint64_t *epoch)
{
	return (uint16_t)__atomic_load_n(epoch, __ATOMIC_RELAXED);
}

static void bear(struct pool *pool)
{
	pool->born = epoch_of(&clock_now.epoch);
}

static bool is_old(const struct pool *pool)
{
	return (int16_t)(pool->born - epoch_of(&clock_now.last_middle_epoch)) < 0;
}

static bool is_nearly_empty(const struct pool *pool)
{
	return pool_used(pool) <= pool->capacity / NEARLY_EMPTY_PART;
}

static void put_second(struct heap *heap, struct pool *pool)
{
	if (heap->bin[pool->size_class] == pool)
		return;
	unlink(heap, pool);
	link(heap, pool);
}

/* One that may serve; NULL: none was found. */
static struct pool *find_young(struct pool *pool)
{
	for (unsigned looked = 0; pool && looked < LOOKED_AT; pool = pool->next, looked++)
		if (!is_old(pool) || is_nearly_empty(pool))
			return pool;
	return NULL;
}

static struct pool *new_pool(struct heap *heap, unsigned size_class);

/* Before the first goes.  When there is no memory for a new pool the old ones serve. */
static void make_young_second(struct heap *heap, const struct pool *first)
{
	struct pool *pool = find_young(first->next);
	if (pool) {
		put_second(heap, pool);
		if (is_old(pool))
			bear(pool);
		return;
	}
	pool = first->next ? new_pool(heap, first->size_class) : NULL;
	if (!pool)
		return;
	link(heap, pool);
	heap_count(heap, PM_COUNTER_POOLS_TAKEN);
}

/* --- coming and going ------------------------------------------------------------------------------ */

static void mark_changed(struct pool *pool)
{
	unsigned unit;
	arena_mark_changed(arena_of(pool, &unit));
}

/* Back from FULL. */
void bin_activate(struct heap *heap, struct pool *pool)
{
	pool->state = POOL_ACTIVE;
	link(heap, pool);
	mark_changed(pool);
}

/*
 * Units behind the first lead nowhere again: the first one's descriptor may soon be another pool's, and a
 * late second free of a block in them must not be looked up there.
 */
static void forget_units(const struct pool *pool, const struct arena *arena, unsigned first)
{
	region_set_run(arena, first + 1, pool->units - 1U, &pool_nowhere);
}

void bin_release(struct heap *heap, struct pool *pool)
{
	if (pool->state != POOL_ACTIVE || pool_used(pool) || !pool_cancel_notice(pool))
		return;
	unsigned unit;
	struct arena *arena = arena_of(pool, &unit);
	unlink(heap, pool);
	forget_units(pool, arena, unit);
	sparse_forget(pool);
	pool->free = NULL;
	__atomic_store_n(&pool->state, POOL_UNUSED, __ATOMIC_RELAXED);
	__atomic_store_n(&pool->owner, OWNER_NONE, __ATOMIC_RELEASE);
	heap_count(heap, PM_COUNTER_POOLS_GIVEN);
	arena_give(arena, unit, pool->units);
}

void bin_release_if_empty(struct heap *heap, struct pool *pool)
{
	if (heap->bin[pool->size_class] != pool)
		bin_release(heap, pool);
}

/*
 * Takes an exhausted first pool out of the list: later frees bring it back.
 * false: remote frees came meanwhile, it can serve again.
 */
static bool retire(struct heap *heap, struct pool *pool)
{
	if (!pool_ask_notice(pool))
		return !pool_collect(pool);
	if (PM_PLACE_AGE)
		make_young_second(heap, pool);
	uint32_t used = pool_used(pool), part = (uint32_t)pool->capacity / FREE_PART_TO_RETURN;
	unlink(heap, pool);
	pool_set_mark(pool, used - (part ? part : 1));
	pool->state = POOL_FULL;
	mark_changed(pool);
	return true;
}

/* In no list yet. */
static struct pool *new_pool(struct heap *heap, unsigned size_class)
{
	struct run run;
	if (!large_take_units(class_units(size_class), &run))
		return NULL;
	struct pool *pool = arena_describe(&run, class_capacity(size_class));
	pool->used_before = !run.zeroed;
	pool_init(pool, size_class, heap, &heap->slot->tally[size_class]);
	if (PM_PLACE_AGE)
		bear(pool);
	pool_extend(pool);
	return pool;
}

static bool take_new(struct heap *heap, unsigned size_class)
{
	struct pool *pool = new_pool(heap, size_class);
	if (!pool)
		return false;
	make_first(heap, pool);
	heap_count(heap, PM_COUNTER_POOLS_TAKEN);
	return true;
}

bool bin_fill(struct heap *heap, unsigned size_class)
{
	remote_drain(heap);
	for (;;) {
		struct pool *pool = heap->bin[size_class];
		if (pool == &pool_empty)
			return take_new(heap, size_class);
		if (pool->free || pool_collect(pool) || pool_extend(pool) || !retire(heap, pool))
			return true;
	}
}

/*
 * `until` ran out in free: a full pool has a free block again, or an active one has no used block left.  In the
 * pool that serves it means nothing.
 */
void heap_pool_event(struct heap *heap, struct pool *pool)
{
	heap_enter();
	if (pool->state == POOL_FULL) {
		pool_cancel_notice(pool);
		bin_activate(heap, pool);
	} else if (pool->mark != POOL_SERVES) {
		watch(pool);
		if (PM_PLACE_AGE && is_nearly_empty(pool))
			put_second(heap, pool);
		heap->halved++;
	}
	bin_release_if_empty(heap, pool);
	if (heap->halved >= HALVED_PER_TICK) {
		heap->halved = 0;
		host_tick(heap);
	}
	heap_leave(heap);
}
