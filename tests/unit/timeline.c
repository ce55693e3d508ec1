/* SPDX-License-Identifier: MIT */
/*
 * The timeline's writer against what it must leave, and against a reader that looks after each single instruction, which
 * is what is found of a process that was killed there.
 */
#define _GNU_SOURCE 1
#include "tally/timeline.h"
#include "fault/step.h"
#include "source/chunk.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENTS_MAX = 2 * PM_MOMENT_ROOM, FIRST_NS = 1000000, FIRST_ALLOCATIONS = 512 };

static union {
	struct pm_timeline timeline;
	unsigned char bytes[PM_CHUNK_BYTES];
} chunk;

struct view {
	uint32_t count;
	struct pm_moment list[MOMENTS_MAX];
};

static void read_view(struct view *ret)
{
	ret->count = chunk_moments(chunk.bytes);
	for (uint32_t i = 0; i < ret->count; i++)
		ret->list[i] = chunk_moment(chunk.bytes, i);
}

static bool is_same(const struct view *a, const struct view *b)
{
	return a->count == b->count && !memcmp(a->list, b->list, a->count * sizeof a->list[0]);
}

static struct timeline begin(uint64_t ns, uint64_t allocations)
{
	memset(&chunk, 0, sizeof chunk);
	chunk.timeline.moment_stride = sizeof(struct pm_moment);
	chunk.timeline.room = PM_MOMENT_ROOM;
	return (struct timeline){.to = &chunk.timeline, .stretch = {ns, allocations}};
}

/* What life/timeline.c does with a moment. */
static void note(struct timeline *timeline, const struct pm_moment *moment)
{
	if (!timeline->state || timeline_is_due(timeline, moment->at_ns, moment->allocations))
		timeline_add(timeline, moment);
	else
		timeline_raise(timeline, moment);
}

/* The other figures follow from one, so that halves of two moments are told. */
static struct pm_moment moment_of(uint64_t at_ns, uint64_t allocations, uint64_t live)
{
	return (struct pm_moment){at_ns, allocations, live, live * 2, live * 3, live * 5};
}

static bool is_whole(const struct pm_moment *moment)
{
	struct pm_moment again = moment_of(moment->at_ns, moment->allocations, moment->live_bytes);
	return !memcmp(moment, &again, sizeof again);
}

/* --- what stays --------------------------------------------------------------------------------------- */

struct program {
	const char *name;
	unsigned steps, ns_most, allocations_most;
	unsigned idle_every, idle_ns; /* a step in so many takes so much longer */
	unsigned burst_every, burst;  /* or allocates so much more */
};

static const struct program programs[] = {
	{"short", 40, 1000, 300, 0, 0, 0, 0},
	{"steady", 100000, 100000, 300, 0, 0, 0, 0},
	{"time stands still", 50000, 0, 1000, 0, 0, 0, 0},
	{"allocates nothing", 50000, 10000000, 0, 0, 0, 0, 0},
	{"mostly idle", 100000, 1000, 300, 5000, 2000000000, 0, 0},
	{"bursts", 100000, 100000, 3, 0, 0, 1000, 10000000},
};

struct span {
	uint64_t ns, allocations, highest, gap_ns, gap_allocations;
	struct pm_moment peak;
};

/* No gap between neighbours, on either axis, is longer than one step and a tenth of all, or the first stretches. */
static void expect_density(const struct program *program, const struct view *view,
			   const struct span *span)
{
	uint64_t ns_most = span->gap_ns + span->ns / 10 + 2 * FIRST_NS;
	uint64_t allocations_most = span->gap_allocations + span->allocations / 10 +
				    2 * FIRST_ALLOCATIONS;
	for (uint32_t i = 1; i < view->count; i++) {
		const struct pm_moment *a = &view->list[i - 1], *b = &view->list[i];
		cr_assert(b->at_ns - a->at_ns <= ns_most &&
				  b->allocations - a->allocations <= allocations_most,
			  "%s: gap before %u", program->name, i);
	}
}

static void expect_kept(const struct program *program, const struct view *view,
			const struct span *span)
{
	bool has_peak = false;
	for (uint32_t i = 0; i < view->count; i++) {
		const struct pm_moment *moment = &view->list[i];
		cr_assert(is_whole(moment), "%s: %u is of two", program->name, i);
		cr_assert(moment->live_bytes <= span->highest);
		cr_assert(!i || moment->at_ns >= view->list[i - 1].at_ns);
		cr_assert(!i || moment->allocations >= view->list[i - 1].allocations);
		has_peak |= !memcmp(moment, &span->peak, sizeof span->peak);
	}
	cr_assert(has_peak, "%s: the peak is gone", program->name);
}

