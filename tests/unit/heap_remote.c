/* SPDX-License-Identifier: MIT */
/* Blocks that wait in batches: when they go to their owner, and that none is lost, counted twice or freed twice. */
#include "fault/step.h"
#include "heap/census.h"
#include "unit/heap_host.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 64, SOME = 5 };

static struct heap *owner, *other, *third;

/* One thread plays several. */
static void be(struct heap *heap)
{
	heap_thread.own = heap;
	heap_leave(heap);
}

static void begin(void)
{
	host_begin();
	owner = heap_make();
	other = heap_make();
	third = heap_make();
	be(owner);
}

static void free_as(struct heap *heap, void *const *block, unsigned count)
{
	be(heap);
	for (unsigned i = 0; i < count; i++)
		heap_free(block[i]);
	be(owner);
}

static void flush(struct heap *heap)
{
	heap_enter();
	remote_flush(heap);
	heap_leave(owner);
}

static void allocate(size_t bytes, void **block, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cr_assert_not_null(block[i] = heap_alloc(bytes));
}

static unsigned pushed(const struct pool *pool)
{
	return (unsigned)(pool->remote >> POOL_REMOTE_SHIFT);
}

static unsigned blocks_in_batches(const struct heap *heap)
{
	unsigned count = 0;
	for (unsigned i = 0; i < HEAP_BATCHES; i++)
		if (heap->batch[i].pool)
			count += heap->batch[i].room - heap->batch[i].left;
	return count;
}

/* Every heap lets go of all it has: no pool is left. */
static void all_goes_back(void)
{
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		flush(heap);
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		be(heap);
		heap_empty_out(heap);
	}
	cr_assert_eq(host_pools_in_use(), 0);
}

/* --- when a batch goes ---------------------------------------------------------------------------- */

Test(batch, goes_when_it_is_full)
{
	static void *block[HEAP_BATCH_BYTES / CLASS_GRAIN + 2];
	begin();
	for (unsigned c = 1; c < CLASS_POOLED; c++) {
		unsigned room = (unsigned)(HEAP_BATCH_BYTES / class_bytes(c));
		room = room ? room : 1;
		other->remote_frees = 0; /* no tick meanwhile */
		allocate(class_bytes(c), block, room + 2);
		struct pool *pool = region_pool_of(block[0]);
		cr_assert_eq(region_pool_of(block[room + 1]), pool);
		free_as(other, block + room + 1, 1);
		cr_assert_eq(pool_collect(pool), 1, "the first does not wait");
		free_as(other, block, room - 1);
		cr_assert_eq(pushed(pool), 0, "class %u", c);
		free_as(other, block + room - 1, 1);
		cr_assert_eq(pushed(pool), room, "class %u", c);
		free_as(other, block + room, 1);
		cr_assert_eq(pushed(pool), room == 1 ? 2 : room, "class %u", c);
	}
	all_goes_back();
	cr_assert_eq(host.misuses, 0);
}

/* Two pools that have one place; larger blocks need none. */
Test(batch, goes_when_its_place_is_needed)
{
	enum { BLOCKS = 40 * 64 };
	static void *block[BLOCKS], *large[BLOCKS / 64];
	unsigned second = 1, unrelated = 0;
	begin();
	allocate(1024, block, BLOCKS);
	allocate(32768, large, BLOCKS / 64);
	struct pool *pool = region_pool_of(block[0]);
	while (region_pool_of(block[second]) == pool ||
	       (region_pool_of(block[second])->first_unit - pool->first_unit) % HEAP_BATCHES)
		second++;
	while ((region_pool_of(large[unrelated])->first_unit - pool->first_unit) % HEAP_BATCHES)
		unrelated++;
	free_as(other, block, 2);
	free_as(other, large + unrelated, 1);
	cr_assert_eq(pushed(pool), 1);
	cr_assert_eq(blocks_in_batches(other), 1);
	free_as(other, block + second, 1);
	cr_assert_eq(pushed(pool), 2);
	cr_assert_eq(pushed(region_pool_of(block[second])), 1);
	cr_assert_eq(blocks_in_batches(other), 0);
	free_as(other, block + second + 1, 1);
	cr_assert_eq(blocks_in_batches(other), 1);
}

static void *block[SOME];

static struct pool *some_wait(void)
{
	void *first;
	begin();
	allocate(BYTES, &first, 1);
	allocate(BYTES, block, SOME);
	struct pool *pool = region_pool_of(block[0]);
	free_as(other, &first, 1);
	cr_assert_eq(pool_collect(pool), 1);
	free_as(other, block, SOME);
	cr_assert_eq(pushed(pool), 0);
	cr_assert_eq(blocks_in_batches(other), SOME);
	return pool;
}

