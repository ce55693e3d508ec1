/* SPDX-License-Identifier: MIT */
/*
 * remote.c: frees of blocks that another heap owns.
 *
 * The freeing thread counts the free and clears the stamp, then pushes the block onto the pool's `remote`
 * list.  The owner takes the list over when it runs out of blocks.  A full pool is in no list of its
 * owner's, so the first remote free to it also puts the pool on the owner's `notified` list.
 */
#include "heap/heap.h"

enum { FREES_PER_TICK = 256 };

static void notify(struct heap *owner, struct pool *pool)
{
	struct pool *head = __atomic_load_n(&owner->notified, __ATOMIC_RELAXED);
	do
		pool->notify_next = head;
	while (!__atomic_compare_exchange_n(&owner->notified, &head, pool, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

static void count_free(struct heap *heap, const struct pool *pool, unsigned age)
{
	if (heap)
		heap_set_ticking(heap, pool->size_class);
	heap_add(heap, offsetof(struct pm_slot, tally[pool->size_class].freed[age]), 1);
	heap_count(heap, PM_COUNTER_REMOTE_FREE);
}

/* `block` begins a live block of the pool; its stamp decides between two threads that both free it. */
void remote_free(struct heap *heap, struct pool *pool, void *block)
{
	struct heap *owner = __atomic_load_n(&pool->owner, __ATOMIC_ACQUIRE);
	struct place place = pool_place(pool, block);
	uint8_t stamp = __atomic_exchange_n(&pool->stamps[place.index], STAMP_FREE,
					    __ATOMIC_ACQ_REL);
	if (PM_COUNT && stamp == STAMP_FREE) {
		host_misuse(PM_MISUSE_DOUBLE_FREE, block, pool->size_class, pool->block_bytes);
		return;
	}
	count_free(heap, pool, stamp_age(stamp));
	if (pool_push_remote(pool, block, block, 1))
		notify(owner, pool);
	if (heap && !(++heap->remote_frees % FREES_PER_TICK))
		heap_tick(heap);
}

void remote_drain(struct heap *heap)
{
	if (!__atomic_load_n(&heap->notified, __ATOMIC_RELAXED))
		return;
	struct pool *pool = __atomic_exchange_n(&heap->notified, NULL, __ATOMIC_ACQUIRE);
	while (pool) {
		struct pool *next = pool->notify_next;
		pool->asked = false;
		if (pool->state == POOL_FULL)
			bin_activate(heap, pool);
		pool_collect(pool);
		bin_release_if_empty(heap, pool);
		pool = next;
	}
}