static struct pm_moment next_moment(const struct program *program, struct pm_moment now,
				    unsigned step, struct span *span)
{
	uint64_t ns = program->ns_most ? (uint64_t)rand() % program->ns_most : 0;
	uint64_t allocations = program->allocations_most
				       ? (uint64_t)rand() % program->allocations_most
				       : 0;
	uint64_t live = (uint64_t)rand() % 1000 + (step % 7777 == 7000 ? step : 0);
	if (program->idle_every && step % program->idle_every == 1)
		ns += program->idle_ns;
	if (program->burst_every && step % program->burst_every == 1)
		allocations += program->burst;
	span->gap_ns = ns > span->gap_ns ? ns : span->gap_ns;
	span->gap_allocations = allocations > span->gap_allocations ? allocations
								    : span->gap_allocations;
	span->ns += ns;
	span->allocations += allocations;
	return moment_of(now.at_ns + ns, now.allocations + allocations, live + 1);
}

static void run(const struct program *program, unsigned seed)
{
	struct timeline timeline = begin(FIRST_NS, FIRST_ALLOCATIONS);
	struct pm_moment now = moment_of(1000000000, 0, 0);
	struct span span = {.highest = 0};
	struct view view;
	srand(seed);
	for (unsigned step = 0; step < program->steps; step++) {
		now = next_moment(program, now, step, &span);
		if (now.live_bytes > span.highest) {
			span.highest = now.live_bytes;
			span.peak = now;
		}
		note(&timeline, &now);
	}
	timeline_add(&timeline, &now);
	read_view(&view);
	cr_assert(view.count <= PM_MOMENT_ROOM + 1);
	cr_assert(program->steps < 1000 || view.count > PM_MOMENT_ROOM / 4, "%s: %u moments",
		  program->name, view.count);
	expect_kept(program, &view, &span);
	expect_density(program, &view, &span);
	cr_assert(!memcmp(&view.list[view.count - 1], &now, sizeof now), "%s: the end",
		  program->name);
}

Test(timeline, what_stays)
{
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		for (unsigned seed = 1; seed <= 3; seed++)
			run(&programs[i], seed);
}

/* A moment by a clock that lags behind the one that began the stretch is not due for that. */
Test(timeline, a_clock_that_lags)
{
	struct timeline timeline = begin(1000, 1000);
	struct pm_moment first = moment_of(5000000, 10, 7);
	timeline_add(&timeline, &first);
	cr_assert_not(timeline_is_due(&timeline, 1000000, 10));
	cr_assert(timeline_is_due(&timeline, 5001000, 10));
	cr_assert(timeline_is_due(&timeline, 1000000, 1010));
}

/* Whatever another process writes there, no more than the chunk is written to. */
Test(timeline, rubbish_in_the_segment)
{
	struct timeline timeline = begin(1, 1);
	srand(1);
	for (uint64_t n = 1; n < 3000; n++) {
		struct pm_moment moment = moment_of(n * 1000, n * 1000, n);
		if (n % 50 == 0)
			for (size_t i = 0; i < sizeof chunk.timeline.half / 8; i++)
				((uint64_t *)chunk.timeline.half)[i] = n % 100 ? (uint64_t)rand()
											 << 33
									       : -(uint64_t)i;
		note(&timeline, &moment);
		cr_assert_leq(chunk_moments(chunk.bytes), PM_MOMENT_ROOM + 1);
		cr_assert_eq((uintptr_t)timeline.to, (uintptr_t)&chunk.timeline);
	}
	for (size_t i = sizeof(struct pm_timeline); i < sizeof chunk; i++)
		cr_assert_eq(chunk.bytes[i], 0);
}

/* --- killed anywhere ----------------------------------------------------------------------------------- */

static struct view before, after, seen;
static volatile unsigned traps, torn;

static void look(int signal)
{
	(void)signal;
	traps++;
	read_view(&seen);
	torn += !is_same(&seen, &before) && !is_same(&seen, &after);
}

/* The same call twice from the same state: first as it is, for what comes of it, then instruction by instruction. */
static void note_watched(struct timeline *timeline, const struct pm_moment *moment)
{
	struct timeline copy = *timeline;
	static unsigned char saved[PM_CHUNK_BYTES];
	memcpy(saved, &chunk, sizeof chunk);
	read_view(&before);
	note(&copy, moment);
	read_view(&after);
	memcpy(&chunk, saved, sizeof chunk);
	step(1);
	note(timeline, moment);
	step(0);
	read_view(&seen);
	cr_assert(is_same(&seen, &after));
	cr_assert_eq(torn, 0, "after %u instructions", traps);
}

#if defined(__x86_64__)
Test(timeline, killed_anywhere)
{
	struct timeline timeline = begin(1000, 1000);
	struct pm_moment now = moment_of(1000000, 0, 0);
	unsigned additions = 0, thinnings = 0;
	signal(SIGTRAP, look);
	srand(2);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t state = timeline.state;
		now = moment_of(now.at_ns + (uint64_t)rand() % 800,
				now.allocations + (uint64_t)rand() % 800, (uint64_t)rand() % 1000);
		note_watched(&timeline, &now);
		additions += (state & 0xffff) != (timeline.state & 0xffff);
		thinnings += ((state ^ timeline.state) & 0x10000) != 0;
	}
	cr_assert_gt(additions, 200);
	cr_assert_gt(thinnings, 1);
	cr_assert_gt(traps, 20000);
}
#endif
