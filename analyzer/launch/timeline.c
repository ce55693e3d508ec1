/* SPDX-License-Identifier: MIT */
/* timeline.c: see timeline.h. */
#include "launch/timeline.h"

static struct timeline_point higher(struct timeline_point a, struct timeline_point b)
{
	return b.bytes > a.bytes ? b : a;
}

static void halve(struct timeline *timeline)
{
	for (size_t i = 0; i < TIMELINE_POINT_MAX / 2; i++)
		timeline->point[i] = higher(timeline->point[2 * i], timeline->point[2 * i + 1]);
	timeline->count = TIMELINE_POINT_MAX / 2;
	timeline->samples_per_point *= 2;
}

void timeline_add(struct timeline *timeline, uint64_t at_ms, uint64_t bytes)
{
	struct timeline_point sample = {.at_ms = at_ms, .bytes = bytes};

	if (timeline->samples_per_point == 0)
		timeline->samples_per_point = 1;
	if (timeline->count && timeline->samples_in_last < timeline->samples_per_point) {
		struct timeline_point *last = &timeline->point[timeline->count - 1];

		*last = higher(*last, sample);
		timeline->samples_in_last++;
		return;
	}
	if (timeline->count == TIMELINE_POINT_MAX)
		halve(timeline);
	timeline->point[timeline->count++] = sample;
	timeline->samples_in_last = 1;
}
