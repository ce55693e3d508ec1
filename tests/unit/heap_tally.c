/* SPDX-License-Identifier: MIT */
/* Counting while another process reads, as struct pm_tally in format.h says it must. */
#include "unit/heap_host.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* --- frees ------------------------------------------------------------------------------------------- */

struct frees {
	struct pm_tally tally;
	uint64_t begun[PM_AGE_COUNT],
		done[PM_AGE_COUNT]; /* atomic: frees before and after they were counted */
	bool stop;                  /* atomic */
};

/* As a stamp of that age has it. */
static int64_t weight_of(unsigned age)
{
	int64_t one = INT64_C(1) << PM_RECENT_SHIFT;
	return age ? one | INT64_C(1) << (PM_RECENT_BITS * (age - 1) + 1) : one;
}

static void free_one(struct frees *frees, unsigned age)
{
	__atomic_store_n(&frees->begun[age], frees->begun[age] + 1, __ATOMIC_RELEASE);
	if (age >= PM_RECENT_AGES)
		tally_increment(&frees->tally.freed[age]);
	else if (tally_freed(&frees->tally, weight_of(age)))
		tally_move(&frees->tally);
	__atomic_store_n(&frees->done[age], frees->done[age] + 1, __ATOMIC_RELEASE);
}

/* Now all of one age, now of any. */
static void free_some(struct frees *frees, uint32_t *random, unsigned count)
{
	unsigned most = 1 + host_random(random) % PM_AGE_COUNT;
	for (unsigned i = 0; i < count; i++)
		free_one(frees, host_random(random) % most);
}

Test(tally, frees_are_counted_by_age)
{
	static struct frees frees;
	uint32_t random = 11;
	uint64_t sum = 0, seen[PM_AGE_COUNT];
	for (unsigned round = 0; round < 3000; round++) {
		free_some(&frees, &random, 1 + host_random(&random) % 150);
		tally_ages_seen(&frees.tally, seen);
		sum = 0;
		for (unsigned age = 0; age < PM_AGE_COUNT; age++) {
			cr_assert_eq(pm_tally_freed(&frees.tally, age), frees.done[age]);
			cr_assert_eq(seen[age], frees.done[age]);
			sum += frees.done[age];
		}
		cr_assert_eq(tally_frees(&frees.tally), sum);
		cr_assert_eq(tally_frees_seen(&frees.tally), sum);
	}
	cr_assert_eq(tally_allocations(&frees.tally), 0);
}

/* One age, all of the next 64: no field runs over into the next one. */
Test(tally, a_full_word_of_one_age)
{
	for (unsigned age = 0; age < PM_RECENT_AGES; age++) {
		struct frees frees = {.stop = false};
		for (unsigned i = 1; i <= 1000; i++) {
			free_one(&frees, age);
			for (unsigned other = 0; other < PM_AGE_COUNT; other++)
				cr_assert_eq(pm_tally_freed(&frees.tally, other),
					     other == age ? i : 0);
		}
	}
}

/* A handler of a signal may count some more before the word that was full is moved. */
Test(tally, what_comes_before_a_full_word_is_moved)
{
	for (unsigned late = 0; late < 63; late++) {
		struct frees frees = {.stop = false};
		for (unsigned i = 0; i < 64 + late; i++)
			tally_freed(&frees.tally, weight_of(5));
		tally_move(&frees.tally);
		cr_assert_eq(pm_tally_freed(&frees.tally, 5), 64 + late);
		cr_assert_eq(tally_frees_seen(&frees.tally), 64 + late);
	}
}

static void expect_between(const struct frees *frees, const struct pm_tally *tally)
{
	for (unsigned age = 0; age < PM_AGE_COUNT; age++) {
		uint64_t count = pm_tally_freed(tally, age);
		cr_assert_geq(count, frees->done[age], "age %u", age);
		cr_assert_leq(count, frees->begun[age], "age %u", age);
	}
}

static void free_for_ever(struct frees *frees)
{
	uint32_t random = 7;
	for (;;)
		free_some(frees, &random, 200);
}

/* F22: killed at whichever instruction, what is there adds up. */
Test(tally, frees_add_up_at_each_instruction)
{
	struct frees *frees = mmap(NULL, sizeof *frees, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t moves = 0;
	pid_t child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		free_for_ever(frees);
	}
	for (unsigned steps = 0; steps < 60000; steps++) {
		uint64_t turn = frees->tally.recent & 1;
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFSTOPPED(status));
		expect_between(frees, &frees->tally);
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		moves += turn != (frees->tally.recent & 1);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_assert_gt(moves, 10);
}

static void *frees_reader(void *argument)
{
	struct frees *frees = argument;
	uint64_t seen[PM_AGE_COUNT], last[PM_AGE_COUNT] = {0}, reads = 0;
	while (!__atomic_load_n(&frees->stop, __ATOMIC_ACQUIRE)) {
		uint64_t at_least[PM_AGE_COUNT];
		for (unsigned age = 0; age < PM_AGE_COUNT; age++)
			at_least[age] = load(&frees->done[age]);
		tally_ages_seen(&frees->tally, seen);
		for (unsigned age = 0; age < PM_AGE_COUNT; age++) {
			HOST_EXPECT(seen[age] >= at_least[age]);
			HOST_EXPECT(seen[age] <= load(&frees->begun[age]));
			HOST_EXPECT(seen[age] >= last[age]);
			last[age] = seen[age];
		}
		reads++;
	}
	HOST_EXPECT(reads > 1000);
	return NULL;
}

Test(tally, a_reader_sees_each_free_between_what_began_and_what_is_done)
{
	static struct frees frees;
	pthread_t thread;
	uint32_t random = 3;
	double end = seconds() + 1.0;
	cr_assert(pthread_create(&thread, NULL, frees_reader, &frees) == 0);
	while (seconds() < end)
		free_some(&frees, &random, 1000);
	__atomic_store_n(&frees.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cr_assert_eq(host_failures, 0);
}
