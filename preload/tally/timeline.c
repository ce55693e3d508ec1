/* SPDX-License-Identifier: MIT */
/* timeline.c: see timeline.h. */
#include "tally/timeline.h"

enum {
	HALF = 1 << 16,
	OPEN = 1 << 17,
	COUNT = HALF - 1,
	DOUBLINGS = 8, /* more than it takes, unless another has written to the segment */
};

static const uint64_t CHANGE = UINT64_C(1) << 32;

static unsigned count_in(uint64_t state)
{
	return (unsigned)(state & COUNT);
}

static struct pm_moment *half_in(struct pm_timeline *to, uint64_t state)
{
	return to->half[(state & HALF) != 0];
}

static struct pm_moment *open_in(struct pm_timeline *to, uint64_t state)
{
	return &to->open[(state & OPEN) != 0];
}

static void publish(struct timeline *timeline, uint64_t state)
{
	timeline->state = state + CHANGE;
	__atomic_store_n(&timeline->to->state, timeline->state, __ATOMIC_RELEASE);
}

static bool is_over(const struct timeline_stretch *stretch, const struct pm_moment *began,
		    const struct pm_moment *now)
{
	return now->at_ns - began->at_ns >= stretch->ns ||
	       now->allocations - began->allocations >= stretch->allocations;
}

/* How many moments stay of these by stretches of that length; copied in order to `to`, unless that is NULL. */
static unsigned merge(const struct pm_moment *from, unsigned count,
		      const struct timeline_stretch *stretch, struct pm_moment *to)
{
	const struct pm_moment *began = NULL;
	uint64_t highest = 0;
	unsigned kept = 0;
	for (unsigned i = 0; i < count; i++) {
		bool begins = !began || is_over(stretch, began, &from[i]);
		if (begins) {
			began = &from[i];
			kept++;
		}
		if (!begins && from[i].live_bytes <= highest)
			continue;
		highest = from[i].live_bytes;
		if (to)
			to[kept - 1] = from[i];
	}
	return kept;
}

static uint64_t longer(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

/*
 * A share of all that passed, of time and of allocations alike: half as many stretches of either as there is room.
 * Where the two do not go together that may be as many as now.
 */
static struct timeline_stretch choose_stretch(const struct pm_moment *from, unsigned count)
{
	const struct pm_moment *last = &from[count - 1];
	struct timeline_stretch stretch = {2 * (last->at_ns - from->at_ns) / count + 1,
					   2 * (last->allocations - from->allocations) / count + 1};
	for (unsigned i = 0; i < DOUBLINGS && merge(from, count, &stretch, NULL) > count / 4 * 3;
	     i++) {
		stretch.ns *= 2;
		stretch.allocations *= 2;
	}
	return stretch;
}

/* Into the half that is not in force; returns the state by which it will be. */
static uint64_t thin(struct timeline *timeline)
{
	uint64_t state = timeline->state;
	const struct pm_moment *from = half_in(timeline->to, state);
	struct timeline_stretch stretch = choose_stretch(from, count_in(state));
	unsigned kept = merge(from, count_in(state), &stretch, half_in(timeline->to, state ^ HALF));
	timeline->stretch.ns = longer(timeline->stretch.ns, stretch.ns);
	timeline->stretch.allocations = longer(timeline->stretch.allocations, stretch.allocations);
	if (kept == PM_MOMENT_ROOM)
		kept--;
	return ((state ^ HALF) & ~(uint64_t)COUNT) | kept;
}

size_t timeline_reach(const struct timeline *timeline)
{
	unsigned count = count_in(timeline->state);
	if (count == PM_MOMENT_ROOM || timeline->state & HALF)
		return sizeof(struct pm_timeline);
	return offsetof(struct pm_timeline, half) + (count + 1) * sizeof(struct pm_moment);
}

static void open_with(struct timeline *timeline, uint64_t state, const struct pm_moment *moment)
{
	*open_in(timeline->to, state ^ OPEN) = *moment;
	timeline->highest = moment->live_bytes;
	timeline->latest_ns = moment->at_ns;
	publish(timeline, state ^ OPEN);
}

void timeline_add(struct timeline *timeline, const struct pm_moment *moment)
{
	uint64_t state = timeline->state;
	timeline->began = *moment;
	if (!state) {
		open_with(timeline, 0, moment);
		return;
	}
	if (count_in(state) == PM_MOMENT_ROOM)
		state = thin(timeline);
	half_in(timeline->to, state)[count_in(state)] = *open_in(timeline->to, state);
	open_with(timeline, state + 1, moment);
}

void timeline_raise(struct timeline *timeline, const struct pm_moment *moment)
{
	if (moment->live_bytes > timeline->highest)
		open_with(timeline, timeline->state, moment);
}
