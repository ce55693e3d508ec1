/* SPDX-License-Identifier: MIT */
/*
 * timeline.h: a process over time, or over its allocations: what was live, in use, mapped and resident, when it was
 * most, and whether it grows.
 *
 * Figures of the heap come from the process itself, as of its slow calls: each point is the moment when most was live
 * since the one before.  The last one is its end, or now: where it noted none, what is live comes from its counts, and the
 * rest is as it was last.  What is resident comes from `poolmem run`, which looks from outside.
 */
#ifndef POOLMEM_STUDY_TIMELINE_H
#define POOLMEM_STUDY_TIMELINE_H

#include "model/recording.h"
#include "study/metrics.h"

enum time_axis { AXIS_TIME, AXIS_ALLOCS };

/* "time", "allocs".  false: neither. */
bool time_axis_parse(const char *word, enum time_axis *ret);

/* A place on both axes. */
struct instant {
	uint64_t ns; /* since the process began */
	uint64_t allocations;
};

uint64_t instant_on(const struct instant *instant, enum time_axis axis);

struct heap_point {
	struct instant at;
	uint64_t live_bytes; /* usable ones */
	uint64_t used_bytes; /* of pools and large blocks, pages inside that went back not counted */
	uint64_t kept_bytes; /* free beside these, and not given back */
	uint64_t committed_bytes;
};

/* Of pools and large blocks what is not live: free blocks, and what no block ever touched, which is not resident. */
uint64_t heap_point_room(const struct heap_point *point);

struct rss_point {
	struct instant at; /* allocations: of the heap's point before */
	uint64_t bytes;
};

struct mark_point {
	struct instant at;
	uint64_t live_bytes;
	const char *name; /* bytes of unknown origin */
};

/*
 * How fast the most that is live rises over the later half of the axis: the median of the slopes between its slices.  By
 * time nothing is said of a process that lasted less than five seconds: what it does in the next is not told by them.
 */
struct slope {
	bool is_known;   /* else there are too few points, or it was too short */
	bool is_steady;  /* over all of that half it is less than a hundredth of the peak */
	double per_unit; /* bytes per second, or per allocation */
};

struct over_time {
	const struct process *process; /* NULL: none has noted anything */
	struct heap_point *points;
	struct rss_point *rss; /* empty: not known */
	struct mark_point *marks;
	size_t count, rss_count, mark_count;
	uint32_t marks_lost; /* made when there was no room */
	bool rss_is_of_tree; /* of several processes together */
	struct instant end;  /* of the process, or the last that is known of it */
	size_t live_peak;    /* index of a point; of no meaning when there are none */
	uint64_t live_most;  /* the same in bytes, as the process's METRIC_LIVE_PEAK has it */
	struct metric_bound live_bound;
	size_t rss_peak;    /* of an rss point, likewise */
	size_t at_rss_peak; /* the point that is nearest to it in time */
	struct slope by_time, by_allocations;
};

/* metrics: of the process.  The recording must stay. */
void over_time_of(const struct recording *recording, const struct process *process,
		  const struct metrics *metrics, struct over_time *ret);
void over_time_free(struct over_time *over_time);

/* When its peak of live bytes was, as its metrics have it.  false: it has not noted that. */
bool over_time_peak(const struct process *process, const struct metrics *metrics,
		    struct instant *ret);

/* The point in force at that place on the axis; NULL: it is before the first. */
const struct heap_point *over_time_at(const struct over_time *over_time, enum time_axis axis,
				      uint64_t place);

/*
 * One of `count` equal parts of the axis: the point of the most live bytes there, or else the one in force where it begins;
 * the same of what is resident.  NULL: nothing is known.
 */
struct time_slice {
	uint64_t from, to; /* up to, not including */
	const struct heap_point *heap;
	const struct rss_point *rss;
};

struct time_slice over_time_slice(const struct over_time *over_time, enum time_axis axis,
				  size_t index, size_t count);

/* The slice that a place is in. */
size_t over_time_slice_of(const struct over_time *over_time, enum time_axis axis, uint64_t place,
			  size_t count);

/* The most bytes of any figure. */
uint64_t over_time_highest(const struct over_time *over_time);

#endif
