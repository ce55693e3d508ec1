/* SPDX-License-Identifier: MIT */
/* diff.c: the text of a diff: what was compared, in words, totals, then sites. */
#include "render/diff.h"

#include "render/command.h"
#include "render/gaps.h"
#include "render/sites.h"
#include "render/tables.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COMMAND_COLUMNS = 60 };

const char *const diff_side_words[DIFF_SIDES] = {"before", "after"};

/* --- figures --------------------------------------------------------------------------------------------- */

static struct number number_for(const struct diff *diff, double value)
{
	return site_figure_is_bytes(diff->figure) ? number_bytes(sites_whole(value))
						  : number_count(sites_whole(value));
}

static struct number with_sign(bool is_more, bool is_less, struct number number)
{
	struct number signed_number;

	snprintf(signed_number.text, sizeof signed_number.text, "%s%.40s",
		 is_more   ? "+"
		 : is_less ? "-"
			   : "",
		 number.text);
	return signed_number;
}

static struct number change_of(const struct diff *diff, const struct diff_row *row)
{
	return with_sign(row->change > 0, row->change < 0, number_for(diff, fabs(row->change)));
}

/* How far the change may lie off. */
static struct number error_of(const struct diff *diff, const struct diff_row *row)
{
	double off = fmax(row->interval.high - row->change, row->change - row->interval.low);
	struct number exact = {"exact"};

	return row->is_estimated ? number_for(diff, off) : exact;
}

/* --- words ----------------------------------------------------------------------------------------------- */

static void put_recordings(const struct diff *diff, const struct diff_view *view, struct sink *sink)
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		char *command = command_of_all(diff->study[side]);
		sink_style(sink, STYLE_TITLE);
		sink_print(sink, "%-6s  ", diff_side_words[side]);
		sink_name(sink, command, COMMAND_COLUMNS);
		sink_style(sink, STYLE_PLAIN);
		sink_print(sink, " (");
		sink_name(sink, view->names[side], 0);
		sink_print(sink, ")\n");
		free(command);
	}
}

static void say_all(const struct diff *diff, struct sink *sink)
{
	const struct diff_row *all = &diff->all;

	paragraph_begin_indented(sink);
	sink_print(sink, "%s %s: %s before, %s after (%s",
		   site_figure_is_bytes(diff->figure) ? "Bytes" : "Blocks",
		   diff_figure_words[diff->of], number_for(diff, all->value[DIFF_BEFORE]).text,
		   number_for(diff, all->value[DIFF_AFTER]).text,
		   all->change == 0 ? "no change" : change_of(diff, all).text);
	if (all->is_estimated)
		sink_print(sink, ", +- %s", error_of(diff, all).text);
	sink_print(sink, ").\n");
}

static void say_marks(const struct diff *diff, struct sink *sink)
{
	paragraph_begin_indented(sink);
	sink_print(sink, "Call sites: ");
	for (enum diff_mark mark = 0; mark < DIFF_MARK_COUNT; mark++)
		sink_print(sink, "%s%s %s", mark ? ", " : "", number_count(diff->marks[mark]).text,
			   mark == DIFF_MARK_SAME ? "as they were" : diff_mark_keys[mark]);
	sink_print(sink, ".\n");
}

static void say_chance(const struct diff *diff, struct sink *sink)
{
	if (!diff->chance_count)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink,
		   "%s of %s may be chance (?): so much may lie between two samples of the same "
		   "program. POOLMEM=sites=all records each block.\n",
		   number_count(diff->chance_count).text,
		   number_of(diff->changed_count, "change").text);
}

/* How the sites of one side were recorded, and which names are missing: what has none compares by address. */
static void say_side(const struct diff *diff, enum diff_side side, struct sink *sink)
{
	paragraph_begin_indented(sink);
	sink_print(sink, "Of %s:\n", diff_side_words[side]);
	sites_words_mode(diff->sites[side], sink);
	gaps_text(diff->sites[side]->stacks.naming, sink);
}

/* --- totals ---------------------------------------------------------------------------------------------- */

static struct number metric_number(enum metric which, uint64_t value)
{
	switch (metric_units[which]) {
	case UNIT_BYTES: return number_bytes(value);
	case UNIT_NS: return number_duration(value);
	default: return number_count(value);
	}
}

static struct number share_of_change(uint64_t before, uint64_t after)
{
	struct number share = {"-"};

	if (before)
		snprintf(share.text, sizeof share.text, "%+.1f %%",
			 100 * ((double)after - (double)before) / (double)before);
	return share;
}

static void put_metric(const struct diff *diff, enum metric which, struct table *table)
{
	const struct metrics *was = &diff->study[DIFF_BEFORE]->total.metrics;
	const struct metrics *is = &diff->study[DIFF_AFTER]->total.metrics;
	uint64_t before = metric(was, which), after = metric(is, which);

	if (!was->value[which].is_known || !is->value[which].is_known)
		return;
	table_cell(table,
		   with_sign(after > before, after < before,
			     metric_number(which, after > before ? after - before : before - after))
			   .text);
	table_cell(table, share_of_change(before, after).text);
	table_cell(table, metric_number(which, before).text);
	table_cell(table, metric_number(which, after).text);
	table_cell(table, metric_keys[which]);
}

