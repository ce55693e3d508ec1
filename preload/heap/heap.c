/* SPDX-License-Identifier: MIT */
/*
 * heap.c: the slow paths of malloc, free and realloc.
 *
 * While a thread is inside one, heap_mine() is NULL: a signal handler that allocates then comes here
 * too, finds the thread busy (host_heap() gives NULL) and is served by a large block of its own.
 */
#include "heap/heap.h"

#include "heap/region.h"
#include "heap/traced.h"
#include "sys/memory.h"

#include <errno.h>
#include <string.h>

void heap_count_here(enum pm_counter counter)
{
	heap_count(heap_mine(), counter);
}

void *heap_refuse(int error)
{
	heap_count_here(PM_COUNTER_ALLOC_FAILED);
	errno = error;
	return NULL;
}

/* Under on_error=report a corrupt list is given up and the program goes on. */
void *heap_take_slow(struct heap *heap, size_t class_before, size_t size)
{
	unsigned size_class = (unsigned)(class_before + 1);
	struct pool *pool = heap->bin[size_class];
	if (pool->free) {
		host_misuse(PM_MISUSE_CORRUPT_LINK, pool->free, size_class, pool->block_bytes);
		pool->free = NULL;
	}
	heap_enter();
	bool filled = bin_fill(heap, size_class);
	heap_leave(heap);
	return filled ? heap_take(heap, size_class, size) : heap_refuse(ENOMEM);
}

/* The block was counted by the increment that ran the countdown out.  malloc jumps here: its frame is this one. */
void *heap_due(struct heap *heap, void *block, size_t size)
{
	heap_enter();
	host_due(heap, region_pool_of(block), block, size, HOST_FRAME());
	heap_leave(heap);
	return block;
}

void heap_tick(struct heap *heap)
{
	heap_enter();
	host_tick(heap);
	heap_leave(heap);
}

/* Now and then, by count and by bytes. */
static void large_changed(struct heap *heap, size_t bytes)
{
	heap->large_bytes += bytes;
	if (++heap->large_changes < host_large_pace.changes &&
	    heap->large_bytes < host_large_pace.bytes)
		return;
	heap->large_changes = 0;
	heap->large_bytes = 0;
	host_tick(heap);
}

static void *alloc_large(size_t alignment, size_t size, bool *ret_zeroed)
{
	struct heap *heap = heap_here();
	if (heap)
		heap_enter();
	void *block = large_alloc(heap, alignment, size, ret_zeroed);
	if (heap) {
		if (block)
			host_large_due(heap, region_pool_of(block), size, HOST_FRAME());
		large_changed(heap, size);
		heap_leave(heap);
	}
	return block ? block : heap_refuse(ENOMEM);
}

/* Not by a free list that is at hand. */
__attribute__((noinline)) static void *alloc_otherwise(size_t size)
{
	bool zeroed = false;
	void *block;
	if (unlikely(host_tracing) && traced_alloc(PM_TRACE_MALLOC, CLASS_GRAIN, size, &block))
		return block;
	if (size > CLASS_MAX)
		return alloc_large(CLASS_GRAIN, size, &zeroed);
	struct heap *heap = host_heap();
	return heap ? heap_take(heap, class_of(size), size)
		    : alloc_large(CLASS_GRAIN, size, &zeroed);
}

void *heap_alloc_slow(size_t size)
{
	if (likely(heap_thread.classes && size <= CLASS_MAX))
		return heap_take(heap_thread.heap, class_of(size), size);
	void *(*instead)(size_t) = __atomic_load_n(&host_instead.malloc, __ATOMIC_RELAXED);
	return instead ? instead(size) : alloc_otherwise(size);
}

void *heap_alloc_aligned(size_t alignment, size_t size)
{
	bool zeroed = false;
	if (unlikely(host_off))
		return host_memalign_foreign(alignment, size);
	if (alignment <= CLASS_GRAIN)
		return heap_alloc(size);
	void *block;
	if (unlikely(host_tracing) && traced_alloc(PM_TRACE_ALIGNED, alignment, size, &block))
		return block;
	if (alignment > MEMORY_PAGE || size > CLASS_MAX)
		return alloc_large(alignment, size, &zeroed);
	size_t rounded = size ? (size + alignment - 1) & -alignment : alignment; /* see class.h */
	struct heap *heap = heap_here();
	return heap ? heap_take(heap, class_of(rounded), size)
		    : alloc_large(alignment, size, &zeroed);
}

/* Without libc's functions while they cannot be called. */
static void clear(void *block, size_t bytes)
{
	if (likely(heap_mine() || host_relocated()))
		memset(block, 0, bytes);
	else
		for (volatile char *at = block; bytes--; at++)
			*at = 0;
}

