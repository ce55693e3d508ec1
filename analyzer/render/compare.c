/* SPDX-License-Identifier: MIT */
/* compare.c: see compare.h.  Text and Markdown are the same rows. */
#include "render/compare.h"

#include "render/command.h"
#include "render/markdown.h"
#include "text/number.h"
#include "text/paragraph.h"
#include "text/table.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

/* A table on its way to the one or the other. */
struct sheet {
	const struct comparison *comparison;
	struct sink *sink;
	bool is_markdown;
	struct table table;
	size_t column_count, at; /* of the cell that comes next, in Markdown */
};

static void begin(struct sheet *sheet, const char *title, const struct column *columns, size_t count)
{
	struct sink *sink = sheet->sink;

	sheet->column_count = count;
	sheet->at = 0;
	if (!sheet->is_markdown) {
		sink_print(sink, "\n");
		sink_style(sink, STYLE_TITLE);
		sink_print(sink, "%s\n", title);
		sink_style(sink, STYLE_PLAIN);
		table_begin(&sheet->table, columns, count);
		return;
	}
	sink_print(sink, "\n**%s**\n\n|", title);
	for (size_t i = 0; i < count; i++)
		sink_print(sink, " %s |", columns[i].title);
	sink_print(sink, "\n|");
	for (size_t i = 0; i < count; i++)
		sink_print(sink, "%s|", columns[i].kind == COLUMN_NUMBER ? " ---: " : " --- ");
	sink_print(sink, "\n");
}

static void put_markdown(struct sheet *sheet, const char *text)
{
	sink_print(sheet->sink, sheet->at ? " " : "| ");
	markdown_put(text, sheet->sink);
	sheet->at = (sheet->at + 1) % sheet->column_count;
	sink_print(sheet->sink, sheet->at ? " |" : " |\n");
}

static void cell(struct sheet *sheet, const char *text)
{
	if (sheet->is_markdown)
		put_markdown(sheet, text);
	else
		table_cell(&sheet->table, text);
}

static void end(struct sheet *sheet)
{
	if (!sheet->is_markdown)
		table_end(&sheet->table, sheet->sink);
}

/* One run has none. */
static void spread_cell(struct sheet *sheet, const struct compare_figure *figure, size_t runs)
{
	char text[32] = "-";

	if (runs > 1 && figure->median)
		snprintf(text, sizeof text, "%.1f %%", compare_spread(figure) * 100);
	cell(sheet, text);
}

static void bytes_cell(struct sheet *sheet, uint64_t bytes)
{
	cell(sheet, bytes ? number_bytes(bytes).text : "-");
}

/* Of an allocator, so that the widest table has 80 columns; sentences have the whole of it. */
enum { NAME_COLUMNS = 13 };

enum shown { SHOWN_MEDIAN, SHOWN_SPREAD };

/* A column of the first table. */
struct shown_column {
	const char *title;
	enum compare_measure measure;
	enum shown shown;
};

enum { SHOWN_MAX = 8 };

static const struct shown_column of_programs[] = {
	{"time", COMPARE_TIME, SHOWN_MEDIAN},  {"+-", COMPARE_TIME, SHOWN_SPREAD},
	{"CPU", COMPARE_CPU, SHOWN_MEDIAN},    {"peak RSS", COMPARE_PEAK, SHOWN_MEDIAN},
	{"+-", COMPARE_PEAK, SHOWN_SPREAD},    {"mean", COMPARE_MEAN, SHOWN_MEDIAN},
	{"at end", COMPARE_END, SHOWN_MEDIAN}, {"faults", COMPARE_FAULTS, SHOWN_MEDIAN},
};

static const struct shown_column of_replays[] = {
	{"CPU", COMPARE_CPU, SHOWN_MEDIAN},       {"+-", COMPARE_CPU, SHOWN_SPREAD},
	{"time", COMPARE_TIME, SHOWN_MEDIAN},     {"peak RSS", COMPARE_PEAK, SHOWN_MEDIAN},
	{"+-", COMPARE_PEAK, SHOWN_SPREAD},       {"at end", COMPARE_END, SHOWN_MEDIAN},
	{"faults", COMPARE_FAULTS, SHOWN_MEDIAN},
};