static void put_metrics(const struct diff *diff, struct sink *sink)
{
	static const enum metric shown[] = {
		METRIC_ALLOC_COUNT,   METRIC_ALLOC_BYTES,     METRIC_FREE_COUNT,
		METRIC_REALLOC_COUNT, METRIC_LIVE_BLOCKS,     METRIC_LIVE_BYTES,
		METRIC_LIVE_PEAK,     METRIC_LEAK_BLOCKS,     METRIC_LEAK_BYTES,
		METRIC_RSS_PEAK,      METRIC_PROCESS_ELAPSED,
	};
	static const struct column columns[] = {
		{"change", COLUMN_NUMBER, 0}, {"", COLUMN_NUMBER, 0},
		{"before", COLUMN_NUMBER, 0}, {"after", COLUMN_NUMBER, 0},
		{"total", COLUMN_TEXT, 0},
	};
	struct table table;

	table_title(sink, "Totals", 0, 0);
	table_begin(&table, columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		put_metric(diff, shown[i], &table);
	table_end(&table, sink);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

/* As it is now, or was when it is gone. */
static enum diff_side side_of(const struct diff_row *row)
{
	return row->site[DIFF_AFTER] ? DIFF_AFTER : DIFF_BEFORE;
}

static char *place_of(const struct diff *diff, const struct diff_row *row)
{
	enum diff_side side = side_of(row);
	return sites_place(diff->sites[side], row->site[side], false);
}

static bool is_sampled(const struct diff *diff)
{
	return diff->sites[DIFF_BEFORE]->period_max > 1 || diff->sites[DIFF_AFTER]->period_max > 1;
}

static void put_row(const struct diff *diff, const struct diff_row *row, struct table *table)
{
	char mark[16], *place = place_of(diff, row);

	snprintf(mark, sizeof mark, "%s%s", diff_mark_keys[row->mark], row->is_chance ? "?" : "");
	table_cell(table, change_of(diff, row).text);
	if (is_sampled(diff))
		table_cell(table, error_of(diff, row).text);
	table_cell(table, number_for(diff, row->value[DIFF_BEFORE]).text);
	table_cell(table, number_for(diff, row->value[DIFF_AFTER]).text);
	table_cell(table, mark);
	table_cell(table, place);
	free(place);
}

static void put_table(const struct diff *diff, size_t rows, struct sink *sink)
{
	struct column columns[6];
	struct table table;
	size_t count = 0;

	columns[count++] = (struct column){"change", COLUMN_NUMBER, 0};
	if (is_sampled(diff))
		columns[count++] = (struct column){"+-", COLUMN_NUMBER, 0};
	columns[count++] = (struct column){"before", COLUMN_NUMBER, 0};
	columns[count++] = (struct column){"after", COLUMN_NUMBER, 0};
	columns[count++] = (struct column){"", COLUMN_TEXT, 0};
	columns[count++] = (struct column){"allocated by < called by", COLUMN_TEXT, 0};
	table_begin(&table, columns, count);
	for (size_t i = 0; i < rows; i++)
		put_row(diff, &diff->rows[i], &table);
	table_end(&table, sink);
}

static void put_stacks(const struct diff *diff, size_t rows, struct sink *sink)
{
	for (size_t i = 0; i < rows; i++) {
		const struct diff_row *row = &diff->rows[i];
		enum diff_side side = side_of(row);
		struct sites *sites = diff->sites[side];
		sink_print(sink, "\n  %s", change_of(diff, row).text);
		if (row->is_estimated)
			sink_print(sink, " (+- %s)", error_of(diff, row).text);
		sink_print(sink, ", %s%s; before %s, after %s\n", diff_mark_keys[row->mark],
			   row->is_chance ? "?" : "", number_for(diff, row->value[DIFF_BEFORE]).text,
			   number_for(diff, row->value[DIFF_AFTER]).text);
		sites_stack(sites, row->site[side], (struct walk){row->site[side]->place, 0}, true,
			    sink);
	}
}

static void put_sites(const struct diff *diff, const struct diff_view *view, struct sink *sink)
{
	size_t rows = view_rows(&view->view, diff->count);
	char text[160];
	int used = snprintf(text, sizeof text, "Call sites by %s of %s %s",
			    diff_order_words[diff->order],
			    site_figure_is_bytes(diff->figure) ? "bytes" : "blocks",
			    diff_figure_words[diff->of]);

	if (!diff->count)
		return;
	if (diff->count < diff->changed_count)
		snprintf(text + used, sizeof text - (size_t)used,
			 ": %zu of %zu that changed match the filter", diff->count,
			 diff->changed_count);
	table_title(sink, text, rows, diff->count);
	if (view->stacks)
		put_stacks(diff, rows, sink);
	else
		put_table(diff, rows, sink);
}

static void put_notes(const struct diff *diff, struct sink *sink)
{
	for (int side = 0; side < DIFF_SIDES; side++) {
		const struct notes *notes = &diff->study[side]->total.notes;
		if (words_has_notes(notes))
			sink_print(sink, "\nOf %s:\n", diff_side_words[side]);
		words_notes(notes, sink);
	}
}

void diff_text(const struct diff *diff, const struct diff_view *view, struct sink *sink)
{
	put_recordings(diff, view, sink);
	sink_print(sink, "\n");
	say_all(diff, sink);
	say_marks(diff, sink);
	say_chance(diff, sink);
	for (enum diff_side side = 0; side < DIFF_SIDES; side++)
		say_side(diff, side, sink);
	put_metrics(diff, sink);
	put_sites(diff, view, sink);
	put_notes(diff, sink);
}
