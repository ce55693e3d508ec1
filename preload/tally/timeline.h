/* SPDX-License-Identifier: MIT */
/*
 * timeline.h: how much was live when, in bounded room.
 *
 * It goes by stretches, which end after so much time or so many allocations, and keeps of each the moment when most was
 * live.  When the room is full stretches become longer, and moments are merged: of several the one that stays is again
 * the one when most was live, so that the peak never goes.  What is published and in which order: struct pm_timeline.
 */
#ifndef TALLY_TIMELINE_H
#define TALLY_TIMELINE_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* How long a stretch is: what is reached first. */
struct timeline_stretch {
	uint64_t ns, allocations;
};

/* The writer's; all zero but `stretch` and `to` at first.  What stands in the segment is not read for control. */
struct timeline {
	struct pm_timeline *to;
	struct timeline_stretch stretch;
	struct pm_moment began;      /* the stretch that has not ended */
	uint64_t highest, latest_ns; /* of its open moment: live bytes and when it was */
	uint64_t state;              /* as published; 0: nothing is */
};

/* Whether a moment begins another stretch; one that seems to be before this one, by another clock, does not. */
static inline bool timeline_is_due(const struct timeline *timeline, uint64_t at_ns,
				   uint64_t allocations)
{
	return (int64_t)(at_ns - timeline->began.at_ns) >= (int64_t)timeline->stretch.ns ||
	       allocations - timeline->began.allocations >= timeline->stretch.allocations;
}

/* Bytes of the chunk that timeline_add() writes to may end there. */
size_t timeline_reach(const struct timeline *timeline);

/* Ends the stretch, and begins one with that moment. */
void timeline_add(struct timeline *timeline, const struct pm_moment *moment);

/* A moment of the stretch, after one was added: kept when it is higher than what is. */
void timeline_raise(struct timeline *timeline, const struct pm_moment *moment);

#pragma GCC visibility pop

#endif
