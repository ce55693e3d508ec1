/* SPDX-License-Identifier: MIT */
/* Counting while another process reads, as struct pm_tally in format.h says it must. */
#include "unit/heap_host.h"

#include <setjmp.h>
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
	HOST_EXPECT(reads > 0);
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

static void free_many(struct frees *frees, unsigned age, uint64_t count)
{
	__atomic_add_fetch(&frees->begun[age], count, __ATOMIC_RELEASE);
	tally_add_frees(&frees->tally, age, count);
	__atomic_add_fetch(&frees->done[age], count, __ATOMIC_RELEASE);
}

static void free_one(struct frees *frees, unsigned age)
{
	free_many(frees, age, 1);
}

/* In one addition, as that many one after the other. */
static void free_together(struct frees *frees, unsigned age, unsigned count)
{
	if (age >= PM_RECENT_AGES) {
		free_one(frees, age);
		return;
	}
	__atomic_add_fetch(&frees->begun[age], count, __ATOMIC_RELEASE);
	if (tally_freed(&frees->tally, count * tally_weight(age)))
		tally_move(&frees->tally);
	__atomic_add_fetch(&frees->done[age], count, __ATOMIC_RELEASE);
}

/* Now all of one age, now of any. */
static void free_some(struct frees *frees, uint32_t *random, unsigned count)
{
	unsigned most = 1 + host_random(random) % PM_AGE_COUNT;
	for (unsigned i = 0; i < count; i++)
		free_together(frees, host_random(random) % most, 1 + host_random(random) % 60);
	free_many(frees, host_random(random) % most, host_random(random) % 400);
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
		cr_assert_eq(tally_young_seen(&frees.tally), frees.done[0]);
	}
	cr_assert_eq(tally_allocations(&frees.tally), 0);
}

/* All of one age: no field runs over into the next one. */
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

/* However many are added at once: as many instructions for 2^40 as for 511, or this never ends. */
Test(tally, any_number_at_once)
{
	struct frees frees = {.stop = false};
	for (unsigned age = 0; age < PM_AGE_COUNT; age++) {
		free_one(&frees, age);
		free_many(&frees, age, (UINT64_C(1) << 40) + 77);
		cr_assert_eq(pm_tally_freed(&frees.tally, age), (UINT64_C(1) << 40) + 78);
	}
}

/* A handler of a signal may count some more before the word that was full is moved. */
Test(tally, what_comes_before_a_full_word_is_moved)
{
	unsigned full = 1u << (63 - PM_RECENT_SHIFT);
	for (unsigned late = 0; late < full; late++) {
		struct frees frees = {.stop = false};
		for (unsigned i = 0; i < full + late; i++)
			cr_assert_eq(tally_freed(&frees.tally, tally_weight(5)), i + 1 >= full);
		tally_move(&frees.tally);
		cr_assert_geq((int64_t)frees.tally.recent, 0);
		cr_assert_eq(pm_tally_freed(&frees.tally, 5), full + late);
		cr_assert_eq(tally_frees_seen(&frees.tally), full + late);
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

static struct frees *stepped; /* shared with who looks */
static sigjmp_buf beginning;
static uint32_t handled;

/* Few, or so many that it moves itself; and now and then it does not return. */
static void free_in_handler(int number)
{
	uint32_t random = ++handled * 2654435761;
	free_some(stepped, &random, 1 + (number == SIGUSR2) * 100);
	if (handled % 5 == 0)
		siglongjmp(beginning, 1);
}

static void free_for_ever(void)
{
	static uint32_t random = 7;
	struct sigaction action = {.sa_handler = free_in_handler, .sa_flags = SA_NODEFER};
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	sigsetjmp(beginning, 1);
	for (;;)
		free_some(stepped, &random, 200);
}

static bool is_moving(const struct pm_tally *tally)
{
	return (int64_t)tally->recent < 0 || ((tally->recent ^ tally->moving) & 1);
}

/* Looks after each instruction.  every: of those of a move, about how many until a signal comes; 0: none does.  Returns moves. */
static unsigned step_through(unsigned steps, unsigned every)
{
	uint32_t random = every + 1;
	unsigned moves = 0;
	pid_t child;
	stepped = mmap(NULL, sizeof *stepped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	child = fork();
	if (!child)
		free_for_ever();
	for (unsigned step = 0; step < steps; step++) {
		uint64_t turn = stepped->tally.recent & 1;
		int status, number = 0;
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFSTOPPED(status));
		expect_between(stepped, &stepped->tally);
		if (every && is_moving(&stepped->tally) && host_random(&random) % every == 0)
			number = host_random(&random) % 2 ? SIGUSR1 : SIGUSR2;
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, child, NULL, number), 0);
		moves += turn != (stepped->tally.recent & 1);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return moves;
}

/* F22: killed at whichever instruction, what is there adds up. */
Test(tally, frees_add_up_at_each_instruction)
{
	cr_assert_gt(step_through(60000, 0), 10);
}

/* The same where handlers of signals interrupt a move anywhere, free, and leave by siglongjmp(). */
Test(tally, frees_add_up_whatever_a_handler_does, .timeout = 120)
{
	cr_assert_gt(step_through(60000, 100), 3);
	cr_assert_gt(step_through(60000, 400), 10);
}

static void read_all(void)
{
	uint64_t seen[PM_AGE_COUNT];
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	tally_ages_seen(&stepped->tally, seen);
	_exit(tally_frees_seen(&stepped->tally) < seen[0] || !tally_young_seen(&stepped->tally));
}

/* F11: a handler after each instruction of the reader that frees in the slot of all. */
Test(tally, a_reader_ends_whatever_a_handler_does)
{
	enum { STEPS = 100000 };
	int status = 0, steps = 0;
	stepped = mmap(NULL, sizeof *stepped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	pid_t child = fork();
	if (!child)
		read_all();
	for (; waitpid(child, &status, 0) == child && WIFSTOPPED(status) && steps < STEPS; steps++) {
		stepped->tally.freed[0]++;
		ptrace(PTRACE_SINGLESTEP, child, NULL, 0);
	}
	kill(child, SIGKILL);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "after %d steps", steps);
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
		uint64_t young = tally_young_seen(&frees->tally);
		HOST_EXPECT(young >= seen[0] && young <= load(&frees->begun[0]));
		for (unsigned age = 0; age < PM_AGE_COUNT; age++) {
			HOST_EXPECT(seen[age] >= at_least[age]);
			HOST_EXPECT(seen[age] <= load(&frees->begun[age]));
			HOST_EXPECT(seen[age] >= last[age]);
			last[age] = seen[age];
		}
		reads++;
	}
	HOST_EXPECT(reads > 0);
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
