/* SPDX-License-Identifier: MIT */
/* timeline.c: see timeline.h. */
#include "study/timeline.h"

#include "model/saturate.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH_POINTS_MIN = 8, GROWTH_SLICES = 32, STEADY_SHARE = 100 };

static const uint64_t growth_ns_min = 5000000000;

bool time_axis_parse(const char *word, enum time_axis *ret)
{
	bool is_time = strcmp(word, "time") == 0;

	if (!is_time && strcmp(word, "allocs") != 0)
		return false;
	*ret = is_time ? AXIS_TIME : AXIS_ALLOCS;
	return true;
}

uint64_t instant_on(const struct instant *instant, enum time_axis axis)
{
	return axis == AXIS_TIME ? instant->ns : instant->allocations;
}

uint64_t heap_point_room(const struct heap_point *point)
{
	return excess(point->used_bytes, point->live_bytes);
}

const struct heap_point *over_time_at(const struct over_time *over_time, enum time_axis axis,
				      uint64_t place)
{
	size_t behind = PARTITION_POINT(0, over_time->count, middle,
					instant_on(&over_time->points[middle].at, axis) <= place);
	return behind ? &over_time->points[behind - 1] : NULL;
}

/* --- what the process noted ------------------------------------------------------------------------ */

static struct heap_point point_of(const struct pm_moment *moment, uint64_t began_ns)
{
	return (struct heap_point){
		.at = {sum(excess(moment->at_ns, began_ns), 0), moment->allocations},
		.live_bytes = moment->live_bytes,
		.used_bytes = moment->used_bytes,
		.kept_bytes = moment->kept_bytes,
		.committed_bytes = moment->committed_bytes,
	};
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of a process that was killed or runs, what came since its last slow call. */
static void add_end(struct over_time *over_time, uint64_t live_bytes)
{
	struct heap_point end = over_time->points[over_time->count - 1];

	if (end.at.allocations == over_time->end.allocations && end.live_bytes == live_bytes)
		return;
	end.at = over_time->end;
	end.live_bytes = live_bytes;
	end.used_bytes = larger(end.used_bytes, live_bytes);
	end.committed_bytes = larger(over_time->process->record.committed_bytes, end.used_bytes);
	over_time->points[over_time->count++] = end;
}

static void take_points(struct over_time *over_time, const struct metrics *metrics)
{
	const struct process *process = over_time->process;

	over_time->points = allocate(process->moment_count + 1, sizeof *over_time->points);
	for (size_t i = 0; i < process->moment_count; i++)
		over_time->points[i] = point_of(&process->moments[i], process->record.began_ns);
	over_time->count = process->moment_count;
	struct instant last = over_time->points[over_time->count - 1].at;
	over_time->end = (struct instant){
		larger(last.ns, process->elapsed_ns),
		larger(last.allocations, metric(metrics, METRIC_ALLOC_COUNT))};
	add_end(over_time, metric(metrics, METRIC_LIVE_BYTES));
	for (size_t i = 0; i < over_time->count; i++)
		if (over_time->points[i].live_bytes >
		    over_time->points[over_time->live_peak].live_bytes)
			over_time->live_peak = i;
}

static struct mark_point mark_of(const struct process *process, const struct pm_mark *mark)
{
	uint64_t live = sum(process->record.inherited_bytes, mark->allocated_bytes);

	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		live = excess(live, mark->freed_bytes[age]);
	return (struct mark_point){
		.at = {sum(excess(mark->at_ns, process->record.began_ns), 0),
		       sum(mark->allocated, 0)},
		.live_bytes = live,
		.name = mark->name,
	};
}

static void take_marks(struct over_time *over_time)
{
	const struct process *process = over_time->process;

	over_time->marks = allocate(process->mark_count, sizeof *over_time->marks);
	for (size_t i = 0; i < process->mark_count; i++)
		over_time->marks[i] = mark_of(process, &process->marks[i]);
	over_time->mark_count = process->mark_count;
	over_time->marks_lost = process->marks_made > process->mark_count
					? process->marks_made - (uint32_t)process->mark_count
					: 0;
}

/* --- what was seen from outside -------------------------------------------------------------------- */

/* CLOCK_MONOTONIC when the run began.  false: not known. */
static bool run_began(const struct outside *outside, const struct process *process, uint64_t *ret)
{
	const struct pm_process *record = &process->record;

	if (outside->began_ns.is_known) {
		*ret = (uint64_t)outside->began_ns.value;
		return true;
	}
	if (!outside->began_real_ns.is_known || !record->began_real_ns)
		return false;
	*ret = record->began_ns + (uint64_t)outside->began_real_ns.value - record->began_real_ns;
	return true;
}

static uint64_t allocations_at(const struct over_time *over_time, uint64_t ns)
{
	const struct heap_point *point = over_time_at(over_time, AXIS_TIME, ns);
	return point ? point->at.allocations : 0;
}

/* Of samples before the process began and after it ended nothing is of it. */
static bool rss_point_of(const struct over_time *over_time, const struct outside_rss *sample,
			 uint64_t run_began_ns, struct rss_point *ret)
{
	uint64_t at_ns = run_began_ns + sample->at_ns;
	uint64_t ns = at_ns - over_time->process->record.began_ns;

	if (at_ns < over_time->process->record.began_ns || ns > over_time->end.ns)
		return false;
	*ret = (struct rss_point){{ns, allocations_at(over_time, ns)}, sum(sample->bytes, 0)};
	return true;
}

static size_t nearest(const struct over_time *over_time, uint64_t ns)
{
	const struct heap_point *before = over_time_at(over_time, AXIS_TIME, ns);
	size_t next = before ? (size_t)(before - over_time->points) + 1 : 0;

	if (next == over_time->count)
		return next - 1;
	if (before && ns - before->at.ns <= over_time->points[next].at.ns - ns)
		return next - 1;
	return next;
}

static void take_rss(const struct recording *recording, struct over_time *over_time)
{
	const struct outside *outside = &recording->outside;
	uint64_t began_ns;

	if (!outside->rss_count || !run_began(outside, over_time->process, &began_ns))
		return;
	over_time->rss = allocate(outside->rss_count, sizeof *over_time->rss);
	for (size_t i = 0; i < outside->rss_count; i++) {
		struct rss_point *point = &over_time->rss[over_time->rss_count];
		if (!rss_point_of(over_time, &outside->rss[i], began_ns, point))
			continue;
		if (point->bytes > over_time->rss[over_time->rss_peak].bytes)
			over_time->rss_peak = over_time->rss_count;
		over_time->rss_count++;
	}
	if (over_time->rss_count)
		over_time->at_rss_peak = nearest(over_time,
						 over_time->rss[over_time->rss_peak].at.ns);
	over_time->rss_is_of_tree = recording->outside.process_count > 1;
}

/* --- in slices ---------------------------------------------------------------------------------------- */

/* Of place p slice i = p * count / (end + 1): begins at the first p of which that is so. */
static uint64_t slice_begin(uint64_t end, size_t index, size_t count)
{
	__uint128_t whole = (__uint128_t)end + 1;
	return (uint64_t)((whole * index + count - 1) / count);
}

size_t over_time_slice_of(const struct over_time *over_time, enum time_axis axis, uint64_t place,
			  size_t count)
{
	uint64_t end = instant_on(&over_time->end, axis);
	size_t index = (size_t)((__uint128_t)place * count / ((__uint128_t)end + 1));
	return index < count ? index : count - 1;
}

static const struct rss_point *rss_in(const struct over_time *over_time, enum time_axis axis,
				      const struct time_slice *slice)
{
	const struct rss_point *best = NULL;

	for (size_t i = 0; i < over_time->rss_count; i++) {
		const struct rss_point *point = &over_time->rss[i];
		uint64_t place = instant_on(&point->at, axis);
		if (place >= slice->to)
			break;
		if (!best || place < slice->from || point->bytes > best->bytes)
			best = point;
	}
	return best;
}

struct time_slice over_time_slice(const struct over_time *over_time, enum time_axis axis,
				  size_t index, size_t count)
{
	uint64_t end = instant_on(&over_time->end, axis);
	struct time_slice slice = {slice_begin(end, index, count),
				   slice_begin(end, index + 1, count), NULL, NULL};
	const struct heap_point *behind = over_time->points + over_time->count;
	const struct heap_point *point = over_time_at(over_time, axis, slice.from);

	slice.heap = point;
	for (point = point ? point + 1 : over_time->points;
	     point < behind && instant_on(&point->at, axis) < slice.to; point++)
		if (!slice.heap || instant_on(&slice.heap->at, axis) < slice.from ||
		    point->live_bytes > slice.heap->live_bytes)
			slice.heap = point;
	slice.rss = rss_in(over_time, axis, &slice);
	return slice;
}

uint64_t over_time_highest(const struct over_time *over_time)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < over_time->count; i++) {
		const struct heap_point *point = &over_time->points[i];
		uint64_t of_point = sum(point->used_bytes, point->kept_bytes);
		if (of_point < point->committed_bytes)
			of_point = point->committed_bytes;
		if (of_point < point->live_bytes)
			of_point = point->live_bytes;
		highest = of_point > highest ? of_point : highest;
	}
	for (size_t i = 0; i < over_time->rss_count; i++)
		if (over_time->rss[i].bytes > highest)
			highest = over_time->rss[i].bytes;
	return highest;
}