static const struct shown_column of_speed[] = {
	{"CPU", COMPARE_CPU, SHOWN_MEDIAN},
	{"+-", COMPARE_CPU, SHOWN_SPREAD},
	{"time", COMPARE_TIME, SHOWN_MEDIAN},
};

static const struct shown_column *shown_of(const struct comparison *comparison, size_t *ret_count)
{
	const struct compare_replay *replay = comparison->replay;

	*ret_count = !replay           ? sizeof of_programs / sizeof *of_programs
		     : replay->touches ? sizeof of_replays / sizeof *of_replays
				       : sizeof of_speed / sizeof *of_speed;
	return !replay ? of_programs : replay->touches ? of_replays : of_speed;
}

static void figure_cell(struct sheet *sheet, const struct compare_row *row,
			const struct shown_column *column)
{
	const struct compare_figure *figure = &row->of[column->measure];

	if (column->shown == SHOWN_SPREAD)
		spread_cell(sheet, figure, row->runs);
	else if (column->measure == COMPARE_TIME || column->measure == COMPARE_CPU)
		cell(sheet, number_duration(figure->median).text);
	else if (column->measure == COMPARE_FAULTS)
		cell(sheet, number_count(figure->median).text);
	else
		bytes_cell(sheet, figure->median);
}

static void put_runs(struct sheet *sheet)
{
	struct column columns[SHOWN_MAX + 1] = {{"allocator", COLUMN_TEXT, NAME_COLUMNS}};
	size_t count;
	const struct shown_column *shown = shown_of(sheet->comparison, &count);

	for (size_t i = 0; i < count; i++)
		columns[i + 1] = (struct column){shown[i].title, COLUMN_NUMBER, 0};
	begin(sheet, shown == of_speed ? "Time" : "Time and resident memory", columns, count + 1);
	for (size_t i = 0; i < sheet->comparison->row_count; i++) {
		const struct compare_row *row = &sheet->comparison->row[i];
		if (row->state != COMPARE_DONE)
			continue;
		cell(sheet, row->name);
		for (size_t k = 0; k < count; k++)
			figure_cell(sheet, row, &shown[k]);
	}
	end(sheet);
}

static void ratio_cell(struct sheet *sheet, uint64_t resident, uint64_t live)
{
	char text[32] = "-";

	if (resident && live)
		snprintf(text, sizeof text, "%.2f", (double)resident / (double)live);
	cell(sheet, text);
}

static void put_heaps(struct sheet *sheet)
{
	static const struct column columns[] = {
		{"allocator", COLUMN_TEXT, NAME_COLUMNS},
		{"heap most", COLUMN_NUMBER, 0},
		{"live most", COLUMN_NUMBER, 0},
		{"ratio", COLUMN_NUMBER, 0},
		{"heap end", COLUMN_NUMBER, 0},
		{"live end", COLUMN_NUMBER, 0},
		{"ratio", COLUMN_NUMBER, 0},
	};

	if (!compare_has_heaps(sheet->comparison))
		return;
	begin(sheet,
	      sheet->comparison->replay
		      ? "Fragmentation: resident memory for each byte asked for"
		      : "Fragmentation: resident memory of no file, for each live byte",
	      COLUMNS(columns));
	for (size_t i = 0; i < sheet->comparison->row_count; i++) {
		const struct compare_heap *heap = &sheet->comparison->row[i].heap;
		if (!heap->is_known)
			continue;
		cell(sheet, sheet->comparison->row[i].name);
		bytes_cell(sheet, heap->peak);
		bytes_cell(sheet, heap->live_peak);
		ratio_cell(sheet, heap->is_of_many ? 0 : heap->peak, heap->live_peak);
		bytes_cell(sheet, heap->end);
		bytes_cell(sheet, heap->live_at_end);
		ratio_cell(sheet, heap->is_of_many ? 0 : heap->end, heap->live_at_end);
	}
	end(sheet);
}

