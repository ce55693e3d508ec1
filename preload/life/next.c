/* SPDX-License-Identifier: MIT */
/*
 * next.c: heap=next, where another allocator serves the memory and we count its calls.
 *
 *   malloc --> no class is served here --> the next malloc --> its malloc_usable_size --> the counter of that size
 *
 * Each thread has a heap that hands out nothing: its slot counts, and it ticks.  A size class stands for the first usable
 * size that comes in its range, so that bytes are exact; what has another size, or is larger than any class, is counted as
 * a large block.  Birth stamps and recorded blocks live beside our own pools: here there are none.
 *
 * What our heap handed out before the constructor knew the next allocator is counted as large, too, and never handed out
 * again.
 */
#include "life/next.h"

#include "heap/region.h"
#include "tally/clock.h"

#include <errno.h>
#include <string.h>

bool host_next;

enum { CHANGES_PER_TICK = 1024 }; /* frees, and allocations without a countdown */

/* --- the class of a size ----------------------------------------------------------------------------- */

/* The processes of a segment agree.  Returns whether the class stands for that size. */
static bool claim(unsigned size_class, uint32_t bytes)
{
	uint32_t now = 0, *shared = NULL;
	if (life.recording) {
		const struct pm_header *header = segment.header;
		struct pm_class *classes = (struct pm_class *)((char *)header + sizeof *header);
		shared = &classes[size_class].block_bytes;
	}
	if (!shared || __atomic_compare_exchange_n(shared, &now, bytes, false, __ATOMIC_RELEASE,
						   __ATOMIC_RELAXED))
		now = bytes;
	__atomic_store_n(&life.block_bytes[size_class], now, __ATOMIC_RELAXED);
	return now == bytes;
}

static inline unsigned class_for(size_t usable)
{
	if (unlikely(usable - 1 >= CLASS_MAX))
		return CLASS_LARGE;
	unsigned size_class = class_of(usable);
	uint32_t bytes = __atomic_load_n(&life.block_bytes[size_class], __ATOMIC_RELAXED);
	if (likely(bytes == usable))
		return size_class;
	return !bytes && claim(size_class, (uint32_t)usable) ? size_class : CLASS_LARGE;
}

/* --- counting ---------------------------------------------------------------------------------------- */

static inline struct pm_tally *tally_of(const struct heap *heap, unsigned size_class)
{
	return heap_counted(heap, &heap->slot->tally[size_class]);
}

static void changed(struct heap *heap)
{
	if (heap && unlikely(++heap->large_changes >= CHANGES_PER_TICK)) {
		heap->large_changes = 0;
		heap_tick(heap);
	}
}

__attribute__((noinline)) static void due(struct heap *heap, unsigned size_class)
{
	heap_enter();
	fork_check(heap);
	tick_due(heap, size_class);
	heap_leave(heap);
}

static inline void count(struct heap *heap, size_t usable)
{
	unsigned size_class = class_for(usable);
	if (unlikely(!heap || size_class == CLASS_LARGE)) {
		large_count_alloc(heap, usable);
		changed(heap);
	} else if (unlikely(tally_allocated(tally_of(heap, size_class)))) {
		due(heap, size_class);
	}
}

static inline void count_gone(struct heap *heap, size_t usable)
{
	unsigned size_class = class_for(usable);
	if (unlikely(!heap || size_class == CLASS_LARGE)) {
		large_count_free(heap, usable, 0);
	} else {
		heap_set_ticking(heap, size_class);
		tally_increment(tally_of(heap, size_class)->freed);
	}
	changed(heap);
}

/* As if it had not been counted: what it was is replaced, in place. */
static void take_back(struct heap *heap, size_t usable)
{
	unsigned size_class = class_for(usable);
	if (!heap || size_class == CLASS_LARGE) {
		large_count_bytes(heap, -(int64_t)usable);
		heap_add(heap, offsetof(struct pm_slot, tally[CLASS_LARGE].limit[0]), UINT64_MAX);
	} else {
		heap_set_ticking(heap, size_class);
		tally_add((uint64_t *)&tally_of(heap, size_class)->left, PM_LEFT_STEP);
	}
}

static void count_requested(struct heap *heap, size_t requested)
{
	heap_add(heap, offsetof(struct pm_slot, counter[PM_COUNTER_REQUESTED]), requested);
}

