/* SPDX-License-Identifier: MIT */
/* table.c: see table.h. */
#include "text/table.h"

#include "text/allocate.h"
#include "text/escape.h"

#include <stdlib.h>
#include <string.h>

enum { GAP_COLUMNS = 2, LAST_COLUMNS_MIN = 12, COLUMNS_DEFAULT = 80 };

void table_begin(struct table *table, const struct column *columns, size_t column_count)
{
	*table = (struct table){.columns = columns, .column_count = column_count};
}

static void cut(const struct column *column, char *text, size_t width_max)
{
	if (column->kind == COLUMN_PATH)
		text_cut_front(text, width_max);
	else
		text_cut(text, width_max);
}

void table_cell(struct table *table, const char *text)
{
	const struct column *column = &table->columns[table->cell_count % table->column_count];
	char *shown = escape_text(text);

	cut(column, shown, column->width_max);
	table->cells = allocate_more(table->cells, table->cell_count, &table->room,
				     sizeof *table->cells);
	table->cells[table->cell_count++] = shown;
}

static size_t width_of(const struct table *table, size_t column)
{
	size_t width = text_columns(table->columns[column].title);

	for (size_t i = column; i < table->cell_count; i += table->column_count) {
		size_t columns = text_columns(table->cells[i]);
		width = columns > width ? columns : width;
	}
	return width;
}

static void put_blanks(struct sink *sink, size_t count)
{
	while (count--)
		sink_bytes(sink, " ", 1);
}

static void put_cell(const struct table *table, size_t column, size_t width, const char *text,
		     struct sink *sink)
{
	size_t blanks = width - text_columns(text);
	bool is_text = table->columns[column].kind != COLUMN_NUMBER;

	put_blanks(sink, GAP_COLUMNS + (is_text ? 0 : blanks));
	sink_bytes(sink, text, strlen(text));
	if (is_text && column + 1 < table->column_count)
		put_blanks(sink, blanks);
}

static void put_titles(const struct table *table, const size_t *widths, struct sink *sink)
{
	sink_style(sink, STYLE_FAINT);
	for (size_t c = 0; c < table->column_count; c++)
		put_cell(table, c, widths[c], table->columns[c].title, sink);
	sink_style(sink, STYLE_PLAIN);
	sink_bytes(sink, "\n", 1);
}

static void cut_column(const struct table *table, size_t column, size_t width_max)
{
	for (size_t i = column; i < table->cell_count; i += table->column_count)
		cut(&table->columns[column], table->cells[i], width_max);
}

/* What does not fit beside the other columns would be broken, or lost without a sign. */
static void fit_last(const struct table *table, size_t *widths, size_t columns)
{
	size_t last = table->column_count - 1, taken = GAP_COLUMNS;

	for (size_t c = 0; c < last; c++)
		taken += GAP_COLUMNS + widths[c];
	if (table->columns[last].kind == COLUMN_NUMBER || taken + widths[last] <= columns)
		return;
	cut_column(table, last,
		   columns > taken + LAST_COLUMNS_MIN ? columns - taken : LAST_COLUMNS_MIN);
	widths[last] = width_of(table, last);
}

void table_end(struct table *table, struct sink *sink)
{
	size_t *widths = allocate(table->column_count, sizeof *widths);

	for (size_t c = 0; c < table->column_count; c++)
		widths[c] = width_of(table, c);
	if (sink->columns || table->columns[table->column_count - 1].width_max == COLUMN_REST)
		fit_last(table, widths, sink->columns ? sink->columns : COLUMNS_DEFAULT);
	put_titles(table, widths, sink);
	for (size_t i = 0, column = 0; i < table->cell_count; i++) {
		put_cell(table, column, widths[column], table->cells[i], sink);
		free(table->cells[i]);
		if (++column < table->column_count)
			continue;
		sink_bytes(sink, "\n", 1);
		column = 0;
	}
	free(table->cells);
	free(widths);
}