/* --- growth -------------------------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Between each two, per step; a few that are far off, as at the end when all is freed, do not move the median. */
static double median_slope(const double values[GROWTH_SLICES])
{
	double slopes[GROWTH_SLICES * (GROWTH_SLICES - 1) / 2];
	size_t count = 0;

	for (size_t i = 0; i < GROWTH_SLICES; i++)
		for (size_t j = i + 1; j < GROWTH_SLICES; j++)
			slopes[count++] = (values[j] - values[i]) / (double)(j - i);
	qsort(slopes, count, sizeof *slopes, by_value);
	return (slopes[(count - 1) / 2] + slopes[count / 2]) / 2;
}

/* Slices of the later half, so that each part of it counts alike, however many points are in it. */
static struct slope slope_on(const struct over_time *over_time, enum time_axis axis)
{
	uint64_t end = instant_on(&over_time->end, axis);
	double values[GROWTH_SLICES], units = (double)end / (2 * GROWTH_SLICES);
	struct slope slope = {.is_known = false};

	if (over_time->count < GROWTH_POINTS_MIN ||
	    end < (axis == AXIS_TIME ? growth_ns_min : 2 * GROWTH_SLICES))
		return slope;
	for (size_t i = 0; i < GROWTH_SLICES; i++) {
		struct time_slice slice = over_time_slice(over_time, axis, GROWTH_SLICES + i,
							  2 * GROWTH_SLICES);
		values[i] = slice.heap ? (double)slice.heap->live_bytes : 0;
	}
	double per_slice = median_slope(values);
	slope.is_known = true;
	slope.per_unit = per_slice / (axis == AXIS_TIME ? units / 1e9 : units);
	slope.is_steady = fabs(per_slice) * GROWTH_SLICES * STEADY_SHARE <
			  (double)over_time->points[over_time->live_peak].live_bytes;
	return slope;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

void over_time_of(const struct recording *recording, const struct process *process,
		  const struct metrics *metrics, struct over_time *ret)
{
	struct over_time over_time = {.process = process};

	*ret = (struct over_time){.process = NULL};
	if (!process || !process->moment_count)
		return;
	take_points(&over_time, metrics);
	take_marks(&over_time);
	take_rss(recording, &over_time);
	over_time.live_most = metric(metrics, METRIC_LIVE_PEAK);
	over_time.live_bound = metrics->bound[METRIC_LIVE_PEAK];
	over_time.by_time = slope_on(&over_time, AXIS_TIME);
	over_time.by_allocations = slope_on(&over_time, AXIS_ALLOCS);
	*ret = over_time;
}

void over_time_free(struct over_time *over_time)
{
	free(over_time->points);
	free(over_time->rss);
	free(over_time->marks);
}

bool over_time_peak(const struct process *process, const struct metrics *metrics,
		    struct instant *ret)
{
	for (size_t i = 0; i < process->moment_count; i++)
		if (process->moments[i].live_bytes == metric(metrics, METRIC_LIVE_PEAK)) {
			*ret = point_of(&process->moments[i], process->record.began_ns).at;
			return true;
		}
	return false;
}
