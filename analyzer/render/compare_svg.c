/* SPDX-License-Identifier: MIT */
/* compare_svg.c: what was resident over time under each allocator, as a picture that needs nothing else. */
#include "render/chart.h"
#include "render/command.h"
#include "render/compare.h"
#include "text/number.h"

#include <stdio.h>
#include <stdlib.h>

enum { GRID_LINES = 4, TICKS = 5, NAME_COLUMNS = 30, NS_PER_MS = 1000000 };

/* Told apart by those who see few colours, too; and then by dashes. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
				      "#e69f00", "#56b4e9", "#000000"};
enum { COLOUR_COUNT = sizeof colours / sizeof *colours };

struct drawing {
	const struct comparison *comparison;
	uint64_t end_ms, highest;
	struct sink *sink;
};

static void measure(struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->comparison->row_count; i++) {
		const struct compare_row *row = &drawing->comparison->row[i];
		for (size_t k = 0; k < row->point_count; k++) {
			const struct compare_point *point = &row->points[k];
			if (point->at_ms > drawing->end_ms)
				drawing->end_ms = point->at_ms;
			if (point->bytes > drawing->highest)
				drawing->highest = point->bytes;
		}
	}
}

static double x_of(const struct drawing *drawing, uint64_t at_ms)
{
	double share = drawing->end_ms ? (double)at_ms / (double)drawing->end_ms : 0;
	return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * share;
}

static double y_of(const struct drawing *drawing, double bytes)
{
	return chart_y(drawing->highest ? bytes / (double)drawing->highest : 0);
}

static void put_axes(const struct drawing *drawing)
{
	for (int i = 0; i <= GRID_LINES; i++) {
		double bytes = (double)drawing->highest * i / GRID_LINES, y = y_of(drawing, bytes);
		chart_height(y, number_bytes((uint64_t)bytes).text, drawing->sink);
	}
	for (int i = 0; i <= TICKS; i++) {
		uint64_t at_ms = drawing->end_ms * (uint64_t)i / TICKS;
		chart_tick(x_of(drawing, at_ms),
			   at_ms ? number_duration(at_ms * NS_PER_MS).text : "0 s", drawing->sink);
	}
	chart_frame("time since the program began", drawing->sink);
}

static void put_row(const struct drawing *drawing, const struct compare_row *row, unsigned number)
{
	char style[96], text[128];

	snprintf(style, sizeof style, "stroke=\"%s\" stroke-width=\"2\"%s",
		 colours[number % COLOUR_COUNT],
		 number / COLOUR_COUNT % 2 ? " stroke-dasharray=\"5 3\"" : "");
	sink_print(drawing->sink, "<polyline fill=\"none\" %s points=\"", style);
	for (size_t i = 0; i < row->point_count; i++)
		sink_print(drawing->sink, " %.1f,%.1f", x_of(drawing, row->points[i].at_ms),
			   y_of(drawing, (double)row->points[i].bytes));
	sink_print(drawing->sink, "\"/>\n");
	snprintf(text, sizeof text, "%.40s", row->name);
	chart_legend(2 * number, style, text, NAME_COLUMNS, drawing->sink);
	snprintf(text, sizeof text, "peak %s, %s", number_bytes(row->of[COMPARE_PEAK].median).text,
		 number_duration(row->of[COMPARE_TIME].median).text);
	chart_caption(2 * number + 1, text, drawing->sink);
}

void compare_svg(const struct comparison *comparison, struct sink *sink)
{
	struct drawing drawing = {comparison, 0, 0, sink};
	char *command = command_line(comparison->argv);
	unsigned number = 0;

	measure(&drawing);
	chart_begin_titled("Resident", command, sink);
	free(command);
	put_axes(&drawing);
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE)
			put_row(&drawing, &comparison->row[i], number++);
	chart_end("Of each the run whose peak is in the middle; figures are medians of all runs.",
		  sink);
}