/* A sentence on a line of its own: a paragraph here, an item of a list there. */
static void begin_sentence(const struct sheet *sheet)
{
	if (sheet->is_markdown)
		sink_print(sheet->sink, "- ");
	else
		paragraph_begin(sheet->sink, 2);
}

static void put_left_out(const struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->comparison->row_count; i++) {
		const struct compare_row *row = &sheet->comparison->row[i];
		if (row->state == COMPARE_UNTRIED ||
		    (row->state == COMPARE_DONE && !row->heap_why[0]))
			continue;
		begin_sentence(sheet);
		sink_name(sheet->sink, row->name, 0);
		sink_print(sheet->sink, "%s: ",
			   row->state == COMPARE_MISSING  ? " was skipped"
			   : row->state == COMPARE_FAILED ? " failed"
							  : " was not counted");
		sink_name(sheet->sink, row->state == COMPARE_DONE ? row->heap_why : row->why, 0);
		sink_print(sheet->sink, "\n");
	}
}

static void put_command(const struct sheet *sheet)
{
	char *command = command_line(sheet->comparison->argv);

	sink_print(sheet->sink, sheet->is_markdown ? "### " : "");
	sink_style(sheet->sink, STYLE_TITLE);
	sink_name(sheet->sink, command, 0);
	sink_style(sheet->sink, STYLE_PLAIN);
	sink_print(sheet->sink, "\n");
	free(command);
}

static void put_facts(const struct compare_replay *replay, struct sink *sink)
{
	sink_name(sink, replay->exe, 0);
	sink_print(sink, " (pid %u): %s in %s, at most %s asked for at a time\n", replay->pid,
		   number_of(replay->events, "call").text,
		   number_of(replay->threads, "thread").text, number_bytes(replay->live_peak).text);
}

void compare_trace(const struct comparison *comparison, struct sink *sink)
{
	paragraph_begin(sink, 2);
	put_facts(comparison->replay, sink);
}

static void put_trace(const struct sheet *sheet)
{
	if (!sheet->is_markdown) {
		compare_trace(sheet->comparison, sheet->sink);
		return;
	}
	sink_print(sheet->sink, "### ");
	put_facts(sheet->comparison->replay, sheet->sink);
}

static void put(struct sheet *sheet)
{
	const struct comparison *comparison = sheet->comparison;
	struct compare_note notes[COMPARE_NOTES_MAX];

	if (comparison->replay)
		put_trace(sheet);
	else
		put_command(sheet);
	put_runs(sheet);
	put_heaps(sheet);
	sink_print(sheet->sink, "\n");
	if (comparison->interrupted) {
		begin_sentence(sheet);
		compare_interruption(comparison, sheet->sink);
	}
	if (!comparison->replay || comparison->replay->touches) {
		begin_sentence(sheet);
		compare_sentence(comparison, COMPARE_PEAK, sheet->sink);
		if (compare_end_differs(comparison)) {
			begin_sentence(sheet);
			compare_sentence(comparison, COMPARE_END, sheet->sink);
		}
	}
	begin_sentence(sheet);
	compare_sentence(comparison, compare_time(comparison), sheet->sink);
	put_left_out(sheet);
	size_t count = compare_notes(comparison, notes);
	for (size_t i = 0; i < count; i++) {
		begin_sentence(sheet);
		sink_print(sheet->sink, "%s\n", notes[i].text);
	}
	begin_sentence(sheet);
	compare_method(comparison, sheet->sink);
}

void compare_text(const struct comparison *comparison, struct sink *sink)
{
	struct sheet sheet = {.comparison = comparison, .sink = sink};

	put(&sheet);
}

void compare_markdown(const struct comparison *comparison, struct sink *sink)
{
	struct sheet sheet = {.comparison = comparison, .sink = sink, .is_markdown = true};

	put(&sheet);
}
