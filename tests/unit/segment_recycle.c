/* SPDX-License-Identifier: MIT */
/*
 * A process that is killed after each instruction of the recycling, in turn: no count is lost or doubled.
 *
 * A child does the recycling with the processor's trap flag set and dies at the trap that is asked for.
 * Another child then recycles on, as the next process of the tree would.
 */
#define _GNU_SOURCE 1
#include "fault/step.h"
#include "heap/class.h"
#include "segment/segment.h"
#include "tally/clock.h"
#include "unit/recording_helper.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>

/* More than recycling asks for, and enough dead ones for both turns. */
enum { AREAS = 70, ALLOCATIONS_EACH = 7, FREES_EACH = 5 };

static char directory[] = "/tmp/poolmem-recycle.XXXXXX";

/* A pid that was somebody's a moment ago. */
static uint32_t dead_pid(void)
{
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return (uint32_t)pid;
}

static void add_process(uint32_t number, uint32_t pid, uint32_t parent)
{
	struct pm_slot *slot = segment_chunk(number);
	slot->use = PM_SLOT_THREAD;
	slot->process.pid = pid;
	slot->process.parent = parent;
	slot->process.state = PM_STATE_RUNNING;
	slot->tally[3].limit[0] = ALLOCATIONS_EACH;
	slot->tally[3].freed[1] = FREES_EACH;
	slot->counter[PM_COUNTER_REALLOC] = 1;
	segment_commit(number, PM_CHUNK_SLOT);
}

static void create(uint32_t pid_of_the_dead)
{
	struct pm_class classes[CLASS_COUNT];
	struct pm_age ages[PM_AGE_COUNT];
	class_describe(classes);
	clock_describe(ages);
	struct segment_plan plan = {
		.directory = directory,
		.file_bytes = 4 << 20,
		.total_bytes = 1 << 30,
		.class_count = CLASS_COUNT,
		.classes = classes,
		.ages = ages,
		.hint = (void *)((uintptr_t)1 << 42), /* room to grow */
	};
	segment = (struct segment){.header = NULL};
	cr_assert(segment_create(&plan));
	segment.pid = (uint32_t)getpid();
	uint32_t leader = segment_add(0, 0, sizeof(struct pm_slot));
	add_process(leader, segment.pid, 0);
	for (unsigned i = 1; i < AREAS; i++)
		add_process(segment_add(0, 0, sizeof(struct pm_slot)), pid_of_the_dead, leader);
	segment.header->ready = PM_READY;
}

static void destroy(void)
{
	char command[sizeof directory + 32];
	munmap(segment.header, (size_t)segment.mapped * PM_CHUNK_BYTES);
	snprintf(command, sizeof command, "rm -f %s/*.pms", directory);
	cr_assert_eq(system(command), 0);
}

static volatile long traps_left;

static void die_at_last_trap(int signal)
{
	(void)signal;
	if (--traps_left == 0)
		kill(getpid(), SIGKILL);
}

/* True when it was killed and not through before. */
static bool recycle_killed_at(long instruction)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		signal(SIGTRAP, die_at_last_trap);
		segment.pid = (uint32_t)getpid();
		if (instruction % 2) /* else the slots DEPARTED are made under the trap */
			segment_claim_any();
		traps_left = instruction;
		step(1);
		segment_claim_any();
		step(0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void recycle_on(void)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		segment.pid = (uint32_t)getpid();
		segment_claim_any();
		segment_claim_any();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
}