static void they_went(const struct pool *pool)
{
	be(owner);
	cr_assert_eq(pushed(pool), SOME);
	cr_assert_eq(blocks_in_batches(other), 0);
	all_goes_back();
	cr_assert_eq(host.misuses, 0);
}

Test(batch, goes_at_a_tick)
{
	const struct pool *pool = some_wait();
	be(other);
	heap_tick(other);
	they_went(pool);
}

/* In batches or one by one. */
Test(batch, a_thread_that_only_frees_ticks)
{
	enum { COUNT = 4096, PER_TICK = 256 };
	static void *block[COUNT];
	static const size_t sizes[] = {64, HEAP_BATCH_BYTES};
	begin();
	for (unsigned i = 0; i < 2; i++) {
		allocate(sizes[i], block, COUNT);
		uint64_t before = host.ticks;
		free_as(other, block, COUNT);
		cr_assert_geq(host.ticks - before, COUNT / PER_TICK, "%zu bytes", sizes[i]);
		cr_assert_leq(host.ticks - before, 2 * COUNT / PER_TICK, "%zu bytes", sizes[i]);
	}
	all_goes_back();
}

Test(batch, goes_with_the_thread)
{
	const struct pool *pool = some_wait();
	be(other);
	host_end_thread();
	they_went(pool);
}

Test(batch, goes_with_a_thread_that_never_gave_its_heap_back)
{
	const struct pool *pool = some_wait();
	heap_offer(other);
	they_went(pool);
}

Test(batch, goes_when_the_heap_is_trimmed)
{
	const struct pool *pool = some_wait();
	be(other);
	census_trim();
	they_went(pool);
}

/* Each side of a fork has the blocks and the batch, and hands its own over. */
Test(batch, goes_on_both_sides_of_a_fork)
{
	int status;
	const struct pool *pool = some_wait();
	pid_t child = fork();
	flush(other);
	if (child == 0)
		_exit(pushed(pool) != SOME || pool_collect((struct pool *)pool) != SOME);
	cr_assert(waitpid(child, &status, 0) == child && status == 0);
	they_went(pool);
}

/* --- what they are meanwhile ---------------------------------------------------------------------- */

static void is_freed_twice(struct heap *heap, void *twice)
{
	uint64_t before = host.misuses;
	free_as(heap, &twice, 1);
	cr_assert_eq(host.misuses, before + 1);
	cr_assert_eq(host.misuse, PM_MISUSE_DOUBLE_FREE);
	cr_assert_eq(host.misused, twice);
}

Test(waiting, are_freed_for_everybody)
{
	struct pool *pool = some_wait();
	for (unsigned i = 0; i < SOME; i++) {
		is_freed_twice(other, block[i]);
		is_freed_twice(third, block[i]);
		is_freed_twice(owner, block[i]);
	}
	flush(other);
	is_freed_twice(other, block[0]);
	cr_assert_eq(pool_collect(pool), SOME);
	cr_assert_eq(pool_used(pool), 0);
}

Test(waiting, of_two_threads_in_one_pool)
{
	enum { BLOCKS = 20 };
	void *both[BLOCKS];
	begin();
	allocate(BYTES, both, BLOCKS);
	struct pool *pool = region_pool_of(both[0]);
	for (unsigned i = 0; i < BLOCKS; i++)
		free_as(i % 3 ? third : other, both + i, 1);
	cr_assert_eq(blocks_in_batches(other) + blocks_in_batches(third), BLOCKS - 2);
	flush(third);
	cr_assert_eq(pushed(pool), BLOCKS - blocks_in_batches(other));
	flush(other);
	cr_assert_eq(pushed(pool), BLOCKS);
	cr_assert_eq(pool_used(pool), BLOCKS);
	cr_assert_eq(pool_collect(pool), BLOCKS);
	cr_assert_eq(pool_used(pool), 0);
	all_goes_back();
}

/* In a pool that serves malloc and in one that is full, pushed singly and as batches. */
static void live_is_exact(size_t bytes)
{
	enum { BLOCKS = 200 };
	static void *each[BLOCKS];
	uint32_t live[BLOCKS] = {0};
	begin();
	allocate(bytes, each, BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++) {
		const struct pool *pool = region_pool_of(each[i]);
		live[i] = pool_live(pool);
		free_as(i % 3 ? other : third, each + i, 1);
		cr_assert_eq(pool_live(pool), live[i] - 1);
		cr_assert(!pool->batched || bytes <= HEAP_BATCH_BYTES / 2);
		if (i % 17 == 0) {
			flush(other);
			remote_drain(owner);
		}
		cr_assert(pool->state == POOL_UNUSED || pool_live(pool) == live[i] - 1);
	}
	all_goes_back();
}

