/* SPDX-License-Identifier: MIT */
/* Counting while another process reads, as struct pm_tally in format.h says it must. */
#include "unit/heap_host.h"

#include <time.h>

static struct pm_tally tally;
static uint64_t begun, done; /* atomic: allocations before and after they were counted */
static bool stop;            /* atomic */

static uint64_t load(const void *word)
{
	return __atomic_load_n((const uint64_t *)word, __ATOMIC_ACQUIRE);
}

/* false: the countdown was armed meanwhile, read again. */
static bool read_allocations(uint64_t *ret_count)
{
	uint64_t limit[2] = {load(&tally.limit[0]), load(&tally.limit[1])};
	int64_t left = (int64_t)load(&tally.left);
	if (limit[left & 1] != load(&tally.limit[left & 1]))
		return false;
	*ret_count = limit[left & 1] - (uint64_t)(left >> 8);
	return true;
}

static void *reader(void *unused)
{
	uint64_t last = 0, count, reads = 0;
	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		uint64_t at_least = load(&done);
		if (!read_allocations(&count))
			continue;
		uint64_t at_most = load(&begun);
		HOST_EXPECT(count >= at_least);
		HOST_EXPECT(count <= at_most);
		HOST_EXPECT(count >= last);
		last = count;
		reads++;
	}
	HOST_EXPECT(reads > 1000);
	return NULL;
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_one(uint32_t *random)
{
	__atomic_store_n(&begun, begun + 1, __ATOMIC_RELEASE);
	bool due = tally_allocated(&tally);
	__atomic_store_n(&done, done + 1, __ATOMIC_RELEASE);
	if (due)
		tally_arm(&tally, host_random(random) % 20 + 1);
}

static void write_for(double length)
{
	uint32_t random = 3;
	double end = seconds() + length;
	while (seconds() < end)
		for (unsigned i = 0; i < 1000; i++)
			count_one(&random);
}

Test(tally, a_reader_sees_each_count_between_what_began_and_what_is_done)
{
	pthread_t thread;
	tally_arm(&tally, 1);
	cr_assert(pthread_create(&thread, NULL, reader, NULL) == 0);
	write_for(1.0);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cr_assert_eq(host_failures, 0);
	cr_assert_eq(tally_allocations(&tally), begun);
}

Test(tally, the_event_comes_one_after_the_interval_whatever_the_interval)
{
	uint64_t counted = 0;
	for (int64_t interval = 1; interval <= 600; interval++) {
		tally_arm(&tally, interval);
		cr_assert_eq(tally_allocations(&tally), counted);
		for (int64_t i = 0; i < interval; i++)
			cr_assert(!tally_allocated(&tally), "interval %ld, step %ld", interval, i);
		cr_assert(tally_allocated(&tally));
		counted += (uint64_t)interval + 1;
		cr_assert_eq(tally_allocations(&tally), counted);
	}
}

Test(tally, arming_early_changes_no_count)
{
	uint32_t random = 5;
	uint64_t counted = 0;
	for (unsigned i = 0; i < 100000; i++) {
		if (tally_allocated(&tally) || host_random(&random) % 7 == 0)
			tally_arm(&tally, host_random(&random) % 8192 + 1);
		counted++;
		cr_assert_eq(tally_allocations(&tally), counted);
	}
}

Test(tally, a_fresh_record_is_due_at_once_and_counts)
{
	cr_assert(tally_allocated(&tally));
	cr_assert_eq(tally_allocations(&tally), 1);
}

Test(tally, frees_are_summed_over_ages)
{
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		for (unsigned i = 0; i <= age; i++)
			tally_increment(&tally.freed[age]);
	cr_assert_eq(tally_frees(&tally), PM_AGE_COUNT * (PM_AGE_COUNT + 1) / 2);
	cr_assert_eq(tally_allocations(&tally), 0);
}
