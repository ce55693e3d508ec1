/* SPDX-License-Identifier: MIT */
/*
 * large.c: blocks with a run of pages of their own.
 *
 * Those above the largest class, those of unusual alignment, and any block for a caller that has no heap
 * (a signal handler inside the allocator, a thread past its end).  Up to RUN_BYTES_MAX they are a run of
 * units; beyond, they have arenas of their own.
 */
#include "heap/heap.h"
#include "heap/region.h"
#include "sys/memory.h"

static const size_t RUN_BYTES_MAX = (size_t)RUN_UNITS_MAX * PM_UNIT_BYTES;

enum {
	MOVE_UNITS = (256 << 10) / PM_UNIT_BYTES
}; /* from here on, pages are moved rather than copied */

#define LARGE_WORD(record, word) offsetof(struct pm_slot, tally[CLASS_##record].word)

/* Handed on when it is much: blocks that come and go in turn cost no atomic operation. */
static void live_changed(struct heap *heap, int64_t bytes)
{
	if (!heap) {
		host_live_changed(bytes);
		return;
	}
	heap->live_held += bytes;
	if (heap->live_held > host_large_pace.held || heap->live_held < -host_large_pace.held) {
		host_live_changed(heap->live_held);
		heap->live_held = 0;
	}
}

void large_count_bytes(struct heap *heap, int64_t allocated)
{
	heap_add(heap, LARGE_WORD(LARGE_BYTES, limit[0]), (uint64_t)allocated);
	live_changed(heap, allocated);
}

/*
 * What a thread has not allocated cannot be taken back from it: a block of another that becomes smaller gives these bytes
 * back, at its age, so that no count falls below 0.
 */
void large_count_change(struct heap *heap, int64_t more, unsigned age)
{
	const struct pm_tally *bytes = heap ? heap_counted(heap,
							   &heap->slot->tally[CLASS_LARGE_BYTES])
					    : NULL;
	if (more < 0 && (!bytes || tally_allocations(bytes) < (uint64_t)-more)) {
		heap_add(heap, LARGE_WORD(LARGE_BYTES, freed[age]), (uint64_t)-more);
		live_changed(heap, more);
	} else {
		large_count_bytes(heap, more);
	}
}

/* The record of large blocks has no countdown: left stays 0 and limit[0] counts. */
void large_count_alloc(struct heap *heap, size_t bytes)
{
	heap_add(heap, LARGE_WORD(LARGE, limit[0]), 1);
	if (!heap)
		heap_count(NULL, PM_COUNTER_NESTED);
	large_count_bytes(heap, (int64_t)bytes);
}

void large_count_free(struct heap *heap, size_t bytes, unsigned age)
{
	heap_add(heap, LARGE_WORD(LARGE, freed[age]), 1);
	heap_add(heap, LARGE_WORD(LARGE_BYTES, freed[age]), bytes);
	live_changed(heap, -(int64_t)bytes);
}

/* What is counted when a block goes, as long as its address is its own. */
struct end {
	size_t bytes;
	struct recorded *recorded;
	uint8_t stamp;
};

static struct end end_of(const struct pool *pool, uint8_t stamp)
{
	bool special = unlikely(stamp == STAMP_SPECIAL);
	return (struct end){pool->block_bytes, special ? host_large_recorded(pool->start) : NULL,
			    stamp};
}

static void count_free(struct heap *heap, const struct end *end)
{
	uint8_t stamp = end->stamp;
	size_t bytes = end->bytes;
	if (unlikely(stamp == STAMP_SPECIAL))
		stamp = host_large_died(heap, end->recorded, bytes);
	large_count_free(heap, bytes, stamp_age(stamp));
}

static size_t round_up(size_t bytes, size_t grain)
{
	return (bytes + grain - 1) / grain * grain;
}

