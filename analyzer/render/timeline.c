/* SPDX-License-Identifier: MIT */
/* timeline.c: a process over time, drawn with characters. */
#include "render/timeline.h"

#include "render/tables.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 66, ROWS = 12, LABEL = 10, INDENT = 2, LETTERS = 26 };

struct number timeline_place(enum time_axis axis, uint64_t place)
{
	if (axis == AXIS_ALLOCS)
		return number_count(place);
	return place ? number_duration(place) : (struct number){"0 s"};
}

/* --- the chart ---------------------------------------------------------------------------------------- */

enum { LIVE = '#', ROOM = '+', KEPT = ':', MAPPED = '.', RESIDENT = 'R', NOTHING = ' ' };

struct chart {
	const struct over_time *over_time;
	enum time_axis axis;
	uint64_t highest;
	struct time_slice slices[COLUMNS];
};

static bool is_above(const struct chart *chart, uint64_t bytes, int row)
{
	return (double)bytes * ROWS > ((double)row + 0.5) * (double)chart->highest;
}

static bool is_at(const struct chart *chart, uint64_t bytes, int row)
{
	return is_above(chart, bytes, row) && !is_above(chart, bytes, row + 1);
}

static char cell(const struct chart *chart, const struct time_slice *slice, int row)
{
	const struct heap_point *heap = slice->heap;

	if (slice->rss && is_at(chart, slice->rss->bytes, row))
		return RESIDENT;
	if (!heap)
		return NOTHING;
	if (is_above(chart, heap->live_bytes, row))
		return LIVE;
	if (is_above(chart, heap->used_bytes, row))
		return ROOM;
	if (is_above(chart, heap->used_bytes + heap->kept_bytes, row))
		return KEPT;
	return is_above(chart, heap->committed_bytes, row) ? MAPPED : NOTHING;
}

static void put_row(const struct chart *chart, int row, struct sink *sink)
{
	char line[COLUMNS + 1];
	const char *label = "";
	struct number bytes = number_bytes(row == ROWS - 1 ? chart->highest : chart->highest / 2);
	size_t used = COLUMNS;

	if (row == ROWS - 1 || row == ROWS / 2 - 1)
		label = bytes.text;
	for (size_t i = 0; i < COLUMNS; i++)
		line[i] = cell(chart, &chart->slices[i], row);
	while (used && line[used - 1] == NOTHING)
		used--;
	line[used] = '\0';
	sink_print(sink, "%*s |%s\n", LABEL, label, line);
}

/* What stands below it: its beginning, middle and end. */
static void put_axis(const struct chart *chart, struct sink *sink)
{
	uint64_t end = instant_on(&chart->over_time->end, chart->axis);
	struct number middle = timeline_place(chart->axis, end / 2);
	struct number last = timeline_place(chart->axis, end);
	char rule[COLUMNS + 1];

	memset(rule, '-', COLUMNS);
	rule[COLUMNS] = '\0';
	sink_print(sink, "%*s +%s\n", LABEL, "0", rule);
	int before = COLUMNS / 2 - (int)strlen(middle.text) / 2;
	int after = COLUMNS - before - (int)strlen(middle.text);
	sink_print(sink, "%*s  %-*s%s%*s\n", LABEL, "", before, timeline_place(chart->axis, 0).text,
		   middle.text, after, last.text);
}

static void put_mark_letters(const struct chart *chart, struct sink *sink)
{
	const struct over_time *over_time = chart->over_time;
	char line[COLUMNS + 1];
	size_t used = 0;

	memset(line, ' ', COLUMNS);
	for (size_t i = 0; i < over_time->mark_count && i < LETTERS; i++) {
		size_t at = over_time_slice_of(over_time, chart->axis,
					       instant_on(&over_time->marks[i].at, chart->axis),
					       COLUMNS);
		line[at] = line[at] == ' ' ? (char)('a' + (int)i) : '*';
		used = at + 1 > used ? at + 1 : used;
	}
	line[used] = '\0';
	if (used)
		sink_print(sink, "%*s  %s\n", LABEL, "marks", line);
}

static void put_chart(const struct over_time *over_time, enum time_axis axis, struct sink *sink)
{
	struct chart chart = {
		.over_time = over_time, .axis = axis, .highest = over_time_highest(over_time)};

	for (size_t i = 0; i < COLUMNS; i++)
		chart.slices[i] = over_time_slice(over_time, axis, i, COLUMNS);
	for (int row = ROWS - 1; row >= 0; row--)
		put_row(&chart, row, sink);
	put_axis(&chart, sink);
	put_mark_letters(&chart, sink);
}

static void put_legend(const struct over_time *over_time, struct sink *sink)
{
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  %c live, %c room beside, touched or not, %c free and kept, %c mapped",
		   LIVE, ROOM, KEPT, MAPPED);
	if (over_time->rss_count)
		sink_print(sink, ", %c resident%s", RESIDENT,
			   over_time->rss_is_of_tree ? " (all processes)" : "");
	sink_print(sink, "\n");
}

/* --- in words ------------------------------------------------------------------------------------------ */