Test(waiting, are_not_live)
{
	live_is_exact(48);
}
Test(waiting, are_not_live_of_512)
{
	live_is_exact(512);
}
Test(waiting, are_not_live_pushed_singly)
{
	live_is_exact(3000);
}

/* --- many threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, EACH = 3000, ROUNDS = 12 };

static void *held[THREADS][EACH];
static int64_t shadow; /* atomic: blocks that live */
static pthread_barrier_t all;

static void fill(void **mine, uint32_t *random)
{
	for (unsigned i = 0; i < EACH; i++)
		if (!mine[i] && host_random(random) % 4) {
			mine[i] = heap_alloc(host_random(random) % (i % 8 ? 200 : 3000));
			__atomic_add_fetch(&shadow, 1, __ATOMIC_RELAXED);
		}
}

/* Of all threads' blocks those of a number, so that every pool gets batches of every thread at a time. */
static void free_some(uintptr_t number, unsigned part)
{
	for (unsigned i = (unsigned)number; i < EACH * THREADS; i += THREADS) {
		unsigned last = EACH * THREADS - 1 -
				i; /* those wait at the end that lie in full pools */
		void **at = &held[last / EACH][last % EACH];
		if (!*at || i / 7 % part)
			continue;
		heap_free(*at);
		*at = NULL;
		__atomic_sub_fetch(&shadow, 1, __ATOMIC_RELAXED);
	}
}

static void sum_live(struct pool *pool, void *sum)
{
	*(int64_t *)sum += pool_live(pool);
}

static void count_is_exact(uintptr_t number)
{
	int64_t sum = 0;
	pthread_barrier_wait(&all);
	if (number == 0)
		arena_each_pool(sum_live, &sum);
	HOST_EXPECT(number || sum == shadow);
	pthread_barrier_wait(&all);
}

static void *come_and_go(void *argument)
{
	uintptr_t number = (uintptr_t)argument;
	uint32_t random = (uint32_t)number + 7;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		fill(held[number], &random);
		count_is_exact(number);
		free_some(number, round == ROUNDS ? 1 : 1 + round % 4);
		count_is_exact(number);
	}
	struct heap *heap = heap_mine();
	heap_enter();
	remote_flush(heap);
	pthread_barrier_wait(&all);
	heap_empty_out(heap);
	heap_leave(heap);
	return NULL;
}

Test(waiting, no_block_is_lost_among_threads)
{
	host_begin();
	pthread_barrier_init(&all, NULL, THREADS);
	host_threads(THREADS, come_and_go);
	cr_assert_eq(host_failures, 0);
	cr_assert_eq(shadow, 0);
	cr_assert_eq(host_pools_in_use(), 0);
	cr_assert_eq(host.misuses, 0);
}

/* --- signal handlers ------------------------------------------------------------------------------ */

enum { STEPPED = 64, SPARE = 30000 };

static void *spare[SPARE];
static volatile unsigned spares;

static void free_a_spare(int signal)
{
	(void)signal;
	unsigned turn = spares;
	if (turn == SPARE)
		return;
	spares++;
	heap_free(spare[turn % 2 ? SPARE - 1 - turn / 2 : turn / 2]);
}

/*
 * After every instruction of a free a handler frees another, in turn of those that were allocated last, whose pool is that of
 * what is freed, and first.
 */
Test(waiting, none_is_lost_between_a_free_and_the_handler_that_interrupts_it)
{
	struct sigaction action = {.sa_handler = free_a_spare};
	static void *stepped[STEPPED];
	uint64_t frees = 0;
	begin();
	for (unsigned i = 0; i < SPARE; i++)
		allocate(i % 3 ? BYTES : 48, &spare[i], 1);
	allocate(BYTES, stepped, STEPPED);
	sigaction(SIGTRAP, &action, NULL);
	be(other);
	for (unsigned i = 0; i < STEPPED; i++) {
		step(1);
		heap_free(stepped[i]);
		step(0);
	}
	be(owner);
#if defined(__x86_64__)
	cr_assert_gt(spares, STEPPED * 20);
#endif
	free_as(owner, spare + (spares + 1) / 2, SPARE - spares);
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		frees += tally_frees(&owner->slot->tally[c]) + tally_frees(&other->slot->tally[c]) +
			 tally_frees(&host.shared.tally[c]);
	cr_assert_eq(frees, SPARE + STEPPED);
	all_goes_back();
	cr_assert_eq(host.misuses, 0);
}
