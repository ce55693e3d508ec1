/* SPDX-License-Identifier: MIT */
/* timeline_svg.c: a process over time as a picture that needs nothing else. */
#include "render/chart.h"
#include "render/timeline.h"
#include "render/words.h"
#include "render/xml.h"
#include "text/number.h"

#include <stdio.h>

enum { GRID_LINES = 4, TICKS = 5, MARKS_MAX = 12, NAME_COLUMNS = 26, FIRST_MARK_ROW = 9 };

static const char of_live[] = "stroke=\"#0072b2\" stroke-width=\"2\"";
static const char of_used[] = "stroke=\"#56b4e9\" stroke-width=\"10\"";
static const char of_kept[] = "stroke=\"#d9d9d9\" stroke-width=\"10\"";
static const char of_mapped[] = "stroke=\"#7f7f7f\" stroke-width=\"1.5\" stroke-dasharray=\"2 3\"";
static const char of_rss[] = "stroke=\"#d55e00\" stroke-width=\"2\"";
static const char of_mark[] = "stroke=\"#009e73\" stroke-width=\"1\" stroke-dasharray=\"4 3\"";

struct drawing {
	const struct over_time *over_time;
	enum time_axis axis;
	double end, highest;
	struct sink *sink;
};

static double x_of(const struct drawing *drawing, const struct instant *at)
{
	double share = drawing->end > 0 ? (double)instant_on(at, drawing->axis) / drawing->end : 0;
	return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * (share < 1 ? share : 1);
}

static double y_of(const struct drawing *drawing, double bytes)
{
	return chart_y(drawing->highest > 0 ? bytes / drawing->highest : 0);
}

/* --- axes ------------------------------------------------------------------------------------------------ */

static void put_grid(const struct drawing *drawing)
{
	for (int i = 0; i <= GRID_LINES; i++) {
		double bytes = drawing->highest * i / GRID_LINES, y = y_of(drawing, bytes);
		chart_height(y, number_bytes((uint64_t)bytes).text, drawing->sink);
	}
}

static void put_ticks(const struct drawing *drawing)
{
	for (int i = 0; i <= TICKS; i++) {
		double share = (double)i / TICKS;
		uint64_t place = (uint64_t)(drawing->end * share);
		chart_tick(CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * share,
			   timeline_place(drawing->axis, place).text, drawing->sink);
	}
	chart_frame(drawing->axis == AXIS_TIME ? "time since the process began"
					       : "allocations so far",
		    drawing->sink);
}

/* --- what the heap had ------------------------------------------------------------------------------- */

typedef uint64_t figure(const struct heap_point *point);

static uint64_t live_of(const struct heap_point *point)
{
	return point->live_bytes;
}

static uint64_t used_of(const struct heap_point *point)
{
	return point->used_bytes > point->live_bytes ? point->used_bytes : point->live_bytes;
}

static uint64_t held_of(const struct heap_point *point)
{
	return used_of(point) + point->kept_bytes;
}

static uint64_t mapped_of(const struct heap_point *point)
{
	return point->committed_bytes;
}

/* Each point holds up to the next: a process that makes no slow call notes nothing. */
static double put_steps(const struct drawing *drawing, figure *of)
{
	const struct over_time *over_time = drawing->over_time;
	double y = 0;

	for (size_t i = 0; i < over_time->count; i++) {
		double x = x_of(drawing, &over_time->points[i].at);
		if (i)
			sink_print(drawing->sink, " %.1f,%.1f", x, y);
		y = y_of(drawing, (double)of(&over_time->points[i]));
		sink_print(drawing->sink, " %.1f,%.1f", x, y);
	}
	double end = x_of(drawing, &over_time->end);
	sink_print(drawing->sink, " %.1f,%.1f", end, y);
	return end;
}

static void put_area(const struct drawing *drawing, figure *of, const char *fill)
{
	double begin = x_of(drawing, &drawing->over_time->points[0].at);

	sink_print(drawing->sink, "<polygon fill=\"%s\" points=\"%.1f,%d", fill, begin,
		   CHART_BOTTOM);
	double end = put_steps(drawing, of);
	sink_print(drawing->sink, " %.1f,%d\"/>\n", end, CHART_BOTTOM);
}