static void put_marks(const struct over_time *over_time, struct sink *sink)
{
	size_t shown = over_time->mark_count < LETTERS ? over_time->mark_count : LETTERS;
	size_t more = over_time->mark_count - shown + over_time->marks_lost;

	if (!shown)
		return;
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  Marks: ");
	for (size_t i = 0; i < shown; i++) {
		const struct mark_point *mark = &over_time->marks[i];
		sink_print(sink, "%s%c ", i ? "; " : "", 'a' + (int)i);
		sink_name(sink, mark->name, 0);
		sink_print(sink, " at %s, %s live", number_duration(mark->at.ns).text,
			   number_bytes(mark->live_bytes).text);
	}
	if (more)
		sink_print(sink, "; and %s more", number_count(more).text);
	sink_print(sink, ".\n");
}

static void put_instant(const struct over_time *over_time, const struct instant *at,
			struct sink *sink)
{
	sink_print(sink, "at %s of %s, after %s of %s", number_duration(at->ns).text,
		   number_duration(over_time->end.ns).text, number_count(at->allocations).text,
		   number_of(over_time->end.allocations, "allocation").text);
}

static void put_heap(const struct heap_point *point, struct sink *sink)
{
	sink_print(sink,
		   "%s of room beside live blocks (%s of what pools and large blocks held), %s free "
		   "and kept, %s mapped",
		   number_bytes(heap_point_room(point)).text,
		   number_share(heap_point_room(point), point->used_bytes).text,
		   number_bytes(point->kept_bytes).text, number_bytes(point->committed_bytes).text);
}

static void put_live_peak(const struct over_time *over_time, struct sink *sink)
{
	const struct heap_point *peak = &over_time->points[over_time->live_peak];

	paragraph_begin(sink, INDENT);
	sink_print(sink, "  Most live: %s, ",
		   words_bytes_within(over_time->live_most, &over_time->live_bound).text);
	put_instant(over_time, &peak->at, sink);
	sink_print(sink, "; with it ");
	put_heap(peak, sink);
	sink_print(sink, ".\n");
}

static void put_rss_peak(const struct over_time *over_time, struct sink *sink)
{
	paragraph_begin(sink, INDENT);
	if (!over_time->rss_count) {
		sink_print(sink, "  What was resident over time is not known: `poolmem run` looks "
				 "from outside.\n");
		return;
	}
	const struct rss_point *peak = &over_time->rss[over_time->rss_peak];
	const struct heap_point *heap = &over_time->points[over_time->at_rss_peak];
	sink_print(sink, "  Most resident when looked at: %s, at %s; about then %s were live, ",
		   number_bytes(peak->bytes).text, number_duration(peak->at.ns).text,
		   number_bytes(heap->live_bytes).text);
	put_heap(heap, sink);
	sink_print(sink, ".\n");
}

/* With what lives in the end: what a program frees last is no leak, however it grew. */
static void put_rate(const struct over_time *over_time, bool grows, struct number rate,
		     const char *unit, struct sink *sink)
{
	const struct heap_point *end = &over_time->points[over_time->count - 1];
	uint64_t most = over_time->points[over_time->live_peak].live_bytes;
	bool is_running = over_time->process->state == STATE_RUNNING;

	sink_print(sink, "what is live %s by %s per %s; ", grows ? "grows" : "shrinks", rate.text,
		   unit);
	if (!end->live_bytes)
		sink_print(sink, "%s.\n",
			   is_running ? "now nothing lives" : "at the end nothing lives");
	else
		sink_print(sink, "%s %s live, %s of the most.\n", is_running ? "now" : "at the end",
			   number_bytes(end->live_bytes).text,
			   number_share(end->live_bytes, most).text);
}

/* Below a plot by time the allocations tell another half: nothing, where that is not what `grows` says. */
static bool is_misleading(const struct slope *growth, enum time_axis axis, bool by_time, bool grows)
{
	return axis == AXIS_TIME && !by_time && grows && (growth->is_steady || growth->per_unit < 0);
}

static void put_growth(const struct over_time *over_time, enum time_axis axis, bool grows,
		       struct sink *sink)
{
	bool by_time = axis == AXIS_TIME && over_time->by_time.is_known;
	const struct slope *growth = by_time ? &over_time->by_time : &over_time->by_allocations;
	double rate = by_time ? fabs(growth->per_unit) : fabs(growth->per_unit) * 1000;

	if (!growth->is_known || is_misleading(growth, axis, by_time, grows))
		return;
	paragraph_begin(sink, INDENT);
	sink_print(sink, "  Over the later half of %s ", by_time ? "the time" : "the allocations");
	if (growth->is_steady)
		sink_print(sink, "what is live neither grows nor shrinks.\n");
	else
		put_rate(over_time, growth->per_unit > 0,
			 number_bytes((uint64_t)fmin(rate + 0.5, 9e18)),
			 by_time ? "second" : "1,000 allocations", sink);
}

void timeline_text(const struct over_time *over_time, enum time_axis axis, bool grows,
		   struct sink *sink)
{
	table_title(sink, axis == AXIS_TIME ? "Over time" : "Over the allocations", 0, 0);
	if (!over_time->count) {
		sink_print(sink, "  Not known: the program did too little, or an older libpoolmem.so "
				 "recorded it.\n");
		return;
	}
	put_chart(over_time, axis, sink);
	put_legend(over_time, sink);
	put_marks(over_time, sink);
	put_live_peak(over_time, sink);
	put_rss_peak(over_time, sink);
	put_growth(over_time, axis, grows, sink);
}
