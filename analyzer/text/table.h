/* SPDX-License-Identifier: MIT */
/* table.h: cells in columns, aligned when the last one is known. */
#ifndef POOLMEM_TEXT_TABLE_H
#define POOLMEM_TEXT_TABLE_H

#include "text/sink.h"

struct column {
	const char *title;
	bool is_text;     /* aligned to the left; numbers to the right */
	size_t width_max; /* longer text is cut, with "..." at its end; 0: never */
};

struct table {
	const struct column *columns;
	size_t column_count;
	char **cells; /* row by row, escaped */
	size_t cell_count, room;
};

void table_begin(struct table *table, const struct column *columns, size_t column_count);

/* The next cell, from left to right, row after row.  Escaped here. */
void table_cell(struct table *table, const char *text);

/* Prints titles and rows, and lets go of the cells. */
void table_end(struct table *table, struct sink *sink);

#endif
