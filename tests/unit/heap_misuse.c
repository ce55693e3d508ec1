/* SPDX-License-Identifier: MIT */
/* Frees that must be noticed, however long after; and a kernel that gives no memory. */
#include "unit/heap_host.h"

#include <errno.h>
#include <sys/resource.h>

static void is_noticed(void *block, enum pm_misuse kind)
{
	uint64_t before = host.misuses;
	heap_free(block);
	cr_assert_eq(host.misuses, before + 1, "%p passed unnoticed", block);
	cr_assert_eq(host.misuse, kind, "noticed as %d", (int)host.misuse);
	cr_assert_eq(host.misused, block);
}

Test(misuse, each_class)
{
	host_begin();
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		size_t bytes = c ? class_bytes(c) : 0;
		char *block = heap_alloc(bytes), *other = heap_alloc(bytes);
		for (size_t inside = 1; inside < class_bytes(c); inside += inside < 40 ? 1 : 97)
			is_noticed(block + inside, PM_MISUSE_INTERIOR_FREE);
		heap_free(block);
		is_noticed(block, PM_MISUSE_DOUBLE_FREE);
		heap_free(other);
		is_noticed(block, PM_MISUSE_DOUBLE_FREE);
	}
}

Test(misuse, large)
{
	host_begin();
	for (size_t size = 40000; size < 40000000; size *= 7) {
		char *block = heap_alloc(size);
		is_noticed(block + 16, PM_MISUSE_INTERIOR_FREE);
		is_noticed(block + 32768, PM_MISUSE_INTERIOR_FREE);
		heap_free(block);
		cr_assert_eq(host.misuse, PM_MISUSE_INTERIOR_FREE);
		heap_free(block);
		cr_assert_eq(host.misused, block);
	}
}

/*
 * A pool of several units is given back, and smaller ones take some of its units: an address in the others
 * still leads to the first unit's descriptor unless that was undone.
 */
Test(misuse, a_block_of_a_pool_whose_first_units_serve_others)
{
	enum { BLOCKS = 13 * 4, SMALL = 4096 };
	static char *block[BLOCKS];
	host_begin();
	for (unsigned i = 0; i < BLOCKS; i++)
		block[i] = heap_alloc(20000);
	for (unsigned i = 0; i < BLOCKS; i++)
		heap_free(block[i]);
	heap_empty_out(heap_thread.heap);
	char *small = heap_alloc(32);
	struct pool *pool = region_pool_of(small);
	for (unsigned i = 0; i < SMALL; i++)
		heap_alloc(16);
	uint32_t used = pool_used(pool);
	for (unsigned i = 0; i < BLOCKS; i++) {
		uint64_t before = host.misuses;
		if (region_pool_of(block[i])->start <= block[i] &&
		    pool_place(region_pool_of(block[i]), block[i]).index <
			    region_pool_of(block[i])->capacity)
			continue; /* its address is in use again: nothing can be known */
		heap_free(block[i]);
		cr_assert_eq(host.misuses, before + 1, "block %u passed unnoticed", i);
	}
	cr_assert_eq(pool_used(pool), used);
}

static bool is_at_the_start(const char *block)
{
	unsigned unit;
	return block == arena_base(arena_of(region_pool_of(block), &unit));
}

Test(misuse, an_aligned_block_whose_arenas_serve_others)
{
	enum { SMALL = 200000 };
	host_begin();
	size_t alignment = (size_t)16 << 20;
	char *block = heap_alloc_aligned(alignment, 100);
	for (unsigned i = 0; i < 3 && is_at_the_start(block); i++) {
		cr_assert_not_null(heap_alloc((size_t)3 << 21)); /* the next begins two arenas on */
		block = heap_alloc_aligned(alignment, 100);
	}
	cr_assert(!is_at_the_start(block));
	heap_free(block);
	for (unsigned i = 0; i < SMALL; i++)
		heap_alloc(16);
	uint64_t before = host.misuses;
	heap_free(block);
	cr_assert_eq(host.misuses, before + 1);
}

/* Three blocks that others freed, and a write to the second after that. */
static struct pool *broken_list(char *block[3], size_t bytes)
{
	host_begin();
	for (unsigned i = 0; i < 3; i++)
		block[i] = heap_alloc(bytes);
	struct pool *pool = region_pool_of(block[0]);
	cr_assert_eq(region_pool_of(block[2]), pool);
	for (unsigned i = 0; i < 3; i++)
		remote_free(NULL, pool, block[i]);
	*(void **)block[1] = (void *)0x1230;
	return pool;
}

static void goes_on(size_t bytes)
{
	cr_assert_eq(host.misuse, PM_MISUSE_CORRUPT_LINK);
	cr_assert_eq(host.misused, (void *)0x1230);
	for (unsigned i = 0; i < 2000; i++)
		cr_assert_not_null(heap_alloc(bytes));
}

