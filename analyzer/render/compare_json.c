/* SPDX-License-Identifier: MIT */
/* compare_json.c: one command under several allocators, for machines. */
#include "render/compare.h"
#include "render/json.h"

static const char *const states[] = {
	[COMPARE_DONE] = "done",
	[COMPARE_MISSING] = "missing",
	[COMPARE_FAILED] = "failed",
};
static const char *const sureness[] = {
	[COMPARE_UNSURE] = "no",
	[COMPARE_LIKELY] = "likely",
	[COMPARE_SURE] = "sure",
};

static json_t *known_count(uint64_t count)
{
	return count ? json_count(count) : json_null();
}

static json_t *figure_json(const struct compare_figure *figure, size_t runs)
{
	json_t *object = json_object(), *list = json_array();

	json_put(object, "median", json_count(figure->median));
	json_put(object, "least", json_count(figure->least));
	json_put(object, "most", json_count(figure->most));
	for (size_t i = 0; i < runs; i++)
		json_array_append_new(list, json_count(figure->run[i]));
	json_put(object, "runs", list);
	return object;
}

static json_t *ratio_json(uint64_t resident, uint64_t live)
{
	return resident && live ? json_real((double)resident / (double)live) : json_null();
}

static json_t *heap_json(const struct compare_heap *heap)
{
	if (!heap->is_known)
		return json_null();
	json_t *object = json_object();
	json_put(object, "alloc.count", json_count(heap->allocations));
	json_put(object, "live.peak", json_count(heap->live_peak));
	json_put(object, "resident_at_peak", known_count(heap->peak));
	json_put(object, "fragmentation_at_peak", ratio_json(heap->peak, heap->live_peak));
	json_put(object, "resident_at_end", known_count(heap->end));
	json_put(object, "live_at_end", known_count(heap->live_at_end));
	json_put(object, "fragmentation_at_end", ratio_json(heap->end, heap->live_at_end));
	json_put(object, "is_of_several", json_boolean(heap->is_of_several));
	return object;
}

static json_t *timeline_json(const struct compare_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->point_count; i++)
		json_array_append_new(list, json_pack("[o, o]", json_count(row->points[i].at_ms),
						      json_count(row->points[i].bytes)));
	return list;
}

static json_t *row_json(const struct compare_row *row)
{
	json_t *object = json_object();
	const char *why = row->state == COMPARE_DONE ? row->heap_why : row->why;

	json_put(object, "name", json_text(row->name));
	json_put(object, "state", json_text(states[row->state]));
	json_put(object, "why", json_text(why[0] ? why : NULL));
	json_put(object, "library", json_text(row->path));
	json_put(object, "package", json_text(row->package));
	json_put(object, "variable", json_text(row->variable));
	for (unsigned m = 0; m < COMPARE_MEASURE_COUNT; m++)
		json_put(object, compare_keys[m],
			 row->state == COMPARE_DONE && row->of[m].median
				 ? figure_json(&row->of[m], row->runs)
				 : json_null());
	json_put(object, "counted", heap_json(&row->heap));
	json_put(object, "rss_over_time", timeline_json(row));
	return object;
}

static json_t *verdict_json(const struct comparison *comparison,
			    const struct compare_verdict *verdict)
{
	if (!verdict->is_known)
		return json_null();
	json_t *object = json_object(), *ties = json_array();
	for (size_t i = 0; i < comparison->row_count; i++)
		if (verdict->tied[i])
			json_array_append_new(ties, json_text(comparison->row[i].name));
	json_put(object, "pick", json_text(comparison->row[verdict->best].name));
	json_put(object, "as_good", ties);
	json_put(object, "next", json_text(comparison->row[verdict->next].name));
	json_put(object, "sure", json_text(sureness[verdict->sureness]));
	json_put(object, "p", json_real(verdict->p));
	return object;
}

void compare_json(const struct comparison *comparison, struct sink *sink)
{
	static const struct metrics none;
	static const struct notes no_notes;
	json_t *document = json_object(), *command = json_array(), *rows = json_array();

	json_common(document, &none, &no_notes);
	for (size_t i = 0; comparison->argv[i]; i++)
		json_array_append_new(command, json_text(comparison->argv[i]));
	for (size_t i = 0; i < comparison->row_count; i++)
		json_array_append_new(rows, row_json(&comparison->row[i]));
	json_put(document, "command", command);
	json_put(document, "runs", json_count(comparison->runs));
	json_put(document, "is_server", json_boolean(comparison->is_server));
	json_put(document, "memory", verdict_json(comparison, &comparison->memory));
	json_put(document, "time", verdict_json(comparison, &comparison->time));
	json_put(document, "allocators", rows);
	json_print(document, sink);
}