static void copy(void *block, const void *from, size_t bytes)
{
	const char *source = from;
	if (likely(heap_mine() || host_relocated()))
		memcpy(block, from, bytes);
	else
		for (volatile char *at = block; bytes--; at++)
			*at = *source++;
}

static void *alloc_zeroed(size_t size)
{
	bool zeroed = false;
	void *block;
	if (unlikely(host_tracing) && traced_alloc(PM_TRACE_CALLOC, CLASS_GRAIN, size, &block))
		return block;
	block = size > CLASS_MAX ? alloc_large(CLASS_GRAIN, size, &zeroed) : heap_alloc(size);
	if (block && !zeroed)
		clear(block, size);
	return block;
}

void *heap_alloc_zeroed_slow(size_t size)
{
	void *(*instead)(size_t) = __atomic_load_n(&host_instead.calloc, __ATOMIC_RELAXED);
	return unlikely(instead) ? instead(size) : alloc_zeroed(size);
}

/* --- free ---------------------------------------------------------------------------------------- */

void heap_report_bad(const struct pool *pool, const void *block)
{
	struct place place = pool_place(pool, block);
	bool once_live = place.exact && place.index < pool->threaded;
	enum pm_misuse kind = PM_MISUSE_INVALID_FREE;
	if (pool->size_class == CLASS_LARGE)
		once_live = block == pool->start;
	if (once_live)
		kind = PM_MISUSE_DOUBLE_FREE;
	else if (pool->state != POOL_UNUSED && pool->state != POOL_CACHED &&
		 (pool->state == POOL_LARGE || !place.exact))
		kind = PM_MISUSE_INTERIOR_FREE;
	host_misuse(kind, block, pool->size_class, pool->block_bytes);
}

static void free_large(struct heap *heap, struct pool *pool, void *block)
{
	if (block != pool->start) {
		heap_report_bad(pool, block);
		return;
	}
	if (!heap) {
		large_free(NULL, pool);
		return;
	}
	heap_enter();
	size_t bytes = pool->block_bytes;
	large_free(heap, pool);
	large_changed(heap, bytes);
	heap_leave(heap);
}

bool heap_is_ours(const void *block)
{
	uintptr_t unit = region_unit_of(block);
	if (unit >= (uintptr_t)arena_count() * PM_ARENA_UNITS)
		return false;
	return arena_kind_of(arena_at((uint32_t)(unit / PM_ARENA_UNITS))) != ARENA_BLOCKED;
}

static void free_pooled(struct heap *heap, struct pool *pool, void *block)
{
	struct place place = pool_place(pool, block);
	if (!place.exact || place.index >= pool->threaded || !pool_is_live(pool, place.index))
		heap_report_bad(pool, block);
	else
		remote_free(heap, pool, block);
}

void heap_free_slow(void *block)
{
	if (!block)
		return;
	struct pool *pool = region_pool_of(block);
	if (!heap_is_ours(block)) {
		host_free_foreign(block);
		return;
	}
	if (unlikely(host_next)) {
		host_free_early(pool, block);
		return;
	}
	if (unlikely(host_tracing) && traced_free(block))
		return;
	struct heap *heap = heap_here();
	uint8_t state = __atomic_load_n(&pool->state, __ATOMIC_ACQUIRE);
	if (state == POOL_LARGE)
		free_large(heap, pool, block);
	else if (state == POOL_UNUSED || state == POOL_CACHED)
		heap_report_bad(pool, block);
	else
		free_pooled(heap, pool, block);
}

void heap_count_free(struct heap *heap, unsigned size_class, uint8_t stamp)
{
	int64_t weight = stamps.weight[stamp];
	if (unlikely(!heap)) {
		host_add_shared(offsetof(struct pm_slot, tally[size_class].freed[stamp_age(stamp)]),
				1);
		return;
	}
	struct pm_tally *tally = heap_counted(heap, &heap->slot->tally[size_class]);
	if (unlikely(!weight))
		tally_add_frees(tally, stamp_age(stamp), 1);
	else if (unlikely(tally_freed(tally, weight)))
		tally_move(tally);
}

/* What is not special is no live block. */
static __attribute__((noinline)) void free_special(struct heap *heap, struct pool *pool,
						   void *block, uint8_t *stamp)
{
	uint8_t died = STAMP_FREE;
	if (likely(*stamp == STAMP_SPECIAL))
		died = host_special_freed(heap, pool, (uint64_t)(stamp - pool->stamps));
	if (unlikely(died == STAMP_FREE)) {
		heap_free_slow(block);
		return;
	}
	*stamp = STAMP_FREE;
	heap_count_free(heap, pool->size_class, died);
	heap_put_back(heap, pool, block);
}