/* Under on_error=report the program goes on; a list that leaves its pool ends there. */
Test(misuse, a_broken_list_of_remote_frees)
{
	char *block[3];
	struct pool *pool = broken_list(block, 64);
	uint32_t used = pool_used(pool);
	cr_assert_not_null(pool->free);
	cr_assert_eq(pool_collect(pool), 2);
	cr_assert_eq(pool_used(pool), used - 2);
	goes_on(64);
}

/* Taken over unseen by a pool that has no other free blocks, it is met block by block. */
Test(misuse, a_broken_list_of_remote_frees_met_by_malloc)
{
	char *block[3];
	struct pool *pool = broken_list(block, 64);
	while (pool->free)
		heap_alloc(64);
	cr_assert_eq(pool_collect(pool), 3);
	cr_assert_eq(host.misuses, 0);
	cr_assert_eq(heap_alloc(64), block[2]);
	cr_assert_eq(heap_alloc(64), block[1]);
	cr_assert_eq(host.misuses, 0);
	heap_alloc(64);
	cr_assert_eq(host.misuses, 1);
	goes_on(64);
}

/* A link that leads back into the list must not lead round and round. */
Test(misuse, a_list_of_remote_frees_that_became_a_ring)
{
	char *block[3];
	struct pool *pool = broken_list(block, 64);
	uint32_t used = pool_used(pool);
	*(void **)block[0] = block[2];
	*(void **)block[1] = block[0];
	cr_assert_eq(pool_collect(pool), 3);
	cr_assert_eq(pool_used(pool), used - 3);
}

/* Its blocks are free, whether they can be reached or not: the pool goes back all the same. */
Test(misuse, a_broken_list_in_a_full_pool)
{
	enum { BLOCKS = 63 * 3 };
	static char *block[3], *rest[BLOCKS];
	host_begin();
	unsigned pools = 0;
	for (unsigned i = 0; i < BLOCKS; i++)
		rest[i] = heap_alloc(1040);
	struct pool *pool = region_pool_of(rest[0]);
	cr_assert_eq(pool->state, POOL_FULL);
	for (unsigned i = 0; i < 3; i++) {
		block[i] = rest[i];
		remote_free(NULL, pool, block[i]);
	}
	*(void **)block[1] = (void *)0x1230;
	pools = host_pools_in_use();
	remote_drain(heap_thread.heap);
	cr_assert_eq(pool_used(pool), pool->capacity - 3);
	for (unsigned i = 3; i < BLOCKS && region_pool_of(rest[i]) == pool; i++)
		heap_free(rest[i]);
	bin_release_if_empty(heap_thread.heap, pool);
	cr_assert_eq(host_pools_in_use(), pools - 1);
}

/* --- no memory ------------------------------------------------------------------------------------ */

static void limit_address_space(size_t more)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");
	cr_assert(statm && fscanf(statm, "%lu", &pages) == 1);
	fclose(statm);
	struct rlimit limit = {pages * CLASS_PAGE + more, RLIM_INFINITY};
	cr_assert(setrlimit(RLIMIT_AS, &limit) == 0);
}

static unsigned fill(size_t size, char **block, unsigned room)
{
	unsigned count = 0;
	errno = 0;
	while (count < room && (block[count] = heap_alloc(size)))
		memset(block[count++], 1, size);
	cr_assert(count < room && errno == ENOMEM, "%u of %zu", count, size);
	return count;
}

static void fills_and_recovers(size_t size)
{
	static char *block[1 << 20];
	uint64_t failed = heap_thread.heap->slot->counter[PM_COUNTER_ALLOC_FAILED];
	unsigned count = fill(size, block, 1 << 20);
	cr_assert_geq(count * (uint64_t)size, 30 << 20, "%u of %zu", count, size);
	cr_assert_eq(heap_thread.heap->slot->counter[PM_COUNTER_ALLOC_FAILED], failed + 1);
	cr_assert_null(heap_resize(block[0], (size_t)100 << 20));
	cr_assert_eq(block[0][size - 1], 1);
	while (count--)
		heap_free(block[count]);
	cr_assert_null(heap_alloc((size_t)100 << 20));
	heap_empty_out(heap_thread.heap);
}

Test(refused, at_each_size_and_all_comes_back)
{
	static const size_t size[] = {200, 20000, 100000, 3 << 20, 5 << 20, 100, 9 << 20, 1000};
	host_begin();
	heap_free(heap_alloc(1));
	limit_address_space(64 << 20);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < sizeof size / sizeof *size; i++)
			fills_and_recovers(size[i]);
}
