/* SPDX-License-Identifier: MIT */
/* listing.c: see listing.h. */
#include "render/listing.h"

#include "model/saturate.h"
#include "render/json.h"
#include "study/study.h"
#include "text/number.h"
#include "text/paragraph.h"
#include "text/table.h"

#include <stdio.h>

static bool is_starting(const struct listing_row *row)
{
	return !row->is_readable && row->is_blank && row->life != LIFE_ENDED;
}

static struct number state_of(const struct listing_row *row)
{
	struct number state;

	if (is_starting(row))
		snprintf(state.text, sizeof state.text, "starting");
	else if (!row->is_readable)
		snprintf(state.text, sizeof state.text, "not readable");
	else if (row->state == STATE_EXITED)
		snprintf(state.text, sizeof state.text, "exited %lld", (long long)row->exit_status);
	else
		snprintf(state.text, sizeof state.text, "%s", process_state_key(row->state));
	/* A child that was forked may outlive the program that was exec'ed. */
	if (row->life == LIFE_RUNNING && row->is_readable && row->state != STATE_RUNNING)
		snprintf(state.text, sizeof state.text, "children running");
	return state;
}

static void put_row(struct table *table, const struct listing_row *row)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%u", row->name.pid);
	table_cell(table, number_duration(row->age_ns).text);
	table_cell(table, state_of(row).text);
	table_cell(table, pid);
	table_cell(table, number_count(row->process_count).text);
	table_cell(table, number_bytes(row->allocated_bytes).text);
	table_cell(table, number_count(row->allocations).text);
	table_cell(table, row->exe ? row->exe : "?");
}

static void put_total(const struct listing_row *const *rows, size_t count, size_t shown,
		      struct sink *sink)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes = sum(bytes, rows[i]->allocated_bytes);
	sink_print(sink, "\n  %s, %s of shared memory", number_of(count, "segment").text,
		   number_bytes(bytes).text);
	if (shown < count)
		sink_print(sink, "; %s shown, -n 0 shows all", number_count(shown).text);
	sink_print(sink, "\n");
}

static void put_last(const char *last, struct sink *sink)
{
	if (!last)
		return;
	paragraph_begin(sink, 4);
	sink_print(sink, "  newest capture: ");
	sink_name(sink, last, 0);
	sink_print(sink, " (poolmem report last)\n");
}

void listing_text(const struct listing_row *const *rows, size_t count, const char *last,
		  const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"age", COLUMN_NUMBER, 0},
		{"state", COLUMN_TEXT, 0},
		{"pid", COLUMN_NUMBER, 0},
		{"processes", COLUMN_NUMBER, 0},
		{"memory", COLUMN_NUMBER, 0},
		{"allocations", COLUMN_NUMBER, 0},
		{"program", COLUMN_PATH, COLUMN_REST},
	};
	size_t shown = view_rows(view, count);
	struct table table;

	if (!count) {
		sink_print(sink,
			   "  no segments: nothing runs under libpoolmem.so, or was left behind\n");
		put_last(last, sink);
		return;
	}

	table_begin(&table, columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < shown; i++)
		put_row(&table, rows[i]);
	table_end(&table, sink);
	put_total(rows, count, shown, sink);
	put_last(last, sink);
}

static const char *life_key(enum life life)
{
	static const char *const keys[] = {
		[LIFE_UNKNOWN] = "unknown",
		[LIFE_RUNNING] = "running",
		[LIFE_ENDED] = "ended",
	};
	return keys[life];
}

static json_t *row_json(const struct listing_row *row)
{
	json_t *object = json_object();

	json_put(object, "name", json_text(row->name.text));
	json_put(object, "pid", json_count(row->name.pid));
	json_put(object, "created_ns", json_count(row->name.created_ns));
	json_put(object, "age_ns", json_count(row->age_ns));
	json_put(object, "bytes", json_count(row->allocated_bytes));
	json_put(object, "life", json_text(life_key(row->life)));
	if (is_starting(row)) {
		json_put(object, "state", json_text("starting"));
		return object;
	}
	if (!row->is_readable) {
		json_put(object, "failure", json_text(row->why.text));
		return object;
	}
	json_put(object, "state", json_text(process_state_key(row->state)));
	json_put(object, "exit", json_integer(row->exit_status));
	json_put(object, "exe", json_text(row->exe));
	json_put(object, "processes", json_count(row->process_count));
	json_put(object, "allocations", json_count(row->allocations));
	return object;
}

static json_t *metrics_json(const struct listing_row *const *rows, size_t count)
{
	uint64_t bytes = 0, allocations = 0;
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		bytes = sum(bytes, rows[i]->allocated_bytes);
		allocations = sum(allocations, rows[i]->allocations);
	}
	json_put(object, metric_keys[METRIC_ALLOC_COUNT], json_count(allocations));
	json_put(object, "segments.bytes", json_count(bytes));
	return object;
}

void listing_json(const struct listing_row *const *rows, size_t count, const char *last,
		  const struct view *view, struct sink *sink)
{
	json_t *document = json_object();
	json_t *segments = json_array();

	json_put(document, "schema", json_integer(JSON_SCHEMA));
	json_put(document, "metrics", metrics_json(rows, count));
	json_put(document, "estimated", json_object());
	json_put(document, "notes", json_array());
	for (size_t i = 0; i < view_rows(view, count); i++)
		json_array_append_new(segments, row_json(rows[i]));
	json_put(document, "segments", segments);
	json_put(document, "last_capture", json_text(last));
	json_print(document, sink);
}