void next_count_alloc(void *block, size_t requested)
{
	struct heap *heap = heap_here();
	if (unlikely(!block)) {
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return;
	}
	count_requested(heap, requested);
	count(heap, foreign.usable(block));
}

void next_count_free(void *block)
{
	size_t usable = foreign.usable(block);
	count_gone(heap_here(), usable);
}

/* A block of another size class is another one to the counters, but neither handed out nor given back. */
static void count_in_place(struct heap *heap, size_t before, size_t usable)
{
	if (before == usable)
		return;
	take_back(heap, before);
	count(heap, usable);
}

void next_count_realloc(const void *block, size_t before, void *result, size_t requested)
{
	struct heap *heap = heap_here();
	if (!block) {
		next_count_alloc(result, requested);
		return;
	}
	if (!result) {
		if (requested)
			heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		else
			count_gone(heap, before);
		return;
	}
	heap_count(heap, PM_COUNTER_REALLOC);
	if (result == block) {
		count_in_place(heap, before, foreign.usable(result));
		return;
	}
	heap_count(heap, PM_COUNTER_REALLOC_MOVED);
	next_count_alloc(result, requested);
	count_gone(heap, before);
}

/* --- blocks from before ------------------------------------------------------------------------------ */

void host_free_early(struct pool *pool, void *block)
{
	struct place place = pool_place(pool, block);
	uint64_t index = pool->state == POOL_LARGE ? 0 : place.index;
	bool is_block = pool->state == POOL_LARGE ? block == pool->start
						  : place.exact && index < pool->threaded;
	if (!is_block ||
	    __atomic_exchange_n(&pool->stamps[index], STAMP_FREE, __ATOMIC_ACQ_REL) == STAMP_FREE)
		heap_report_bad(pool, block);
	else
		large_count_free(heap_here(), pool->block_bytes, 0);
}

/* It always moves. */
void *host_realloc_early(struct pool *pool, void *block, size_t size)
{
	size_t bytes = pool->block_bytes < size ? pool->block_bytes : size;
	void *moved = size ? host_alloc_foreign(0, size, false) : NULL;
	if (moved) {
		heap_count_here(PM_COUNTER_REALLOC);
		heap_count_here(PM_COUNTER_REALLOC_MOVED);
		memcpy(moved, block, bytes);
	}
	if (moved || !size)
		host_free_early(pool, block);
	return moved;
}

/* No thread's heap owns it: its frees come to host_free_early(). */
static void disown(struct pool *pool, void *unused)
{
	(void)unused;
	__atomic_store_n(&pool->owner, OWNER_NONE, __ATOMIC_RELAXED);
}

/* All that an earlier heap has counted, as large blocks of another. */
static void carry_over(const struct pm_slot *from, struct pm_slot *to)
{
	struct pm_tally *blocks = &to->tally[CLASS_LARGE], *bytes = &to->tally[CLASS_LARGE_BYTES];
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		const struct pm_tally *tally = &from->tally[c];
		uint64_t allocated = tally_allocations(tally), freed = tally_frees(tally);
		blocks->limit[0] += c == CLASS_LARGE_BYTES ? 0 : (int64_t)allocated;
		blocks->freed[0] += c == CLASS_LARGE_BYTES ? 0 : freed;
		bytes->limit[0] += (int64_t)(allocated * class_unit(c));
		bytes->freed[0] += freed * class_unit(c);
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++)
		to->counter[i] += from->counter[i];
}

void next_init(void)
{
	struct heap *early = life.main_heap;
	struct heap *heap = early && foreign.usable && foreign.memalign ? heap_make() : NULL;
	if (!heap)
		return;
	if (region.arenas) /* else no page of its slot is touched */
		carry_over(early->slot, heap->slot);
	arena_each_pool(disown, NULL);
	memset(life.block_bytes, 0, sizeof life.block_bytes);
	clock_now.paused = true;
	foreign_tuning_init();
	life.main_heap = heap;
	host_next = host_off = true;
}

/* --- forked children --------------------------------------------------------------------------------- */

static struct survival_begun inherited;

void next_note_live(void)
{
	memset(&inherited, 0, sizeof inherited);
	survival_live(&inherited);
}

void next_begin(struct survival_begun *begun)
{
	*begun = inherited;
}