static void put_line(const struct drawing *drawing, figure *of, const char *style)
{
	sink_print(drawing->sink, "<polyline fill=\"none\" %s points=\"", style);
	put_steps(drawing, of);
	sink_print(drawing->sink, "\"/>\n");
}

/* --- besides ----------------------------------------------------------------------------------------------- */

static void put_rss(const struct drawing *drawing)
{
	const struct over_time *over_time = drawing->over_time;

	if (!over_time->rss_count)
		return;
	sink_print(drawing->sink, "<polyline fill=\"none\" %s points=\"", of_rss);
	for (size_t i = 0; i < over_time->rss_count; i++)
		sink_print(drawing->sink, " %.1f,%.1f", x_of(drawing, &over_time->rss[i].at),
			   y_of(drawing, (double)over_time->rss[i].bytes));
	sink_print(drawing->sink, "\"/>\n");
}

static void put_dot(const struct drawing *drawing, const struct instant *at, uint64_t bytes,
		    const char *fill)
{
	sink_print(drawing->sink,
		   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" stroke=\"#fff\"/>\n",
		   x_of(drawing, at), y_of(drawing, (double)bytes), fill);
}

static void put_peaks(const struct drawing *drawing)
{
	const struct over_time *over_time = drawing->over_time;
	const struct heap_point *live = &over_time->points[over_time->live_peak];

	put_dot(drawing, &live->at, live->live_bytes, "#0072b2");
	if (over_time->rss_count) {
		const struct rss_point *rss = &over_time->rss[over_time->rss_peak];
		put_dot(drawing, &rss->at, rss->bytes, "#d55e00");
	}
}

static void put_marks(const struct drawing *drawing)
{
	const struct over_time *over_time = drawing->over_time;
	unsigned row = FIRST_MARK_ROW;
	char text[PM_MARK_NAME + 16];

	if (over_time->mark_count)
		chart_caption(row++, "marks that the program set:", drawing->sink);
	for (size_t i = 0; i < over_time->mark_count; i++) {
		const struct mark_point *mark = &over_time->marks[i];
		double x = x_of(drawing, &mark->at);
		chart_line(x, CHART_TOP, x, CHART_BOTTOM, of_mark, drawing->sink);
		if (i >= MARKS_MAX)
			continue;
		sink_print(
			drawing->sink,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#009e73\">%zu</text>\n",
			x, CHART_TOP - 4, i + 1);
		snprintf(text, sizeof text, "%zu  %s", i + 1, mark->name);
		chart_legend(row++, of_mark, text, NAME_COLUMNS, drawing->sink);
	}
}

static void put_legend(const struct drawing *drawing)
{
	const struct over_time *over_time = drawing->over_time;
	char text[160];

	chart_legend(0, of_live, "live", 0, drawing->sink);
	snprintf(text, sizeof text, "peak %s",
		 words_bytes_within(over_time->live_most, &over_time->live_bound).text);
	chart_caption(1, text, drawing->sink);
	chart_legend(2, of_used, "room beside live blocks", 0, drawing->sink);
	chart_legend(3, of_kept, "free and kept", 0, drawing->sink);
	chart_legend(4, of_mapped, "mapped", 0, drawing->sink);
	if (!over_time->rss_count)
		return;
	chart_legend(5, of_rss, over_time->rss_is_of_tree ? "resident, all processes" : "resident",
		     0, drawing->sink);
	snprintf(text, sizeof text, "peak %s",
		 number_bytes(over_time->rss[over_time->rss_peak].bytes).text);
	chart_caption(6, text, drawing->sink);
}

void timeline_svg(const struct study *study, const struct over_time *over_time, enum time_axis axis,
		  struct sink *sink)
{
	struct drawing drawing = {over_time, axis, (double)instant_on(&over_time->end, axis),
				  (double)over_time_highest(over_time), sink};

	chart_begin(study, "Heap", sink);
	put_grid(&drawing);
	put_area(&drawing, held_of, "#d9d9d9");
	put_area(&drawing, used_of, "#56b4e9");
	put_area(&drawing, live_of, "#0072b2");
	put_line(&drawing, mapped_of, of_mapped);
	put_rss(&drawing);
	put_marks(&drawing);
	put_peaks(&drawing);
	put_ticks(&drawing);
	put_legend(&drawing);
	chart_end("Each step is the moment of its time when most was live, as of slow calls.", sink);
}
