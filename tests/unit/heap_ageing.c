/* SPDX-License-Identifier: MIT */
/*
 * Stamps turn into STAMP_OLD in time, whatever pools did meanwhile: blocks are born and die over many epochs, with long
 * rests in which pools are left alone.  A log of each block's birth says what its stamp must mean.
 */
#include "exact/python_gc.h"
#include "tally/clock.h"
#include "unit/heap_host.h"

#include <unistd.h>

enum { BLOCKS = 60000, EPOCHS = 3000, THREADS = 3, ROUNDS = 60, PASSES = 40, MINE = 4000 };

struct born {
	void *block;
	uint64_t epoch;
};

static uint8_t stamp_of(const void *block)
{
	const struct pool *pool = region_pool_of(block);
	return __atomic_load_n(&pool->stamps[pool_place(pool, block).index], __ATOMIC_RELAXED);
}

static void check(const struct born *at)
{
	uint8_t stamp = stamp_of(at->block);
	uint64_t age = clock_now.epoch - at->epoch;
	if (stamp == STAMP_OLD)
		cr_assert_geq(age, CLOCK_OLD_AGE);
	else
		cr_assert_eq(clock_age(stamp), age);
}

/* Busy for some epochs, then nothing for longer than stamps last. */
static bool is_busy(uint64_t epoch)
{
	return epoch % 600 < 150 || epoch % 600 == 400;
}

static void come_and_go(struct born *log, unsigned count, uint32_t *random, unsigned changes)
{
	for (unsigned i = 0; i < changes; i++) {
		struct born *at = &log[host_random(random) % count];
		if (at->block) {
			heap_free(at->block);
			at->block = NULL;
		} else {
			at->block = heap_alloc(1 + host_random(random) % (i % 50 ? 100 : 3000));
			at->epoch = clock_now.epoch;
		}
	}
}

static void turn(void)
{
	clock_advance(clock_choose());
	ageing_pass_if_due();
}

static void turn_many(unsigned epochs)
{
	for (unsigned i = 0; i < epochs; i++)
		turn();
}

static unsigned done;

static void count_done(struct pool *pool, void *unused)
{
	(void)unused;
	done += pool->ageing == AGEING_DONE;
}

Test(ageing, every_stamp_in_time)
{
	static struct born log[BLOCKS];
	uint32_t random = 5;
	unsigned rested = 0;
	host_begin();
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	while (clock_now.epoch < EPOCHS) {
		if (is_busy(clock_now.epoch))
			come_and_go(log, BLOCKS, &random, 2000);
		turn();
		for (unsigned i = clock_now.epoch % 16; i < BLOCKS; i += 16)
			if (log[i].block)
				check(&log[i]);
		done = 0;
		arena_each_pool(count_done, NULL);
		rested += done > 10;
	}
	cr_assert_gt(rested, 100, "pools are left alone");
}

/* --- a hundred thousand epochs -------------------------------------------------------------------- */

enum { LONG_EPOCHS = 100000, LONG_BLOCKS = 2000, LARGE = 70000 };

static struct lived {
	void *block;
	uint64_t epoch;
	unsigned generation;
} lived[LONG_BLOCKS];

/* All that is in generations up to the one that is swept goes one on from that. */
static void turn_and_sweep(struct python_gc *gc)
{
	unsigned generation = python_gc_sweep(gc), to = generation < 2 ? generation + 1 : 2;
	turn();
	for (unsigned i = 0; i < LONG_BLOCKS; i++)
		if (lived[i].generation < to)
			lived[i].generation = to;
}

/* Where its death would be counted. */
static void check_bucket(const struct lived *it)
{
	uint64_t age = clock_now.epoch - it->epoch;
	const struct pm_age *bucket = &clock_ages[stamp_age(stamp_of(it->block))];
	cr_assert(bucket->generation == it->generation && age >= bucket->age_min &&
			  age <= bucket->age_max,
		  "epoch %lu: born in %lu, generation %u, counted in %u as %u..%u epochs old",
		  clock_now.epoch, it->epoch, it->generation, bucket->generation, bucket->age_min,
		  bucket->age_max);
}

