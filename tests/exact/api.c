/* SPDX-License-Identifier: MIT */
/*
 * What a program can do with <poolmem/poolmem.h>, each function once at least; and whether the figures are right: the
 * clock is paused, so that nothing is swept but by us, and every block is counted by hand.
 *
 *     api              without the library: nothing answers, nothing breaks
 *     api DIRECTORY    under it, with its segment there and no other
 */
#include "exact/own_segment.h"

#include <malloc.h>
#include <poolmem/poolmem.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { BLOCKS = 1050, BYTES = 48, LARGE = 1 << 20, CALLS = 2000 };

static void *block[BLOCKS], *large;
static bool failed, is_child;
static const struct pm_slot *slot;

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("line %d: not so: %s\n", __LINE__, #condition);                     \
			failed = true;                                                             \
		}                                                                                  \
	} while (0)

#define EXPECT_EQUAL(value, expected)                                                              \
	do {                                                                                       \
		long long got_ = (long long)(value), want_ = (long long)(expected);                \
		if (got_ != want_) {                                                               \
			printf("line %d: %s is %lld, not %lld\n", __LINE__, #value, got_, want_);  \
			failed = true;                                                             \
		}                                                                                  \
	} while (0)

#define EXPECT_ERROR(call, number)                                                                 \
	do {                                                                                       \
		errno = 0;                                                                         \
		EXPECT_EQUAL(call, -1);                                                            \
		EXPECT_EQUAL(errno, number);                                                       \
	} while (0)

static void without_library(void)
{
	struct poolmem_stats stats[3];
	uint64_t count[3] = {1, 1, 1};
	uint32_t threshold[3] = {1, 1, 1};
	memset(stats, 1, sizeof stats);
	EXPECT_ERROR(poolmem_collect(2), ENOSYS);
	EXPECT_ERROR(poolmem_get_stats(stats), ENOSYS);
	EXPECT_ERROR(poolmem_get_count(count), ENOSYS);
	EXPECT_ERROR(poolmem_get_threshold(threshold), ENOSYS);
	EXPECT_ERROR(poolmem_set_threshold(700, 10, 10), ENOSYS);
	EXPECT_ERROR(poolmem_freeze(), ENOSYS);
	EXPECT_ERROR(poolmem_unfreeze(), ENOSYS);
	EXPECT_ERROR(poolmem_get_freeze_count(), ENOSYS);
	EXPECT_ERROR(poolmem_enable(), ENOSYS);
	EXPECT_ERROR(poolmem_disable(), ENOSYS);
	EXPECT_ERROR(poolmem_is_enabled(), ENOSYS);
	EXPECT_ERROR(poolmem_mark("loaded"), ENOSYS);
	EXPECT(!stats[2].entered && !stats[0].sweeps && !count[0] && !threshold[2]);
}

static void get_stats(struct poolmem_stats stats[3])
{
	EXPECT_EQUAL(poolmem_get_stats(stats), 0);
	for (int g = 0; g < 3; g++) {
		const struct poolmem_stats *of = &stats[g];
		EXPECT_EQUAL(of->entered, of->survived + of->died + of->live + of->frozen);
		EXPECT_EQUAL(of->entered_bytes, of->survived_bytes + of->died_bytes +
							of->live_bytes + of->frozen_bytes);
	}
	if (!is_child) /* it inherited old ones */
		EXPECT_EQUAL(stats[0].survived + stats[1].survived,
			     stats[1].entered + stats[2].entered);
}

static void take(unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		block[i] = malloc(BYTES);
}

static void give(unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		free(block[i]);
}

static void test_thresholds(void)
{
	uint32_t threshold[3];
	EXPECT_EQUAL(poolmem_get_threshold(threshold), 0);
	EXPECT(threshold[0] == 1000 && threshold[1] == 10 && threshold[2] == 10);
	EXPECT_ERROR(poolmem_set_threshold(0, 10, 10), EINVAL);
	EXPECT_ERROR(poolmem_set_threshold(700, 101, 10), EINVAL);
	EXPECT_EQUAL(poolmem_set_threshold(700, 5, 6), 0);
	EXPECT_EQUAL(poolmem_get_threshold(threshold), 0);
	EXPECT(threshold[0] == 700 && threshold[1] == 5 && threshold[2] == 6);
	EXPECT_EQUAL(slot->process.threshold[1], 5);
}

/* Whole generations, by hand. */
static void test_collect(void)
{
	struct poolmem_stats before[3], after[3];
	uint64_t count[3];
	EXPECT_ERROR(poolmem_collect(3), EINVAL);
	EXPECT_ERROR(poolmem_collect(-1), EINVAL);
	EXPECT(poolmem_collect(2) >= 0);
	get_stats(before);
	EXPECT_EQUAL(before[0].live + before[1].live, 0);

	take(0, 1000);
	EXPECT_EQUAL(poolmem_get_count(count), 0);
	EXPECT_EQUAL(count[0], 1000);
	give(0, 100);
	EXPECT_EQUAL(poolmem_collect(0), 100); /* 900 are in generation 1 */
	EXPECT_EQUAL(poolmem_get_count(count), 0);
	EXPECT(count[0] == 0 && count[1] == 1 && count[2] == 0);
	give(100, 300);
	take(1000, 1050);
	give(1000, 1010);
	EXPECT_EQUAL(poolmem_collect(1), 100 + 200 + 10); /* 700 and 40 are in generation 2 */
	EXPECT_EQUAL(poolmem_get_count(count), 0);
	EXPECT(count[0] == 0 && count[1] == 0 && count[2] == 1);
	give(300, 450);
	EXPECT_EQUAL(poolmem_collect(2), 100 + 200 + 10 + 150);
	EXPECT_EQUAL(poolmem_collect(2), 0);

	get_stats(after);
	EXPECT_EQUAL(after[0].sweeps - before[0].sweeps, 1);
	EXPECT_EQUAL(after[0].entered - before[0].entered, 1050);
	EXPECT_EQUAL(after[0].survived - before[0].survived, 940);
	EXPECT_EQUAL(after[0].died - before[0].died, 110);
	EXPECT_EQUAL(after[0].died_bytes - before[0].died_bytes, 110 * BYTES);
	EXPECT_EQUAL(after[1].sweeps - before[1].sweeps, 1);
	EXPECT_EQUAL(after[1].entered - before[1].entered, 900);
	EXPECT_EQUAL(after[1].survived - before[1].survived, 700);
	EXPECT_EQUAL(after[1].died - before[1].died, 200);
	EXPECT_EQUAL(after[2].sweeps - before[2].sweeps, 2);
	EXPECT_EQUAL(after[2].entered - before[2].entered, 740);
	EXPECT_EQUAL(after[2].died - before[2].died, 150);
	EXPECT_EQUAL(after[2].live - before[2].live, 590);
	EXPECT_EQUAL(after[2].live_bytes - before[2].live_bytes, 590 * BYTES);
}

static void in_child(void)
{
	struct poolmem_stats stats[3];
	int64_t frozen = poolmem_get_freeze_count();
	is_child = true;
	give(540, 545);
	EXPECT_EQUAL(poolmem_get_freeze_count(), frozen - 5);
	get_stats(stats);
	EXPECT_EQUAL(stats[2].live, 10);
	EXPECT_EQUAL(stats[2].died, 0);
	EXPECT_EQUAL(poolmem_mark("child"), 0);
	fflush(stdout);
	_exit(failed);
}

/* What is frozen dies out of sight; what comes after it is counted as ever. */
static void test_freeze(void)
{
	struct poolmem_stats before[3], frozen[3], after[3];
	large = malloc(LARGE);
	EXPECT_EQUAL(poolmem_collect(2), 0);
	get_stats(before);
	int64_t count = poolmem_freeze();
	get_stats(frozen);
	EXPECT_EQUAL(count, before[2].live);
	EXPECT_EQUAL(poolmem_get_freeze_count(), count);
	EXPECT_EQUAL(frozen[2].live, 0);
	EXPECT_EQUAL(frozen[2].frozen_bytes, before[2].live_bytes);

	give(450, 540);
	take(450, 460);
	large = realloc(large, 2 * LARGE);
	size_t grown = malloc_usable_size(large);
	bool moved = poolmem_get_freeze_count() != count - 90;
	EXPECT_EQUAL(poolmem_collect(1), 0);
	get_stats(after);
	EXPECT_EQUAL(after[2].died, before[2].died);
	EXPECT_EQUAL(after[2].live, 10 + moved);
	EXPECT_EQUAL(after[2].frozen, frozen[2].frozen);
	EXPECT_EQUAL(after[2].live_bytes, 10 * BYTES + (moved ? grown : 0));
	free(large);
	EXPECT_EQUAL(poolmem_get_freeze_count(), count - 91);

	pid_t child = fork();
	if (!child)
		in_child();
	int status;
	EXPECT(waitpid(child, &status, 0) == child && !status);
	EXPECT_EQUAL(poolmem_get_freeze_count(), count - 91);

	EXPECT_EQUAL(slot->counter[PM_COUNTER_REMOTE_FREE], 0);
	EXPECT_EQUAL(poolmem_unfreeze(), 0);
	EXPECT_EQUAL(poolmem_get_freeze_count(), 0);
	get_stats(after);
	EXPECT_EQUAL(after[2].frozen, 91);
	EXPECT_EQUAL(after[2].live, count - 91 + 10);
	give(540, 1000);
	give(450, 460);
	EXPECT_EQUAL(poolmem_collect(2), 470 + moved);
}

static const struct pm_marks *marks_of_process(void)
{
	const struct pm_header *header = own_segment(getenv("SEGMENTS"));
	for (uint32_t n = 1; n < header->chunks; n++) {
		const struct pm_marks *marks = own_chunk(header, n);
		if (marks->chunk.kind == PM_CHUNK_MARKS && marks->chunk.process == header->leader)
			return marks;
	}
	return NULL;
}

static void test_marks(void)
{
	static const char
		long_name[] = "0123456789012345678901234567890123456789012345678901234\xc3\xa4 and more";
	EXPECT_ERROR(poolmem_mark(NULL), EINVAL);
	EXPECT_ERROR(poolmem_mark(""), EINVAL);
	struct poolmem_stats stats[3];
	get_stats(stats);
	EXPECT_EQUAL(poolmem_mark("loaded"), 0);
	EXPECT_EQUAL(poolmem_mark(long_name), 0);
	EXPECT_EQUAL(poolmem_mark(long_name + 1), 0);
	for (unsigned i = 3; i < PM_MARK_ROOM; i++)
		EXPECT_EQUAL(poolmem_mark("again"), 0);
	EXPECT_ERROR(poolmem_mark("no room"), ENOSPC);

	const struct pm_marks *marks = marks_of_process();
	EXPECT(marks);
	if (!marks)
		return;
	EXPECT_EQUAL(marks->made, PM_MARK_ROOM + 1);
	EXPECT(!strcmp(marks->mark[0].name, "loaded"));
	EXPECT(!strncmp(marks->mark[1].name, long_name, 55) && !marks->mark[1].name[55]);
	EXPECT_EQUAL(strlen(marks->mark[2].name), 54); /* half a letter would not do */
	uint64_t freed = 0;
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		freed += marks->mark[0].freed[age];
	EXPECT_EQUAL(marks->mark[0].allocated, stats[0].entered);
	EXPECT_EQUAL(freed, stats[0].died + stats[1].died + stats[2].died + stats[2].frozen);
	EXPECT_EQUAL(marks->mark[0].allocated_bytes, stats[0].entered_bytes);
}

static void test_enable(void)
{
	struct poolmem_stats before[3], after[3];
	get_stats(before);
	EXPECT_EQUAL(poolmem_is_enabled(), 0);
	for (unsigned i = 0; i < 5000; i++) {
		take(0, 1);
		give(0, 1);
	}
	get_stats(after);
	EXPECT_EQUAL(after[0].sweeps, before[0].sweeps);
	EXPECT_EQUAL(poolmem_enable(), 0);
	EXPECT_EQUAL(poolmem_is_enabled(), 1);
	for (unsigned i = 0; i < 50000; i++) {
		take(0, 1);
		give(0, 1);
	}
	get_stats(after);
	EXPECT(after[0].sweeps > before[0].sweeps + 40);
	EXPECT(after[1].sweeps > before[1].sweeps + 6);
}

static void *call_all(void *unused)
{
	struct poolmem_stats stats[3];
	uint64_t count[3];
	for (unsigned i = 0; i < CALLS; i++) {
		void *held = malloc(100);
		EXPECT(poolmem_collect((int)(i % 3)) >= 0 || errno == EAGAIN);
		EXPECT(!poolmem_get_stats(stats) || errno == EAGAIN);
		EXPECT(!poolmem_get_count(count) || errno == EAGAIN);
		if (i % 64 == 0)
			EXPECT(poolmem_freeze() >= 0 || errno == EAGAIN);
		if (i % 64 == 32)
			EXPECT(!poolmem_unfreeze() || errno == EAGAIN);
		free(held);
	}
	return unused;
}

/* All at once; and whatever blocks froze while others freed them, it is forgotten when nothing is frozen any more. */
static void test_threads(void)
{
	pthread_t thread[4];
	struct poolmem_stats stats[3];
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, call_all, NULL);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQUAL(poolmem_unfreeze(), 0);
	EXPECT_EQUAL(poolmem_get_freeze_count(), 0);
	EXPECT(poolmem_collect(2) >= 0);
	get_stats(stats);
	EXPECT_EQUAL(stats[0].live + stats[1].live, 0);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (argc < 2) {
		without_library();
		return failed;
	}
	setenv("SEGMENTS", argv[1], 1);
	EXPECT_EQUAL(poolmem_disable(), 0);
	slot = own_slot(own_segment(argv[1]));
	test_thresholds();
	test_collect();
	test_freeze();
	test_marks();
	test_enable();
	test_threads();
	return failed;
}
