/* SPDX-License-Identifier: MIT */
/* Heaps of threads: who owns which, and what becomes of those that nobody owns. */
#include "unit/heap_host.h"

enum { HEAPS_MAX = 1024 };

static uint32_t owners[HEAPS_MAX]; /* atomic */

static void *own_and_leave(void *number)
{
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	for (unsigned i = 0; i < 5000; i++) {
		struct heap *heap = host_heap();
		HOST_EXPECT(heap && heap->index < HEAPS_MAX);
		HOST_EXPECT(__atomic_add_fetch(&owners[heap->index], 1, __ATOMIC_ACQ_REL) == 1);
		heap_free(heap_alloc(host_random(&random) % 2000));
		if (i % 3 == 0)
			heap_tend_abandoned(false);
		HOST_EXPECT(__atomic_sub_fetch(&owners[heap->index], 1, __ATOMIC_ACQ_REL) == 0);
		host_end_thread();
	}
	return NULL;
}

Test(heaps, have_one_owner_at_a_time)
{
	host_begin();
	host_threads(12, own_and_leave);
	cr_assert_eq(host_failures, 0);
	cr_assert_null(heap_by_index(12), "no more heaps than threads at a time");
}

Test(heaps, an_abandoned_one_is_adopted_with_its_pools_and_counts)
{
	host_begin();
	void *block = heap_alloc(100);
	struct heap *heap = heap_thread.heap;
	struct pool *pool = region_pool_of(block);
	host_end_thread();
	cr_assert_eq(heap->state, HEAP_ABANDONED);
	void *other = heap_alloc(100);
	cr_assert_eq(heap_thread.heap, heap);
	cr_assert_eq(region_pool_of(other), pool);
	cr_assert_eq(tally_allocations(&heap->slot->tally[class_of(100)]), 2);
	heap_free(block);
	cr_assert_eq(tally_frees(&heap->slot->tally[class_of(100)]), 1);
}

Test(heaps, are_made_up_to_the_limit_and_not_beyond)
{
	enum { LIMIT = HEAP_GROUP * HEAP_GROUPS };
	host_begin();
	for (uint32_t i = 0; i < LIMIT; i++) {
		struct heap *heap = heap_make();
		cr_assert(heap && heap->index == i && heap_by_index(i) == heap);
		cr_assert_eq(heap->bin[CLASS_POOLED - 1], &pool_empty);
	}
	cr_assert_null(heap_make());
	cr_assert_null(heap_by_index(LIMIT));
	cr_assert_null(heap_adopt());
}

static void *leave_blocks(void *blocks)
{
	for (void **at = blocks; at < (void **)blocks + 500; at++)
		*at = heap_alloc(1000);
	host_end_thread();
	return NULL;
}

/* Of a thread that has ended; this one has a heap of its own. */
static void take_over_blocks(void *block[500])
{
	pthread_t thread;
	host_begin();
	cr_assert(pthread_create(&thread, NULL, leave_blocks, block) == 0);
	pthread_join(thread, NULL);
	heap_thread.own = heap_make();
	heap_leave(heap_thread.own);
}

/* Full pools of a dead thread are in no list; the notice of the first free is all that leads to them. */
Test(heaps, what_is_freed_in_an_abandoned_one_goes_back)
{
	static void *block[500];
	take_over_blocks(block);
	unsigned before = host_pools_in_use();
	for (unsigned i = 0; i < 500; i++)
		heap_free(block[i]);
	cr_assert_eq(host_pools_in_use(), before);
	heap_tick(heap_thread.own);
	heap_tend_abandoned(false);
	cr_assert_eq(host_pools_in_use(), 0);
	cr_assert_eq(heap_thread.own->slot->counter[PM_COUNTER_REMOTE_FREE], 500);
}

/* Full ones and sparse ones: only the first pools of their bins are left alone. */
Test(heaps, sparse_pools_of_an_abandoned_one_go_back_by_pages)
{
	static void *block[500];
	take_over_blocks(block);
	for (unsigned i = 0; i < 500; i++)
		if (i % 50)
			heap_free(block[i]);
	cr_assert_gt(heap_tend_abandoned(false), 250 * 1000);
	cr_assert_eq(heap_tend_abandoned(false), 0, "no news");
	cr_assert_gt(heap_tend_abandoned(true), 0, "the first ones");
	for (unsigned i = 0; i < 500; i += 50)
		heap_free(block[i]);
	heap_tick(heap_thread.own);
	heap_tend_abandoned(false);
	cr_assert_eq(host_pools_in_use(), 0);
}

/* As of a thread that did not survive a fork: owned for ever, by nobody. */
Test(heaps, ghosts_are_neither_adopted_nor_tended_and_take_frees)
{
	host_begin();
	void *block = heap_alloc(1000);
	struct heap *ghost = heap_thread.heap;
	heap_thread.own = NULL;
	heap_leave(heap_thread.own);
	cr_assert_neq(host_heap(), ghost);
	heap_free(block);
	heap_tend_abandoned(false);
	cr_assert_eq(ghost->state, HEAP_OWNED);
	cr_assert_eq(pool_live(region_pool_of(block)), 0);
	heap_free(block);
	cr_assert_eq(host.misuses, 1, "freed twice");
	cr_assert_eq(host.misuse, PM_MISUSE_DOUBLE_FREE);
}

/* A signal handler inside the allocator, a thread past its end. */
Test(heaps, who_has_none_is_served_without)
{
	host_begin();
	heap_thread.own = (struct heap *)1;
	char *block[100];
	for (unsigned i = 0; i < 100; i++) {
		block[i] = heap_alloc(i * 37);
		cr_assert(block[i] && heap_usable(block[i]) >= i * 37);
		memset(block[i], (int)i, i * 37);
	}
	for (unsigned i = 0; i < 100; i++) {
		cr_assert(i == 0 || block[i][i * 37 - 1] == (char)i);
		heap_free(block[i]);
	}
	struct pm_tally *tally = &host.shared.tally[CLASS_LARGE];
	cr_assert_eq(tally->limit[0], 100);
	cr_assert_eq(tally_frees(tally), 100);
	cr_assert_eq(host_live_bytes(), 0);
}
