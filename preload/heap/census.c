/* SPDX-License-Identifier: MIT */
/* census.c: counts pools, and trims. */
#include "heap/census.h"

#include "heap/heap.h"

static void add(struct pool *pool, void *context)
{
	struct census *census = context;
	if (pool->state == POOL_LARGE) {
		census->large_blocks++;
		census->large_bytes += pool->block_bytes;
		return;
	}
	size_t live = pool_live(pool);
	census->pools++;
	census->live_blocks += live;
	census->live_bytes += live * pool->block_bytes;
	census->free_pool_bytes += pool->units * (size_t)PM_UNIT_BYTES - live * pool->block_bytes;
}

struct census census_take(void)
{
	struct census census = {0};
	arena_each_pool(add, &census);
	census.mapped_bytes = __atomic_load_n(&region.mapped_bytes, __ATOMIC_RELAXED);
	census.mapped_peak_bytes = __atomic_load_n(&region.mapped_peak, __ATOMIC_RELAXED);
	census.dirty_bytes = __atomic_load_n(&region.free_dirty, __ATOMIC_RELAXED);
	census.meta_bytes = __atomic_load_n(&region.meta_bytes, __ATOMIC_RELAXED);
	return census;
}

size_t census_trim(void)
{
	struct heap *heap = heap_open_mine();
	heap_enter();
	if (heap)
		heap_empty_out(heap);
	size_t bytes = heap_tend_abandoned(true);
	large_flush_heaps(true);
	bytes += heap ? sparse_purge(heap, true) : 0;
	bytes += arena_purge(true);
	heap_close(heap);
	return bytes;
}
