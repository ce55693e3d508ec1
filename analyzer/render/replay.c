/* SPDX-License-Identifier: MIT */
/* replay.c: see replay.h. */
#include "render/replay.h"

#include "render/json.h"
#include "text/number.h"
#include "text/table.h"

#include <stdio.h>

static const double NS_PER_S = 1e9;

static void cell_of_ratio(struct table *table, uint64_t part, uint64_t whole)
{
	char text[32] = "";

	if (whole)
		snprintf(text, sizeof text, "%.2f", (double)part / (double)whole);
	table_cell(table, text);
}

static void cell_of_seconds(struct table *table, uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof text, "%.3f s", (double)ns / NS_PER_S);
	table_cell(table, text);
}

static void put_row(struct table *table, const struct replay_view *view,
		    const struct replay_row *row)
{
	const struct script_result *median = &row->median;
	char text[32];

	table_cell(table, row->name);
	cell_of_seconds(table, median->calls_ns);
	snprintf(text, sizeof text, "%.1f %%", 100 * row->calls_spread);
	table_cell(table, text);
	cell_of_ratio(table, median->calls_ns, view->row[0].median.calls_ns);
	cell_of_seconds(table, median->wall_ns);
	if (!view->touches)
		return;
	table_cell(table, number_bytes(median->rss_peak).text);
	cell_of_ratio(table, median->rss_peak, view->live_peak);
	table_cell(table, number_bytes(median->rss_end).text);
	table_cell(table, number_count(median->faults).text);
}

static void put_table(const struct replay_view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"allocator", COLUMN_TEXT, 0}, {"processor", COLUMN_NUMBER, 0},
		{"spread", COLUMN_NUMBER, 0},  {"x first", COLUMN_NUMBER, 0},
		{"elapsed", COLUMN_NUMBER, 0}, {"peak", COLUMN_NUMBER, 0},
		{"x live", COLUMN_NUMBER, 0},  {"at the end", COLUMN_NUMBER, 0},
		{"faults", COLUMN_NUMBER, 0},
	};
	enum { ALL = sizeof columns / sizeof *columns, OF_SPEED = 5 };
	struct table table;

	table_begin(&table, columns, view->touches ? (size_t)ALL : (size_t)OF_SPEED);
	for (size_t i = 0; i < view->row_count; i++)
		put_row(&table, view, &view->row[i]);
	table_end(&table, sink);
}

void replay_notes(const struct replay_view *view, struct sink *sink)
{
	if (view->unknown)
		sink_print(
			sink,
			"Left out: %s of blocks that came before the recording, or were inherited.\n",
			number_of(view->unknown, "call").text);
	if (view->implied)
		sink_print(sink, "Not in the trace, and told by what came to their place: %s.\n",
			   number_of(view->implied, "free").text);
	if (view->missed)
		sink_print(
			sink,
			"Not recorded: %s of signal handlers inside malloc, or of threads past their end.\n",
			number_of(view->missed, "call").text);
	if (view->is_full)
		sink_print(sink, "Recording ended before the program did: there was no room.\n");
	for (size_t i = 0; i < view->row_count; i++)
		if (view->row[i].median.failed)
			sink_print(sink, "%s refused %s.\n", view->row[i].name,
				   number_of(view->row[i].median.failed, "request").text);
}

void replay_heading(const struct replay_view *view, struct sink *sink)
{
	sink_print(sink, "%s (pid %u): %s in %s, at most %s asked for at a time\n\n", view->exe,
		   view->pid, number_of(view->events, "call").text,
		   number_of(view->threads, "thread").text, number_bytes(view->live_peak).text);
}

void replay_text(const struct replay_view *view, struct sink *sink)
{
	replay_heading(view, sink);
	put_table(view, sink);
	sink_print(sink, "\n");
	replay_notes(view, sink);
}

static json_t *json_of_result(const struct script_result *result)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "calls_ns",
			 (json_int_t)result->calls_ns, "wall_ns", (json_int_t)result->wall_ns,
			 "rss_peak", (json_int_t)result->rss_peak, "rss_end",
			 (json_int_t)result->rss_end, "rss_mean", (json_int_t)result->rss_mean,
			 "faults", (json_int_t)result->faults, "steps", (json_int_t)result->steps,
			 "failed", (json_int_t)result->failed);
}

static json_t *json_of_row(const struct replay_row *row)
{
	json_t *runs = json_array();

	for (size_t i = 0; i < row->run_count; i++)
		json_array_append_new(runs, json_of_result(&row->run[i]));
	return json_pack("{s:s, s:o, s:o}", "allocator", row->name, "median",
			 json_of_result(&row->median), "runs", runs);
}

json_t *replay_document(const struct replay_view *view)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < view->row_count; i++)
		json_array_append_new(rows, json_of_row(&view->row[i]));
	return json_pack(
		"{s:i, s:{}, s:{}, s:[], s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}",
		"schema", JSON_SCHEMA, "metrics", "estimated", "notes", "exe", json_text(view->exe),
		"pid", (json_int_t)view->pid, "events", (json_int_t)view->events, "threads",
		(json_int_t)view->threads, "unknown", (json_int_t)view->unknown, "implied",
		(json_int_t)view->implied, "missed", (json_int_t)view->missed, "live_peak",
		(json_int_t)view->live_peak, "live_end", (json_int_t)view->live_end, "truncated",
		view->is_full, "allocators", rows);
}

void replay_json(const struct replay_view *view, struct sink *sink)
{
	json_print(replay_document(view), sink);
}
