/* SPDX-License-Identifier: MIT */
/* link: -Wl,--wrap=memory_move,--wrap=memory_swap_in */
/* Large blocks: content, alignment, zeroing, and what lies around them. */
#include "unit/heap_host.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { MIB = 1 << 20 };

static const size_t ARENA = ARENA_BYTES;

/* A word in each page, and the last byte. */
static void mark(void *block, size_t size, uint64_t seed)
{
	for (size_t at = 0; at + 8 <= size; at += CLASS_PAGE)
		*(uint64_t *)((char *)block + at) = seed + at;
	((char *)block)[size - 1] = (char)seed;
}

/* Of the first `size` bytes of what was marked. */
static bool is_marked(const void *block, size_t size, uint64_t seed)
{
	for (size_t at = 0; at + 8 <= size; at += CLASS_PAGE)
		if (*(const uint64_t *)((const char *)block + at) != seed + at && at + 8 < size - 1)
			return false;
	return true;
}

static bool is_zero(const void *block, size_t size)
{
	const char *bytes = block;
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static uint64_t balance(unsigned size_class)
{
	const struct pm_tally *tally = &heap_thread.heap->slot->tally[size_class];
	return tally_allocations(tally) - tally_frees(tally);
}

static void nothing_lives(void)
{
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		cr_assert_eq(balance(c), 0, "class %u: %lu", c, balance(c));
	cr_assert_eq(host_live_bytes(), 0);
	cr_assert_eq(host.misuses, 0);
}

Test(large, content_stays_through_every_change_of_size)
{
	static const size_t size[] = {
		33000,       65536,   65537,          300000,   40000,   4 * MIB, 4 * MIB - 4096,
		4 * MIB + 1, 9 * MIB, 9 * MIB + 4096, 12 * MIB, 5 * MIB, 3 * MIB, 100,
		17 * MIB,    20000,   64 * MIB,       32768,    32769};
	enum { SIZES = sizeof size / sizeof *size };
	host_begin();
	for (unsigned from = 0; from < SIZES; from++)
		for (unsigned to = 0; to < SIZES; to++) {
			char *block = heap_alloc(size[from]);
			mark(block, size[from], from);
			block = heap_resize(block, size[to]);
			cr_assert_not_null(block);
			cr_assert_geq(heap_usable(block), size[to]);
			size_t kept = size[from] < size[to] ? size[from] : size[to];
			cr_assert(is_marked(block, kept, from), "%zu to %zu", size[from], size[to]);
			mark(block, size[to], 1);
			heap_free(block);
		}
	nothing_lives();
}

Test(large, many_changes_of_many_blocks)
{
	struct {
		char *block;
		size_t size;
	} held[20] = {{0}};
	uint32_t random = 11;
	host_begin();
	for (unsigned i = 0; i < 2000; i++) {
		unsigned n = host_random(&random) % 20;
		size_t size = host_random(&random) % (64u << host_random(&random) % 19) + 1;
		char *block = held[n].block ? heap_resize(held[n].block, size) : heap_alloc(size);
		cr_assert_not_null(block);
		size_t kept = held[n].size < size ? held[n].size : size;
		cr_assert(!held[n].block || is_marked(block, kept, n));
		mark(block, size, n);
		held[n].block = block;
		held[n].size = size;
	}
	for (unsigned n = 0; n < 20; n++)
		heap_free(held[n].block);
	nothing_lives();
}

/*
 * A block whose alignment took more units than its size needs stands perhaps at their beginning; the free blocks around
 * it keep their links when it grows.
 */
Test(large, aligned_blocks_change_their_size_beside_free_ones)
{
	enum { FREED = 400 };
	static void *freed[FREED];
	uint32_t random = 3;
	host_begin();
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < FREED; i++)
			freed[i] = heap_alloc(host_random(&random) % CLASS_MAX + 1);
		size_t alignment = (size_t)CLASS_PAGE << host_random(&random) % 9;
		size_t size = host_random(&random) % CLASS_MAX + 1;
		char *block = heap_alloc_aligned(alignment, size);
		for (unsigned i = 0; i < FREED; i++)
			heap_free(freed[i]);
		for (unsigned change = 0; change < 4; change++) {
			size_t now = host_random(&random) % (CLASS_MAX << host_random(&random) % 5) +
				     1;
			mark(block, size, change);
			block = heap_resize(block, now);
			cr_assert(is_marked(block, size < now ? size : now, change));
			size = now;
		}
		heap_free(block);
	}
	nothing_lives();
}