static void describe(struct pool *pool, char *start, size_t usable)
{
	pool->start = start;
	pool->free = NULL;
	pool->reciprocal = 0; /* no address is exact: every free takes the slow path */
	pool->tally = NULL;
	pool->until = pool->mark = pool->threaded = 1;
	pool->capacity = 1;
	pool->block_bytes = usable;
	pool->size_class = CLASS_LARGE;
	pool->stamps[0] = stamps.now;
	__atomic_store_n(&pool->owner, OWNER_NONE, __ATOMIC_RELAXED);
	__atomic_store_n(&pool->state, POOL_LARGE, __ATOMIC_RELEASE);
	ageing_due(pool);
}

/* --- kept by a heap -------------------------------------------------------------------------------- */

/*
 * A program that comes and goes with large blocks finds the last ones again, without a search.  Kept runs are nobody's
 * blocks.  Only the thread itself puts one on a list; whoever takes one takes the whole list, and so any thread can give
 * back what an idle one keeps.
 */
static struct pool *take_list(struct heap *heap, size_t units)
{
	struct pool **list = &heap->cached[units - 1];
	return __atomic_load_n(list, __ATOMIC_RELAXED)
		       ? __atomic_exchange_n(list, NULL, __ATOMIC_ACQ_REL)
		       : NULL;
}

static bool keep(struct heap *heap, struct pool *pool, const char *first_byte)
{
	unsigned units = pool->units;
	if (!heap || units > HEAP_CACHED_UNITS || pool->start != first_byte ||
	    pool->first_unit + units > PM_ARENA_UNITS)
		return false;
	struct pool *first = take_list(heap, units);
	pool->next = first;
	pool->threaded = first ? first->threaded + 1 : 1; /* length of the list */
	bool kept = pool->threaded * units <= HEAP_CACHED_UNITS;
	if (kept)
		__atomic_store_n(&pool->state, POOL_CACHED, __ATOMIC_RELEASE);
	__atomic_store_n(&heap->cached[units - 1], kept ? pool : first, __ATOMIC_RELEASE);
	return kept;
}

static struct pool *take_kept(struct heap *heap, size_t units)
{
	struct pool *pool = heap && units <= HEAP_CACHED_UNITS ? take_list(heap, units) : NULL;
	if (!pool)
		return NULL;
	__atomic_store_n(&heap->cached[units - 1], pool->next, __ATOMIC_RELEASE);
	heap->cache_served = true;
	return pool;
}

/* Its units lead nowhere any more: a late second free in one of them must not be looked up in the first. */
static void give_run(struct pool *pool)
{
	unsigned unit;
	struct arena *arena = arena_of(pool, &unit);
	__atomic_store_n(&pool->state, POOL_UNUSED, __ATOMIC_RELEASE);
	region_set_run(arena, unit + 1, pool->units - 1U, &pool_nowhere);
	arena_give(arena, unit, pool->units);
}

void large_flush(struct heap *heap)
{
	for (unsigned units = 1; units <= HEAP_CACHED_UNITS; units++)
		for (struct pool *pool = take_list(heap, units), *next; pool; pool = next) {
			next = pool->next;
			give_run(pool);
		}
}

void large_flush_heaps(bool all)
{
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		if (all || !heap->cache_served)
			large_flush(heap);
		heap->cache_served = false;
	}
}

bool large_take_units(unsigned count, struct run *ret_run)
{
	if (arena_take(count, ret_run))
		return true;
	large_flush_heaps(true);
	return arena_take(count, ret_run);
}

/* Usable bytes end at a page, so that what is never touched is never resident. */
static struct pool *take_run(struct heap *heap, size_t alignment, size_t size, char **ret_start,
			     size_t *ret_usable, bool *ret_zeroed)
{
	struct run run = {.zeroed = false};
	size_t slack = alignment > PM_UNIT_BYTES ? alignment - PM_UNIT_BYTES : 0;
	size_t units = round_up(size + slack, PM_UNIT_BYTES) / PM_UNIT_BYTES;
	struct pool *pool = take_kept(heap, units);
	if (!pool && !large_take_units((unsigned)units, &run))
		return NULL;
	if (!pool)
		pool = arena_describe(&run, 1);
	*ret_start = (char *)round_up((uintptr_t)pool->start, alignment);
	*ret_usable = round_up(size, memory_page());
	*ret_zeroed = run.zeroed;
	return pool;
}