static void expect_all_counts(long instruction, const char *when)
{
	struct recording recording;
	struct study study;
	struct query query;
	struct failure why = {FAILURE_NONE, ""};
	size_t bytes = (size_t)segment.header->chunks * PM_CHUNK_BYTES;
	cr_assert(segment_chunk(segment.header->chunks - 1)); /* mapped here, too */
	cr_assert(read_bytes(segment.header, bytes, &recording, &why), "%s", why.text);
	cr_assert(query_open(&query, NULL, NULL, &why));
	study_make(&recording, &query, &study);
	const struct metrics *total = &study.total.metrics;
	cr_assert_eq(metric(total, METRIC_ALLOC_COUNT), AREAS * ALLOCATIONS_EACH,
		     "%s, killed at %ld: %lu", when, instruction,
		     (unsigned long)metric(total, METRIC_ALLOC_COUNT));
	cr_assert_eq(metric(total, METRIC_FREE_COUNT), AREAS * FREES_EACH, "%s, killed at %ld",
		     when, instruction);
	cr_assert_eq(metric(total, METRIC_REALLOC_COUNT), AREAS, "%s, killed at %ld", when,
		     instruction);
	study_free(&study);
	query_close(&query);
	recording_free(&recording);
}

Test(recycle, killed_anywhere)
{
	const char *level = getenv("POOLMEM_LEVEL");
	long stride = level && !strcmp(level, "soak") ? 53 : 1501, instruction = 1;
	bool killed = true;
	cr_assert(mkdtemp(directory));
	uint32_t pid = dead_pid();
	for (; killed; instruction += stride) {
		create(pid);
		killed = recycle_killed_at(instruction);
		expect_all_counts(instruction, "left so");
		recycle_on();
		expect_all_counts(instruction, "and recycled on");
		destroy();
	}
	cr_assert_gt(instruction, 10 * stride);
	rmdir(directory);
}

/* A process of another pid namespace knows nothing of who lives. */
Test(recycle, not_by_a_stranger_to_the_pids)
{
	cr_assert(mkdtemp(directory));
	create(dead_pid());
	uint32_t before = segment.header->chunks;
	segment.pid = 0;
	cr_assert_eq(segment_claim_any(), before);
	segment.pid = (uint32_t)getpid();
	cr_assert_lt(segment_claim_any(), before);
	destroy();
	rmdir(directory);
}

/* What it had noted of itself is not the next one's, and what is present of its chunk is still known. */
Test(recycle, an_emptied_timeline)
{
	cr_assert(mkdtemp(directory));
	create(dead_pid());
	for (uint32_t n = segment.header->leader + 1; n < AREAS / 2; n++) {
		struct pm_timeline *timeline = segment_timeline(n);
		cr_assert(segment_timeline_present(timeline, sizeof *timeline));
		memset(timeline->open, 1, sizeof *timeline - offsetof(struct pm_timeline, open));
		timeline->state = 1;
	}
	uint32_t chunks = segment.header->chunks, claimed = segment_claim_any();
	cr_assert_lt(claimed, AREAS / 2);
	for (uint32_t n = 1; n < chunks; n++) {
		const struct pm_timeline *timeline = segment_chunk(n);
		const unsigned char *bytes = (const void *)timeline;
		if (timeline->chunk.kind != PM_CHUNK_TIMELINE || timeline->chunk.process != claimed)
			continue;
		cr_assert_geq(timeline->chunk.used_bytes, sizeof *timeline);
		for (size_t i = sizeof timeline->chunk; i < sizeof *timeline; i++)
			cr_assert_eq(bytes[i], 0);
		cr_assert_eq((uintptr_t)segment_timeline(claimed), (uintptr_t)timeline);
		claimed = 0;
	}
	cr_assert_eq(claimed, 0, "it has one");
	destroy();
	rmdir(directory);
}

/* Forked between the call that grows the mapping and the note of it. */
Test(grow, a_child_that_does_not_know_how_much_is_mapped)
{
	cr_assert(mkdtemp(directory));
	create(1);
	uint32_t known = segment.mapped, chunks = segment.header->chunks;
	while (segment.mapped == known)
		cr_assert_neq(segment_add(0, 0, 64), 0);
	segment.mapped = known;
	segment.header->chunks = chunks;
	cr_assert_not_null(segment_chunk(known + 1));
	cr_assert_not(segment.full);
	*(volatile char *)segment_chunk(known + 1) = 0;
	destroy();
	rmdir(directory);
}