Test(large, every_alignment)
{
	static const size_t size[] = {1, 100, 4096, 32768, 40000, 65536, 3 * MIB, 5 * MIB};
	host_begin();
	for (size_t alignment = 16; alignment <= (size_t)256 * MIB; alignment *= 2)
		for (unsigned i = 0; i < sizeof size / sizeof *size; i++) {
			char *block = heap_alloc_aligned(alignment, size[i]);
			cr_assert_not_null(block, "%zu at %zu", size[i], alignment);
			cr_assert_eq((uintptr_t)block % alignment, 0);
			cr_assert_geq(heap_usable(block), size[i]);
			mark(block, size[i], i);
			block = heap_resize(block, size[i] * 3);
			cr_assert(is_marked(block, size[i], i));
			heap_free(block);
		}
	cr_assert_null(heap_alloc_aligned((size_t)1 << 62, 1));
	cr_assert_null(heap_alloc_aligned((size_t)1 << 63, (size_t)1 << 63));
	nothing_lives();
}

Test(large, zeroed_whatever_was_there_before)
{
	static const size_t size[] = {10, 40000, 65536, 1 * MIB, 4 * MIB, 6 * MIB};
	host_begin();
	for (unsigned round = 0; round < 5; round++)
		for (unsigned i = 0; i < sizeof size / sizeof *size; i++) {
			char *block = heap_alloc_zeroed(size[i]);
			cr_assert(is_zero(block, size[i]));
			memset(block, 0xa5, heap_usable(block));
			heap_free(block);
			if (round % 2)
				arena_purge(true);
		}
	nothing_lives();
}

bool __real_memory_move(void *address, size_t old_bytes, void *target, size_t new_bytes);
bool __wrap_memory_move(void *address, size_t old_bytes, void *target, size_t new_bytes);
static unsigned moves; /* atomic */

/* Whoever takes the arenas that are given back must not be disturbed in their descriptors. */
bool __wrap_memory_move(void *address, size_t old_bytes, void *target, size_t new_bytes)
{
	HOST_EXPECT(region_pool_of(address)->state == POOL_UNUSED);
	HOST_EXPECT(region_pool_of(address)->stamps[0] == STAMP_FREE);
	__atomic_add_fetch(&moves, 1, __ATOMIC_RELAXED);
	return __real_memory_move(address, old_bytes, target, new_bytes);
}

Test(large, a_moved_block_is_gone_before_its_arenas_are)
{
	host_begin();
	char *block = heap_alloc(35 * MIB);
	mark(block, 35 * MIB, 3);
	char *moved = heap_resize(block, 37 * MIB);
	cr_assert(moved && moved != block, "ten arenas instead of nine");
	cr_assert_eq(moves, 1);
	cr_assert_eq(host_failures, 0);
	cr_assert(is_marked(moved, 35 * MIB, 3));
	heap_free(moved);
	nothing_lives();
}

static char *next_arena(void)
{
	return (char *)(region.base_unit << UNIT_SHIFT) + region.arenas * ARENA;
}