static struct pool *take_huge(size_t alignment, size_t size, char **ret_start, size_t *ret_usable,
			      bool *ret_zeroed)
{
	size_t slack = alignment > ARENA_BYTES ? alignment - ARENA_BYTES : 0;
	struct pool *pool = arena_take_huge(round_up(size + slack, memory_page()));
	*ret_zeroed = true;
	if (!pool)
		return NULL;
	*ret_start = (char *)round_up((uintptr_t)pool->start, alignment);
	*ret_usable = round_up(size, memory_page());
	arena_find_at(pool, *ret_start);
	return pool;
}

void *large_alloc(struct heap *heap, size_t alignment, size_t size, bool *ret_zeroed)
{
	char *start;
	size_t usable;
	struct pool *pool;
	if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX || size + alignment > PTRDIFF_MAX)
		return NULL;
	if (!size)
		size = 1;
	if (size + (alignment > PM_UNIT_BYTES ? alignment : 0) > RUN_BYTES_MAX)
		pool = take_huge(alignment, size, &start, &usable, ret_zeroed);
	else
		pool = take_run(heap, alignment, size, &start, &usable, ret_zeroed);
	if (!pool)
		return NULL;
	describe(pool, start, usable);
	large_count_alloc(heap, usable);
	return start;
}

static bool is_huge(const struct pool *pool, struct arena **ret_arena, unsigned *ret_unit)
{
	*ret_arena = arena_of(pool, ret_unit);
	return arena_kind_of(*ret_arena) == ARENA_HUGE;
}

/* Of two that free it one finds the stamp and wins. */
void large_free(struct heap *heap, struct pool *pool)
{
	struct arena *arena;
	unsigned unit;
	uint8_t stamp = __atomic_exchange_n(&pool->stamps[0], STAMP_FREE, __ATOMIC_ACQ_REL);
	if (stamp == STAMP_FREE) {
		host_misuse(PM_MISUSE_DOUBLE_FREE, pool->start, CLASS_LARGE, pool->block_bytes);
		return;
	}
	struct end end = end_of(pool, stamp);
	count_free(heap, &end);
	bool huge = is_huge(pool, &arena, &unit);
	if (!huge && keep(heap, pool, arena_unit_at(arena, unit)))
		return;
	__atomic_store_n(&pool->state, POOL_UNUSED, __ATOMIC_RELEASE);
	uintptr_t start_unit = region_unit_of(pool->start);
	if (start_unit != region_unit_of(arena_unit_at(arena, unit)))
		region_set(start_unit, &pool_nowhere); /* as in bin_release() */
	if (huge)
		arena_give_huge(pool);
	else
		give_run(pool);
}

static void set_usable(struct heap *heap, struct pool *pool, size_t usable)
{
	int64_t more = (int64_t)(usable - pool->block_bytes);
	large_count_change(heap, more, stamp_age(pool->stamps[0]));
	host_large_resized(pool->start, pool->stamps[0], more);
	pool->block_bytes = usable;
}

/* The units behind a run; where it is long, also of arenas that nobody has used yet. */
static bool take_behind(struct arena *arena, const struct pool *pool, unsigned unit, unsigned count)
{
	bool zeroed;
	if (arena_take_at(arena, unit, count, &zeroed))
		return true;
	if (pool->units < PM_ARENA_UNITS)
		return false;
	arena_open_up_to(arena, unit + count);
	return arena_take_at(arena, unit, count, &zeroed);
}

/* Grows into the units behind, or gives back those that are no longer needed. */
static bool resize_run(struct heap *heap, struct pool *pool, size_t size)
{
	unsigned first;
	struct arena *arena = arena_of(pool, &first);
	size_t lead = (size_t)(pool->start - arena_unit_at(arena, first));
	unsigned units = (unsigned)(round_up(lead + size, PM_UNIT_BYTES) / PM_UNIT_BYTES);
	if (units > pool->units) {
		unsigned more = units - pool->units;
		if (!take_behind(arena, pool, first + pool->units, more))
			return false;
		region_set_run(arena, first + pool->units, more, pool);
	} else if (units < pool->units) {
		region_set_run(arena, first + units, pool->units - units, &pool_nowhere);
		arena_give(arena, first + units, pool->units - units);
	}
	pool->units = (uint16_t)units;
	arena_mark_changed(arena);
	set_usable(heap, pool, round_up(size, memory_page()));
	return true;
}