void heap_free_rare(void *block, struct pool *pool, uint8_t *stamp)
{
	struct heap *heap = heap_thread.heap;
	intptr_t tally = stamp_tally(*stamp, (intptr_t)heap_counted(heap, pool->tally));
	if (tally < 0) {
		free_special(heap, pool, block, stamp);
		return;
	}
	*stamp = STAMP_FREE;
	tally_increment(((struct pm_tally *)tally)->freed);
	heap_put_back(heap, pool, block);
}

void heap_free_move(void *block, struct pool *pool)
{
	struct heap *heap = heap_thread.heap;
	tally_move(heap_counted(heap, pool->tally));
	heap_put_back(heap, pool, block);
}

void heap_free_outside(void *block)
{
	void (*instead)(void *) = __atomic_load_n(&host_instead.free, __ATOMIC_RELAXED);
	if (instead)
		instead(block);
	else
		heap_free_slow(block);
}

/* --- size and realloc ---------------------------------------------------------------------------- */

size_t heap_usable(void *block)
{
	if (!block)
		return 0;
	if (!heap_is_ours(block))
		return host_usable_foreign(block);
	struct pool *pool = region_pool_of(block);
	struct place place = pool_place(pool, block);
	if (pool->state == POOL_LARGE)
		return block == pool->start ? pool->block_bytes : 0;
	return place.exact && place.index < pool->threaded ? pool->block_bytes : 0;
}

/* In place, or by moving pages.  NULL: allocate, copy, free. */
static void *resize_large(struct pool *pool, size_t size)
{
	struct heap *heap = heap_here();
	if (heap)
		heap_enter();
	struct pool *result = large_resize(heap, pool, size) ? pool : large_move(heap, pool, size);
	if (heap && result && result != pool)
		host_large_due(heap, result, size, HOST_FRAME());
	if (heap)
		heap_leave(heap);
	return result ? result->start : NULL;
}

/* A pooled block stays where it is while it fits and no more than half of it would be slack. */
static bool fits(const struct pool *pool, size_t size)
{
	return size <= pool->block_bytes &&
	       (size > pool->block_bytes / 2 || pool->block_bytes <= 4 * CLASS_GRAIN);
}

static bool is_live(const struct pool *pool, const void *block)
{
	struct place place = pool_place(pool, block);
	if (pool->state == POOL_LARGE)
		return block == pool->start;
	return pool->state != POOL_UNUSED && place.exact && place.index < pool->threaded &&
	       pool_is_live(pool, place.index);
}

static uint64_t index_of(const struct pool *pool, const void *block)
{
	return pool->state == POOL_LARGE ? 0 : pool_place(pool, block).index;
}

static bool is_special(const struct pool *pool, uint64_t index)
{
	return pool->stamps[index] == STAMP_SPECIAL;
}

static void tell_resized(const struct pool *pool, const void *block, size_t size)
{
	uint64_t index = index_of(pool, block);
	if (unlikely(is_special(pool, index)))
		host_special_resized(pool, index, size);
}

static void tell_moved(const void *block)
{
	const struct pool *pool = region_pool_of(block);
	uint64_t index = index_of(pool, block);
	if (unlikely(is_special(pool, index)))
		host_special_moved(pool, index);
}

void *heap_resize(void *block, size_t size)
{
	void *kept = NULL;
	if (!heap_is_ours(block))
		return host_realloc_foreign(block, size);
	if (unlikely(host_tracing) && traced_resize(block, size, &kept))
		return kept;
	struct pool *pool = region_pool_of(block);
	if (!is_live(pool, block)) {
		heap_report_bad(pool, block);
		return NULL;
	}
	if (unlikely(host_next))
		return host_realloc_early(pool, block, size);
	if (pool->state == POOL_LARGE)
		kept = resize_large(pool, size);
	else if (fits(pool, size))
		kept = block;
	if (kept == block) {
		heap_count_here(PM_COUNTER_REALLOC);
		tell_resized(pool, block, size);
		return block;
	}
	size_t old_bytes = pool->block_bytes;
	void *moved = kept ? kept : heap_alloc(size);
	if (!moved)
		return NULL;
	heap_count_here(PM_COUNTER_REALLOC);
	heap_count_here(PM_COUNTER_REALLOC_MOVED);
	tell_moved(moved);
	if (kept)
		return kept;
	copy(moved, block, old_bytes < size ? old_bytes : size);
	heap_free(block);
	return moved;
}