/* The arenas' addresses are nobody's property: the program may have mapped something there. */
static void *map_foreign(char *at)
{
	char *page = mmap(at, CLASS_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	cr_assert_eq(page, at);
	memset(page, 0x77, CLASS_PAGE);
	return page;
}

static void is_foreign(const char *page)
{
	for (unsigned i = 0; i < CLASS_PAGE; i++)
		cr_assert_eq(page[i], 0x77);
}

Test(large, moving_spares_a_foreign_mapping)
{
	host_begin();
	char *block = heap_alloc(5 * MIB);
	mark(block, 5 * MIB, 3);
	char *page = map_foreign(next_arena() + ARENA + 8 * CLASS_PAGE);
	block = heap_resize(block, 40 * MIB);
	cr_assert(is_marked(block, 5 * MIB, 3));
	is_foreign(page);
	memset(block, 0, 40 * MIB);
	is_foreign(page);
	heap_free(block);
	nothing_lives();
}

Test(large, taking_and_growing_spare_a_foreign_mapping)
{
	host_begin();
	char *block = heap_alloc(5 * MIB);
	char *behind = map_foreign(next_arena() + CLASS_PAGE),
	     *page = map_foreign(next_arena() + 2 * ARENA);
	mark(block, 5 * MIB, 3);
	char *other = heap_alloc(40 * MIB);
	memset(other, 1, 40 * MIB);
	block = heap_resize(block, 12 * MIB - 1);
	cr_assert(is_marked(block, 5 * MIB, 3));
	for (unsigned i = 0; i < 300; i++)
		memset(heap_alloc(60000), 1, 60000);
	is_foreign(page);
	is_foreign(behind);
}

/* --- across the ends of arenas ------------------------------------------------------------------- */

/* Blocks of many lengths beside small ones come and go; none overlaps another, and nothing is lost. */
static void spans_come_and_go(uint32_t seed, unsigned steps)
{
	enum { HELD = 24 };
	struct {
		char *block;
		size_t size;
	} held[HELD] = {{0}};
	uint32_t random = seed;
	for (unsigned i = 0; i < steps; i++) {
		unsigned n = host_random(&random) % HELD;
		size_t most = n % 4 ? 30 * MIB : 300000;
		size_t size = host_random(&random) % most + 33000;
		if (held[n].block)
			HOST_EXPECT(is_marked(held[n].block, held[n].size, n + seed));
		if (held[n].block && host_random(&random) % 3) {
			heap_free(held[n].block);
			held[n].block = NULL;
			continue;
		}
		size_t kept = held[n].block ? held[n].size < size ? held[n].size : size : 0;
		char *block = kept ? heap_resize(held[n].block, size) : heap_alloc(size);
		HOST_EXPECT(block && is_marked(block, kept, n + seed));
		mark(block, size, n + seed);
		held[n].block = block;
		held[n].size = size;
	}
	for (unsigned n = 0; n < HELD; n++)
		heap_free(held[n].block);
}

static uint64_t free_bytes(void)
{
	uint64_t units = 0;
	for (uint32_t i = 0; i < region.arenas; i++)
		units += (uint64_t)__builtin_popcountl(arena_at(i)->free);
	return units * PM_UNIT_BYTES;
}

Test(span, blocks_of_many_lengths_come_and_go)
{
	host_begin();
	for (unsigned round = 0; round < 2; round++) {
		spans_come_and_go(round + 1, 400);
		large_flush_heaps(true);
		cr_assert_eq(free_bytes(), region.mapped_bytes);
		arena_purge(true);
		cr_assert_eq(region.free_dirty, 0);
		nothing_lives();
	}
	cr_assert_eq(host_failures, 0);
}

static void *come_and_go(void *number)
{
	spans_come_and_go((uint32_t)(uintptr_t)number * 97 + 1, 120);
	host_end_thread();
	return NULL;
}

Test(span, among_threads)
{
	host_begin();
	host_threads(4, come_and_go);
	large_flush_heaps(true);
	cr_assert_eq(host_failures, 0);
	cr_assert_eq(host.misuses, 0);
	cr_assert_eq(free_bytes(), region.mapped_bytes);
}

/* Three that lie side by side leave room for one as long as all. */
Test(span, what_is_free_side_by_side_becomes_one)
{
	host_begin();
	char *block[3];
	for (unsigned i = 0; i < 3; i++)
		block[i] = heap_alloc(6 * MIB);
	heap_free(block[0]);
	heap_free(block[2]);
	heap_free(block[1]);
	uint64_t mapped = region.mapped_bytes;
	char *all = heap_alloc(18 * MIB);
	cr_assert_eq(region.mapped_bytes, mapped);
	mark(all, 18 * MIB, 1);
	cr_assert(is_marked(all, 18 * MIB, 1));
	heap_free(all);
	heap_free(block[1]);
	cr_assert_eq(host.misuse, PM_MISUSE_INVALID_FREE);
}

/* Its last block is the heap's end: it grows where it is, without a copy. */
Test(span, the_last_block_grows_in_place)
{
	host_begin();
	char *block = heap_alloc(5 * MIB);
	mark(block, 5 * MIB, 3);
	for (size_t size = 6; size <= 31; size++)
		cr_assert_eq(heap_resize(block, size * MIB), block);
	cr_assert(is_marked(block, 5 * MIB, 3));
	heap_free(block);
	nothing_lives();
}

/* Another block stands behind it: its pages go to a new place, and the old one reads as zero, resident nowhere. */
Test(span, pages_move_with_a_block_that_grows)
{
	unsigned char in_memory[512];
	host_begin();
	char *block = heap_alloc(2 * MIB), *wall = heap_alloc(100000);
	mark(block, 2 * MIB, 3);
	char *grown = heap_resize(block, 7 * MIB);
	cr_assert_neq(grown, block);
	cr_assert(is_marked(grown, 2 * MIB, 3));
	cr_assert_eq(mincore(block, 2 * MIB, in_memory), 0);
	for (unsigned i = 0; i < 512; i++)
		cr_assert_eq(in_memory[i] & 1, 0, "page %u", i);
	cr_assert_eq(region.free_dirty, 0);
	char *zeroed = heap_alloc_zeroed(2 * MIB);
	cr_assert_eq(zeroed, block);
	cr_assert(is_zero(zeroed, 2 * MIB));
	heap_free(zeroed);
	heap_free(grown);
	heap_free(wall);
	nothing_lives();
}

static bool swap_refused;

bool __real_memory_swap_in(void *address, size_t bytes, void *target);
bool __wrap_memory_swap_in(void *address, size_t bytes, void *target);

/* As older kernels refuse a range that is in two pieces. */
bool __wrap_memory_swap_in(void *address, size_t bytes, void *target)
{
	if (!swap_refused)
		return __real_memory_swap_in(address, bytes, target);
	cr_assert_eq(munmap(target, bytes), 0);
	return false;
}

Test(span, a_kernel_that_moves_no_pages_leaves_no_hole)
{
	char *block[12];
	host_begin();
	swap_refused = true;
	block[0] = heap_alloc(2 * MIB);
	block[1] = heap_alloc(100000);
	mark(block[0], 2 * MIB, 3);
	block[0] = heap_resize(block[0], 7 * MIB);
	cr_assert(is_marked(block[0], 2 * MIB, 3));
	for (unsigned i = 2; i < 12; i++)
		mark(block[i] = heap_alloc(6 * MIB), 6 * MIB, i);
	for (unsigned i = 0; i < 12; i++)
		heap_free(block[i]);
	nothing_lives();
}

/* --- kept after their free ----------------------------------------------------------------------- */

Test(kept, a_huge_block_comes_back_with_its_pages_and_calloc_with_zeros)
{
	host_begin();
	char *block = heap_alloc(9 * MIB);
	mark(block, 9 * MIB, 1);
	heap_free(block);
	uint64_t mapped = region.mapped_bytes;
	cr_assert_eq(heap_alloc(8 * MIB), block);
	cr_assert_eq(region.mapped_bytes, mapped);
	cr_assert(is_marked(block, 8 * MIB, 1));
	cr_assert_eq(heap_usable(block), 8 * MIB);
	heap_free(block);
	char *zeroed = heap_alloc_zeroed(8 * MIB);
	cr_assert(is_zero(zeroed, 8 * MIB));
	heap_free(zeroed);
	heap_free(zeroed);
	cr_assert_eq(host.misuse, PM_MISUSE_DOUBLE_FREE);
	host.misuses = 0;
	nothing_lives();
}

Test(kept, a_huge_block_goes_back_at_the_second_purge_unless_it_served_meanwhile)
{
	host_begin();
	heap_free(heap_alloc(9 * MIB));
	for (unsigned i = 0; i < 4; i++) {
		arena_purge(false);
		cr_assert_eq(region.free_dirty, 9 * MIB);
		heap_free(heap_alloc(9 * MIB));
	}
	arena_purge(false);
	cr_assert_eq(region.free_dirty, 9 * MIB);
	arena_purge(false);
	cr_assert_eq(region.free_dirty, 0);
}

Test(kept, what_is_too_long_is_not_kept)
{
	host_begin();
	uint64_t mapped = region.mapped_bytes;
	heap_free(heap_alloc(33 * MIB));
	cr_assert_eq(region.mapped_bytes, mapped);
	char *block[20];
	for (unsigned i = 0; i < 20; i++)
		block[i] = heap_alloc(10 * MIB);
	for (unsigned i = 0; i < 20; i++) {
		heap_free(block[i]);
		cr_assert_leq(region.free_dirty, (32 + (19 - i) * 10 + 18) * MIB);
	}
}

Test(kept, a_run_serves_its_thread_again_and_goes_back_when_flushed)
{
	host_begin();
	char *block = heap_alloc(100000);
	const struct pool *pool = region_pool_of(block);
	mark(block, 100000, 1);
	heap_free(block);
	cr_assert_eq(pool->state, POOL_CACHED);
	cr_assert_eq(heap_usable(block), 0);
	cr_assert_eq(heap_alloc(120000), block);
	heap_free(block);
	heap_free(block);
	cr_assert_eq(host.misuse, PM_MISUSE_DOUBLE_FREE);
	heap_free(block + 5000);
	cr_assert_eq(host.misuse, PM_MISUSE_INVALID_FREE);
	host.misuses = 0;
	cr_assert(is_zero(heap_alloc_zeroed(100000), 100000));
	heap_free(block);
	uint64_t dirty = region.free_dirty;
	large_flush(heap_thread.heap);
	cr_assert_eq(pool->state, POOL_UNUSED);
	cr_assert_eq(region.free_dirty, dirty + 2 * PM_UNIT_BYTES);
	nothing_lives();
}

/* A late second free in a unit behind the first must not be looked up in what the first has become. */
Test(kept, a_unit_of_a_block_that_is_gone_is_nobodys)
{
	host_begin();
	char *block = heap_alloc(9 * PM_UNIT_BYTES);
	heap_free(block);
	cr_assert_eq(region_pool_of(block + 3 * PM_UNIT_BYTES), &pool_nowhere);
	block = heap_alloc(5 * PM_UNIT_BYTES);
	heap_free(block);
	large_flush(heap_thread.heap);
	cr_assert_eq(region_pool_of(block + 3 * PM_UNIT_BYTES), &pool_nowhere);
	block = heap_alloc(9 * PM_UNIT_BYTES);
	cr_assert_eq(heap_resize(block, 2 * PM_UNIT_BYTES), block);
	cr_assert_eq(region_pool_of(block + 3 * PM_UNIT_BYTES), &pool_nowhere);
	heap_free(block);
	nothing_lives();
}

static void *keep_one(void *unused)
{
	heap_free(heap_alloc(100000));
	pthread_barrier_wait(unused);
	pthread_barrier_wait(unused);
	heap_free(heap_alloc(100000));
	host_end_thread();
	return unused;
}

Test(kept, another_thread_gives_back_what_an_idle_one_keeps)
{
	pthread_barrier_t idle;
	pthread_t thread;
	host_begin();
	heap_free(heap_alloc(10));
	pthread_barrier_init(&idle, NULL, 2);
	pthread_create(&thread, NULL, keep_one, &idle);
	pthread_barrier_wait(&idle);
	uint64_t dirty = region.free_dirty;
	large_flush_heaps(false); /* it served a moment ago, or not: at the latest the second time */
	large_flush_heaps(false);
	cr_assert_eq(region.free_dirty, dirty + 2 * PM_UNIT_BYTES);
	pthread_barrier_wait(&idle);
	pthread_join(thread, NULL);
	cr_assert_eq(host_failures, 0);
}

Test(kept, a_heap_keeps_little)
{
	host_begin();
	char *block[40];
	for (unsigned i = 0; i < 40; i++)
		block[i] = heap_alloc(200000);
	for (unsigned i = 0; i < 40; i++)
		heap_free(block[i]);
	cr_assert_eq(heap_thread.heap->cached[3]->threaded, HEAP_CACHED_UNITS / 4);
	heap_empty_out(heap_thread.heap);
	cr_assert_null(heap_thread.heap->cached[3]);
	nothing_lives();
}

/* --- threads ------------------------------------------------------------------------------------- */

static size_t some_size(uint32_t *random)
{
	switch (host_random(random) % 4) {
	case 0: return host_random(random) % 3000 + 8;
	case 1: return host_random(random) % 60000 + 40000;
	case 2: return host_random(random) % (3 * MIB) + 1 * MIB;
	default: return host_random(random) % (12 * MIB) + 4 * MIB;
	}
}

struct held {
	char *block;
	size_t size;
};

static bool resize_one(struct held *held, size_t size, uint64_t seed)
{
	char *block = held->block ? heap_resize(held->block, size) : heap_alloc(size);
	if (!block)
		return false;
	if (held->block)
		HOST_EXPECT(is_marked(block, held->size < size ? held->size : size, seed));
	mark(block, size, seed);
	*held = (struct held){block, size};
	return true;
}

/* Blocks grow, shrink and move while another thread purges and others take what was given back. */
static void *resize_some(void *number)
{
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	struct held held[6] = {{0}};
	for (unsigned i = 0; i < 500; i++) {
		unsigned n = host_random(&random) % 6;
		HOST_EXPECT(resize_one(&held[n], some_size(&random), n + (uintptr_t)number * 8));
		if (host_random(&random) % 8 == 0)
			arena_purge(true);
	}
	for (unsigned n = 0; n < 6; n++)
		heap_free(held[n].block);
	host_end_thread();
	return NULL;
}

Test(large, threads_resize_while_others_purge)
{
	host_begin();
	host_threads(6, resize_some);
	cr_assert_eq(host_failures, 0);
	cr_assert_eq(host.misuses, 0);
	cr_assert_eq(host_live_bytes(), 0);
}
