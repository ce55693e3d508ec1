/* SPDX-License-Identifier: MIT */
/* Pages of sparse pools: those without a live block go, those with one stay, and all of them serve again. */
#define _GNU_SOURCE 1
#include "unit/heap_host.h"

#include <sys/mman.h>

enum { BLOCKS = 60000, SIZE_MAX_SMALL = 2048 };

static struct held {
	uint64_t *block;
	size_t size;
} held[BLOCKS];

static void take(struct held *at, size_t size)
{
	at->block = heap_alloc(size);
	at->size = size;
	for (size_t i = 0; i < size / 8; i++)
		at->block[i] = (uintptr_t)at->block * 31 + i;
}

static void give(struct held *at)
{
	for (size_t i = 0; i < at->size / 8; i++)
		cr_assert_eq(at->block[i], (uintptr_t)at->block * 31 + i);
	heap_free(at->block);
	at->block = NULL;
}

static size_t fill(uint32_t *random, size_t size_max)
{
	size_t taken = 0;
	for (unsigned i = 0; i < BLOCKS; i++)
		if (!held[i].block) {
			take(&held[i], 8 + host_random(random) % size_max);
			taken++;
		}
	return taken;
}

static void thin_out(uint32_t *random, unsigned percent)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		if (held[i].block && host_random(random) % 100 < percent)
			give(&held[i]);
}

/* Of the kernel's page that it lies in: make EXTRA_CFLAGS=-DPM_FORCE_PAGE=65536 testprogs. */
static bool is_live_page(const struct pool *pool, unsigned page)
{
	size_t begin = page * (size_t)CLASS_PAGE / memory_page() * memory_page();
	size_t end = begin + memory_page();
	for (size_t i = begin / pool->block_bytes;
	     i < pool->threaded && i * pool->block_bytes < end; i++)
		if (pool->stamps[i] != STAMP_FREE)
			return true;
	return false;
}

struct pages {
	size_t live, resident, stale; /* resident without a live block */
};

static void count_pages(struct pool *pool, void *context)
{
	struct pages *pages = context;
	unsigned char in_memory[64];
	size_t bytes = pool->units * (size_t)PM_UNIT_BYTES;
	if (pool->state == POOL_LARGE)
		return;
	cr_assert_eq(mincore(pool->start, bytes, in_memory), 0);
	for (unsigned page = 0; page < bytes / CLASS_PAGE; page++) {
		bool live = is_live_page(pool, page);
		pages->live += live;
		pages->resident += in_memory[page] & 1;
		pages->stale += !live && in_memory[page] & 1;
	}
}

static struct pages pages_now(void)
{
	struct pages pages = {0};
	arena_each_pool(count_pages, &pages);
	return pages;
}

static void is_sound(struct pool *pool, void *ret_gone)
{
	uint32_t live = 0;
	*(uint64_t *)ret_gone += (uint64_t)__builtin_popcountl(pool->purged) * CLASS_PAGE;
	for (uint32_t i = 0; i < pool->threaded; i++)
		live += pool->stamps[i] != STAMP_FREE;
	cr_assert_eq(pool_used(pool), live);
	cr_assert(!pool->purged || pool->threaded);
}

static void all_are_sound(void)
{
	uint64_t gone = 0;
	arena_each_pool(is_sound, &gone);
	cr_assert_eq(region.sparse_bytes, gone);
}

static void thin_purge_and_fill(size_t size_max, uint32_t seed)
{
	uint32_t random = seed;
	host_begin();
	fill(&random, size_max);
	for (unsigned round = 0; round < 4; round++) {
		thin_out(&random, 90);
		struct pages before = pages_now();
		size_t bytes = sparse_purge(heap_thread.heap, true);
		struct pages after = pages_now();
		cr_assert_eq(after.stale, 0, "round %u: %zu of %zu", round, after.stale,
			     after.resident);
		cr_assert_gt(before.stale, 0);
		cr_assert_geq(bytes, (before.resident - after.resident) * CLASS_PAGE);
		all_are_sound();
		fill(&random, size_max);
		all_are_sound();
	}
	thin_out(&random, 100);
	host_expect_nothing_left();
	all_are_sound();
}

Test(sparse, tiny)
{
	thin_purge_and_fill(120, 1);
}
Test(sparse, small)
{
	thin_purge_and_fill(SIZE_MAX_SMALL, 2);
}
Test(sparse, large_classes)
{
	thin_purge_and_fill(20000, 3);
}

/* What is freed or taken between two passes; at every step some pools are on their way. */
Test(sparse, in_the_middle_of_use)
{
	uint32_t random = 4;
	host_begin();
	for (unsigned i = 0; i < 600000; i++) {
		struct held *at = &held[host_random(&random) % (i / 100000 % 2 ? 3000 : 20000)];
		if (at->block)
			give(at);
		else
			take(at, 8 + host_random(&random) % SIZE_MAX_SMALL);
		if (i % 1000 == 0)
			sparse_purge(heap_thread.heap, i % 7000 == 0);
		if (i % 20000 == 0)
			all_are_sound();
	}
	thin_out(&random, 100);
	host_expect_nothing_left();
}

