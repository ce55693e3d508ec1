/* SPDX-License-Identifier: MIT */
/*
 * timeline.h: a figure over time in bounded room.  When the room is full, neighbours are merged two by
 * two into the higher one, and from then on each point stands for twice as many samples: peaks stay.
 */
#ifndef POOLMEM_LAUNCH_TIMELINE_H
#define POOLMEM_LAUNCH_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

enum { TIMELINE_POINT_MAX = 4096 };

struct timeline_point {
	uint64_t at_ms, bytes;
};

struct timeline {
	size_t count;
	uint32_t samples_per_point; /* 0 reads as 1 */
	uint32_t samples_in_last;
	struct timeline_point point[TIMELINE_POINT_MAX];
};

void timeline_add(struct timeline *timeline, uint64_t at_ms, uint64_t bytes);

#endif