bool large_resize(struct heap *heap, struct pool *pool, size_t size)
{
	struct arena *arena;
	unsigned unit;
	size_t usable = round_up(size, memory_page());
	if (usable == pool->block_bytes)
		return true;
	if (size <= CLASS_MAX)
		return false;
	if (is_huge(pool, &arena, &unit))
		return false;
	return size <= RUN_BYTES_MAX && resize_run(heap, pool, size);
}

static void mark_gone(struct pool *pool)
{
	pool->stamps[0] = STAMP_FREE;
	__atomic_store_n(&pool->state, POOL_UNUSED, __ATOMIC_RELEASE);
}

/* `moved` is where the block, whose old place is gone, lives now. */
static struct pool *become(struct heap *heap, struct pool *moved, const struct end *old,
			   size_t usable)
{
	describe(moved, moved->start, usable);
	large_count_alloc(heap, usable);
	count_free(heap, old);
	return moved;
}

static void mark_back(struct pool *pool, uint8_t stamp)
{
	pool->stamps[0] = stamp;
	__atomic_store_n(&pool->state, POOL_LARGE, __ATOMIC_RELEASE);
	ageing_due(pool); /* a pass has perhaps seen it without a stamp */
}

static struct pool *move_huge(struct heap *heap, struct pool *pool, size_t usable)
{
	struct end old = end_of(pool, pool->stamps[0]);
	mark_gone(pool); /* when its pages have moved, its place may be another's at once */
	struct pool *moved = arena_resize_huge(pool, usable);
	if (moved && moved != pool)
		return become(heap, moved, &old, usable);
	mark_back(pool, old.stamp);
	if (moved)
		set_usable(heap, pool, usable);
	return moved;
}

/* Of a run to which pages should have moved; where its units are unmapped and cannot be mapped again they are lost. */
static void give_target(const struct run *run, size_t bytes)
{
	char *target = arena_unit_at(run->arena, run->first);
	if (memory_map_at(target, bytes) == MEMORY_REFUSED)
		return;
	if (run->zeroed)
		arena_give_zeroed(run->arena, run->first, run->count);
	else
		arena_give(run->arena, run->first, run->count);
}

/* The run was found too short where it is. */
static struct pool *move_run(struct heap *heap, struct pool *pool, size_t usable)
{
	struct run run;
	unsigned first, units = pool->units;
	size_t moving = (size_t)units * PM_UNIT_BYTES;
	struct arena *arena = arena_of(pool, &first);
	struct end old = end_of(pool, pool->stamps[0]);
	if (!arena_take((unsigned)(round_up(usable, PM_UNIT_BYTES) / PM_UNIT_BYTES), &run))
		return NULL;
	if (!memory_swap_in(pool->start, moving, arena_unit_at(run.arena, run.first))) {
		give_target(&run, moving);
		return NULL;
	}
	mark_gone(pool);
	region_set_run(arena, first + 1, units - 1, &pool_nowhere);
	arena_give_zeroed(arena, first, units);
	return become(heap, arena_describe(&run, 1), &old, usable);
}

/* Moves the pages of a block instead of copying them. */
struct pool *large_move(struct heap *heap, struct pool *pool, size_t size)
{
	struct arena *arena;
	unsigned unit;
	size_t usable = round_up(size, memory_page());
	bool huge = is_huge(pool, &arena, &unit);
	if (pool->start != arena_unit_at(arena, unit))
		return NULL;
	if (huge)
		return size > ARENA_BYTES ? move_huge(heap, pool, usable) : NULL;
	bool outgrown = size > (size_t)pool->units * PM_UNIT_BYTES;
	return pool->units >= MOVE_UNITS && outgrown && size <= RUN_BYTES_MAX
		       ? move_run(heap, pool, usable)
		       : NULL;
}
