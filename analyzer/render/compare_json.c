/* SPDX-License-Identifier: MIT */
/* compare_json.c: one command, or the trace of one, under several allocators, for machines. */
#define _GNU_SOURCE
#include "render/compare.h"
#include "render/json.h"

#include <string.h>

static const char *const states[] = {
	[COMPARE_DONE] = "done",
	[COMPARE_MISSING] = "missing",
	[COMPARE_FAILED] = "failed",
	[COMPARE_UNTRIED] = "untried",
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

static json_t *figure_json(const struct compare_figure *figure, enum compare_measure measure,
			   size_t runs)
{
	json_t *object = json_object(), *list = json_array();

	json_put(object, "median", json_count(figure->median));
	json_put(object, "least", json_count(figure->least));
	json_put(object, "most", json_count(figure->most));
	for (size_t i = 0; i < runs; i++)
		json_array_append_new(list, compare_is_resident(measure)
						    ? known_count(figure->run[i])
						    : json_count(figure->run[i]));
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
	json_put(object, "alloc.count", known_count(heap->allocations));
	json_put(object, "live.peak", json_count(heap->live_peak));
	json_put(object, "resident_at_peak", known_count(heap->peak));
	json_put(object, "fragmentation_at_peak",
		 ratio_json(heap->is_of_many ? 0 : heap->peak, heap->live_peak));
	json_put(object, "resident_at_end", known_count(heap->end));
	json_put(object, "live_at_end", known_count(heap->live_at_end));
	json_put(object, "fragmentation_at_end",
		 ratio_json(heap->is_of_many ? 0 : heap->end, heap->live_at_end));
	json_put(object, "programs", known_count(heap->programs));
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

static json_t *replay_json(const struct compare_replay *replay)
{
	if (!replay)
		return json_null();
	json_t *object = json_object();
	json_put(object, "exe", json_text(replay->exe));
	json_put(object, "pid", json_count(replay->pid));
	json_put(object, "calls", json_count(replay->events));
	json_put(object, "threads", json_count(replay->threads));
	json_put(object, "unknown", json_count(replay->unknown));
	json_put(object, "implied", json_count(replay->implied));
	json_put(object, "missed", json_count(replay->missed));
	json_put(object, "live_peak", json_count(replay->live_peak));
	json_put(object, "live_end", json_count(replay->live_end));
	json_put(object, "truncated", json_boolean(replay->is_full));
	json_put(object, "touches", json_boolean(replay->touches));
	return object;
}

static json_t *command_json(char *const *argv)
{
	json_t *command = json_array();

	if (!argv) {
		json_decref(command);
		return json_null();
	}
	for (size_t i = 0; argv[i]; i++)
		json_array_append_new(command, json_text(argv[i]));
	return command;
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
				 ? figure_json(&row->of[m], m, row->runs)
				 : json_null());
	json_put(object, "steps", json_count(row->steps));
	json_put(object, "refused", json_count(row->refused));
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

json_t *compare_document(const struct comparison *comparison)
{
	static const struct metrics none;
	static const struct notes no_notes;
	json_t *document = json_object(), *rows = json_array();

	json_common(document, &none, &no_notes);
	for (size_t i = 0; i < comparison->row_count; i++)
		json_array_append_new(rows, row_json(&comparison->row[i]));
	json_put(document, "command", command_json(comparison->argv));
	json_put(document, "replay", replay_json(comparison->replay));
	json_put(document, "is_script", json_boolean(comparison->is_script));
	json_put(document, "processes", json_count(comparison->processes));
	json_put(document, "runs", json_count(comparison->runs));
	json_put(document, "rounds", json_count(comparison->rounds));
	json_put(document, "interrupted",
		 json_text(comparison->interrupted ? sigabbrev_np(comparison->interrupted) : NULL));
	json_put(document, "exit_code", json_integer(comparison->exit_code));
	json_put(document, "is_server", json_boolean(comparison->is_server));
	json_put(document, "memory", verdict_json(comparison, &comparison->memory));
	json_put(document, "memory_at_end", verdict_json(comparison, &comparison->end));
	json_put(document, "time", verdict_json(comparison, &comparison->time));
	json_put(document, "allocators", rows);
	return document;
}

void compare_json(const struct comparison *comparison, struct sink *sink)
{
	json_print(compare_document(comparison), sink);
}
