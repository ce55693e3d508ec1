/* SPDX-License-Identifier: MIT */
/* timeline_json.c: a process over time, for machines. */
#include "render/json.h"
#include "render/timeline.h"

static void put_instant(json_t *object, const struct instant *at)
{
	json_put(object, "at_ns", json_count(at->ns));
	json_put(object, "allocations", json_count(at->allocations));
}

static json_t *heap_json(const struct heap_point *point)
{
	json_t *object = json_object();

	put_instant(object, &point->at);
	json_put(object, "live_bytes", json_count(point->live_bytes));
	json_put(object, "used_bytes", json_count(point->used_bytes));
	json_put(object, "room_bytes", json_count(heap_point_room(point)));
	json_put(object, "kept_bytes", json_count(point->kept_bytes));
	json_put(object, "committed_bytes", json_count(point->committed_bytes));
	return object;
}

static json_t *rss_json(const struct rss_point *point)
{
	json_t *object = json_object();

	put_instant(object, &point->at);
	json_put(object, "rss_bytes", json_count(point->bytes));
	return object;
}

static json_t *mark_json(const struct mark_point *mark)
{
	json_t *object = json_object();

	json_put(object, "name", json_text(mark->name));
	put_instant(object, &mark->at);
	json_put(object, "live_bytes", json_count(mark->live_bytes));
	return object;
}

static json_t *peak_json(const struct over_time *over_time)
{
	json_t *object = json_object(), *rss = json_null();

	if (over_time->rss_count) {
		rss = rss_json(&over_time->rss[over_time->rss_peak]);
		json_put(rss, "heap", heap_json(&over_time->points[over_time->at_rss_peak]));
	}
	json_put(object, "live", heap_json(&over_time->points[over_time->live_peak]));
	json_put(object, "rss", rss);
	return object;
}

static json_t *rate_json(const struct slope *growth)
{
	return growth->is_known ? json_real(growth->per_unit) : json_null();
}

static json_t *growth_json(const struct over_time *over_time)
{
	json_t *object = json_object();

	json_put(object, "bytes_per_second", rate_json(&over_time->by_time));
	json_put(object, "bytes_per_allocation", rate_json(&over_time->by_allocations));
	return object;
}

json_t *timeline_json(const struct over_time *over_time)
{
	if (!over_time->count)
		return json_null();
	json_t *object = json_object(), *points = json_array(), *rss = json_array();
	json_t *marks = json_array(), *end = json_object();

	for (size_t i = 0; i < over_time->count; i++)
		json_array_append_new(points, heap_json(&over_time->points[i]));
	for (size_t i = 0; i < over_time->rss_count; i++)
		json_array_append_new(rss, rss_json(&over_time->rss[i]));
	for (size_t i = 0; i < over_time->mark_count; i++)
		json_array_append_new(marks, mark_json(&over_time->marks[i]));
	put_instant(end, &over_time->end);
	json_put(object, "pid", json_count(over_time->process->record.pid));
	json_put(object, "end", end);
	json_put(object, "points", points);
	json_put(object, "rss", rss);
	json_put(object, "rss_is_of_tree", json_boolean(over_time->rss_is_of_tree));
	json_put(object, "marks", marks);
	json_put(object, "marks_lost", json_count(over_time->marks_lost));
	json_put(object, "peak", peak_json(over_time));
	json_put(object, "growth", growth_json(over_time));
	return object;
}