/* A tenth comes and goes often; of the others one block in some dozens of epochs; the first hundred stay for ever. */
static struct lived *any_of(uint32_t *random)
{
	unsigned from = host_random(random) % 50 ? LONG_BLOCKS - LONG_BLOCKS / 10 : 100;
	return &lived[from + host_random(random) % (LONG_BLOCKS - from)];
}

static void replace(struct lived *it, uint32_t *random)
{
	if (it->block) {
		check_bucket(it);
		heap_free_slow(it->block);
	}
	uint32_t size = host_random(random) % 100 ? 1 + host_random(random) % 1000 : LARGE;
	*it = (struct lived){heap_alloc(size), clock_now.epoch, 0};
}

static void live_long(uint32_t t1, uint32_t t2)
{
	struct python_gc gc = {.threshold = {1, t1, t2}};
	uint32_t random = 9;
	host_begin();
	clock_init(PM_CLOCK_ALLOCS, gc.threshold);
	for (unsigned i = 0; i < LONG_BLOCKS; i++)
		replace(&lived[i], &random);
	while (gc.epoch < LONG_EPOCHS) {
		replace(any_of(&random), &random);
		turn_and_sweep(&gc);
		for (unsigned i = gc.epoch % 16; i < LONG_BLOCKS; i += 16)
			check_bucket(&lived[i]);
	}
	for (unsigned g = 0; g < 3; g++)
		cr_assert_eq(clock_now.sweeps[g], gc.sweeps[g]);
	cr_assert_eq(host.misuses, 0);
}

Test(ageing, a_hundred_thousand_epochs)
{
	live_long(10, 10);
}
Test(ageing, a_hundred_thousand_epochs_of_the_longest_middle_generation)
{
	live_long(CLOCK_T1_MAX, 0);
}

/* A block that lies alone in its run has one stamp, which must turn like any other, where a pool had settled. */
Test(ageing, large)
{
	struct born log[40] = {0};
	uint32_t random = 6;
	void *before[2000];
	host_begin();
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 2000; i++)
		before[i] = heap_alloc(1000);
	turn_many(300);
	for (unsigned i = 0; i < 2000; i++)
		heap_free(before[i]);
	heap_empty_out(heap_thread.heap);
	while (clock_now.epoch < 2000) {
		struct born *at = &log[host_random(&random) % 40];
		if (!(clock_now.epoch % 10)) {
			heap_free_slow(at->block);
			*at = (struct born){heap_alloc(70000), clock_now.epoch};
		}
		turn();
		for (unsigned i = 0; i < 40; i++)
			if (log[i].block)
				check(&log[i]);
	}
}

static struct born shares[THREADS][MINE];
static pthread_barrier_t round_begins, round_ends;
static bool passing;

/* Rests and works in turn, so that pools begin to serve at any moment of a pass. */
static void *work(void *number)
{
	struct born *log = shares[(uintptr_t)number];
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		while (__atomic_load_n(&passing, __ATOMIC_ACQUIRE)) {
			come_and_go(log, MINE, &random, host_random(&random) % 300);
			usleep(host_random(&random) % 300);
		}
		pthread_barrier_wait(&round_ends);
	}
	return NULL;
}

/* After a rest all must be old: a pool that was taken for settled too early keeps young stamps for good. */
static void expect_all_old(void)
{
	turn_many(2 * CLOCK_OLD_AGE - CLOCK_OLD_AGE / 4);
	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 0; i < MINE; i++)
			cr_assert(!shares[t][i].block || stamp_of(shares[t][i].block) == STAMP_OLD);
}

Test(ageing, while_others_work)
{
	pthread_t threads[THREADS];
	host_begin();
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	pthread_barrier_init(&round_begins, NULL, THREADS + 1);
	pthread_barrier_init(&round_ends, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		__atomic_store_n(&passing, true, __ATOMIC_RELEASE);
		pthread_barrier_wait(&round_begins);
		for (unsigned i = 0; i < PASSES; i++) {
			ageing_pass_if_due();
			usleep(100);
		}
		__atomic_store_n(&passing, false, __ATOMIC_RELEASE);
		pthread_barrier_wait(&round_ends);
		expect_all_old();
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(host.misuses, 0);
}
