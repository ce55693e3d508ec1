/* SPDX-License-Identifier: MIT */
/* table.h: cells in columns, aligned when the last one is known. */
#ifndef POOLMEM_TEXT_TABLE_H
#define POOLMEM_TEXT_TABLE_H

#include "text/sink.h"

#include <stdint.h>

enum column_kind {
	COLUMN_NUMBER, /* aligned to the right */
	COLUMN_TEXT,   /* to the left; what is cut is the end */
	COLUMN_PATH,   /* to the left; what is cut is the beginning */
};

/* Of a last column of text: what the others leave of a line, 80 columns where it goes to no terminal. */
#define COLUMN_REST SIZE_MAX

struct column {
	const char *title;
	enum column_kind kind;
	size_t width_max; /* longer text is cut, with "..." for the rest; 0: never */
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

/* Prints titles and rows, a last column of text no wider than the terminal, and lets go of the cells. */
void table_end(struct table *table, struct sink *sink);

#endif
