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

static void spread_cell(struct sheet *sheet, const struct compare_figure *figure)
{
	char text[32];

	snprintf(text, sizeof text, "%.1f %%", compare_spread(figure) * 100);
	cell(sheet, text);
}

static void bytes_cell(struct sheet *sheet, uint64_t bytes)
{
	cell(sheet, bytes ? number_bytes(bytes).text : "-");
}

static void put_runs(struct sheet *sheet)
{
	static const struct column columns[] = {
		{"allocator", COLUMN_TEXT, 0},  {"time", COLUMN_NUMBER, 0},
		{"+-", COLUMN_NUMBER, 0},       {"CPU", COLUMN_NUMBER, 0},
		{"peak RSS", COLUMN_NUMBER, 0}, {"+-", COLUMN_NUMBER, 0},
		{"mean", COLUMN_NUMBER, 0},     {"at end", COLUMN_NUMBER, 0},
		{"faults", COLUMN_NUMBER, 0},
	};

	begin(sheet, "Time and resident memory", COLUMNS(columns));
	for (size_t i = 0; i < sheet->comparison->row_count; i++) {
		const struct compare_row *row = &sheet->comparison->row[i];
		if (row->state != COMPARE_DONE)
			continue;
		cell(sheet, row->name);
		cell(sheet, number_duration(row->of[COMPARE_TIME].median).text);
		spread_cell(sheet, &row->of[COMPARE_TIME]);
		cell(sheet, number_duration(row->of[COMPARE_CPU].median).text);
		bytes_cell(sheet, row->of[COMPARE_PEAK].median);
		spread_cell(sheet, &row->of[COMPARE_PEAK]);
		bytes_cell(sheet, row->of[COMPARE_MEAN].median);
		bytes_cell(sheet, row->of[COMPARE_END].median);
		cell(sheet, number_count(row->of[COMPARE_FAULTS].median).text);
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

static bool has_heaps(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].heap.is_known)
			return true;
	return false;
}

static void put_heaps(struct sheet *sheet)
{
	static const struct column columns[] = {
		{"allocator", COLUMN_TEXT, 0},      {"heap at most", COLUMN_NUMBER, 0},
		{"live at most", COLUMN_NUMBER, 0}, {"ratio", COLUMN_NUMBER, 0},
		{"heap at end", COLUMN_NUMBER, 0},  {"live at end", COLUMN_NUMBER, 0},
		{"ratio", COLUMN_NUMBER, 0},
	};

	if (!has_heaps(sheet->comparison))
		return;
	begin(sheet, "Fragmentation: resident memory of no file, for each live byte",
	      COLUMNS(columns));
	for (size_t i = 0; i < sheet->comparison->row_count; i++) {
		const struct compare_heap *heap = &sheet->comparison->row[i].heap;
		if (!heap->is_known)
			continue;
		cell(sheet, sheet->comparison->row[i].name);
		bytes_cell(sheet, heap->peak);
		bytes_cell(sheet, heap->live_peak);
		ratio_cell(sheet, heap->peak, heap->live_peak);
		bytes_cell(sheet, heap->end);
		bytes_cell(sheet, heap->live_at_end);
		ratio_cell(sheet, heap->end, heap->live_at_end);
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
		if (row->state == COMPARE_DONE && !row->heap_why[0])
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

static void put(struct sheet *sheet)
{
	struct sink *sink = sheet->sink;
	char *command = command_line(sheet->comparison->argv);

	sink_print(sink, sheet->is_markdown ? "### " : "");
	sink_style(sink, STYLE_TITLE);
	sink_name(sink, command, 0);
	sink_style(sink, STYLE_PLAIN);
	sink_print(sink, "\n");
	free(command);
	put_runs(sheet);
	put_heaps(sheet);
	sink_print(sink, "\n");
	begin_sentence(sheet);
	compare_sentence(sheet->comparison, COMPARE_PEAK, sink);
	begin_sentence(sheet);
	compare_sentence(sheet->comparison, COMPARE_TIME, sink);
	put_left_out(sheet);
	begin_sentence(sheet);
	compare_method(sheet->comparison, sink);
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