/* `step`: 1: all, 2: each second. */
static void *free_them(void *step)
{
	for (uintptr_t i = 0; i < BLOCKS; i += (uintptr_t)step)
		heap_free(held[i].block);
	host_end_thread();
	return NULL;
}

/* Blocks on their way from another thread are nobody's: their pages stay, and none is handed out twice. */
Test(sparse, while_others_free)
{
	uint32_t random = 5;
	pthread_t thread;
	host_begin();
	for (unsigned round = 0; round < 5; round++) {
		fill(&random, 300);
		pthread_create(&thread, NULL, free_them, (void *)2);
		for (unsigned i = 0; i < 200; i++)
			sparse_purge(heap_thread.heap, true);
		pthread_join(thread, NULL);
		for (unsigned i = 0; i < BLOCKS; i += 2)
			held[i].block = NULL;
	}
	thin_out(&random, 100);
	host_expect_nothing_left();
}

static pthread_barrier_t met;

static void *free_and_withhold(void *unused)
{
	for (unsigned i = 0; i < BLOCKS; i += 2)
		heap_free(held[i].block);
	pthread_barrier_wait(&met);
	pthread_barrier_wait(&met);
	host_end_thread();
	return unused;
}

/* The last ones that a thread freed for another are with it until it frees more, or ends. */
Test(sparse, while_another_withholds)
{
	uint32_t random = 7;
	pthread_t thread;
	host_begin();
	pthread_barrier_init(&met, NULL, 2);
	fill(&random, 300);
	for (unsigned i = 1; i < BLOCKS; i += 2)
		give(&held[i]);
	pthread_create(&thread, NULL, free_and_withhold, NULL);
	pthread_barrier_wait(&met);
	sparse_purge(heap_thread.heap, true);
	pthread_barrier_wait(&met);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < BLOCKS; i += 2)
		held[i].block = NULL;
	fill(&random, 300);
	all_are_sound();
	thin_out(&random, 100);
	host_expect_nothing_left();
}

/* A first pass lets a pool come to rest, the second takes its pages; a third has nothing to do. */
Test(sparse, pools_at_rest)
{
	uint32_t random = 6;
	host_begin();
	fill(&random, 200);
	thin_out(&random, 95);
	cr_assert_eq(sparse_purge(heap_thread.heap, false), 0);
	cr_assert_gt(sparse_purge(heap_thread.heap, false), 100 * CLASS_PAGE);
	cr_assert_eq(sparse_purge(heap_thread.heap, false), 0);
}

/* The same in parts, none of which takes long, while pools come and go between them. */
Test(sparse, a_pass_in_parts)
{
	enum { PART_BYTES = 64 * PM_UNIT_BYTES };
	uint32_t random = 9;
	unsigned parts = 0;
	size_t bytes, sum = 0;
	host_begin();
	fill(&random, 1500);
	thin_out(&random, 97);
	struct pages before = pages_now();
	for (unsigned pass = 0; pass < 2; pass++)
		for (bool through = false; !through; parts++) {
			through = sparse_purge_part(heap_thread.heap, &bytes);
			cr_assert_leq(bytes, PART_BYTES);
			cr_assert(!pass || !bytes || parts);
			sum += bytes;
			for (unsigned i = 0; i < 50; i++) {
				struct held *at = &held[host_random(&random) % BLOCKS];
				if (at->block)
					give(at);
				else
					take(at, 8 + host_random(&random) % 1500);
			}
			all_are_sound();
		}
	struct pages after = pages_now();
	cr_assert_gt(parts, 6);
	cr_assert_gt(sum, before.stale * CLASS_PAGE / 2);
	cr_assert_lt(after.stale, before.stale / 4);
	thin_out(&random, 100);
	host_expect_nothing_left();
}

/* A pool that serves no more was looked at; what others free in it later is seen nevertheless. */
Test(sparse, what_others_free_after_a_look)
{
	uint32_t random = 8;
	pthread_t thread;
	host_begin();
	fill(&random, 200);
	thin_out(&random, 50);
	sparse_purge(heap_thread.heap, false);
	sparse_purge(heap_thread.heap, false);
	unsigned before = host_pools_in_use();
	pthread_create(&thread, NULL, free_them, (void *)1);
	pthread_join(thread, NULL);
	sparse_purge(heap_thread.heap, false);
	cr_assert_lt(host_pools_in_use(), before / 4);
}

Test(sparse, a_second_free_after_the_page_went)
{
	uint32_t random = 7;
	host_begin();
	fill(&random, 60);
	void *victim = held[100].block;
	thin_out(&random, 100);
	sparse_purge(heap_thread.heap, true);
	heap_free(victim);
	cr_assert_eq(host.misuses, 1);
	fill(&random, 60);
	thin_out(&random, 100);
	cr_assert_eq(host.misuses, 1);
}
