/* SPDX-License-Identifier: MIT */
/* variants.c: see variants.h. */
#include "render/variants.h"

#include "render/compare.h"
#include "render/json.h"
#include "text/number.h"
#include "text/paragraph.h"
#include "text/table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NS_PER_S = 1e9;
static const double RATIO_MAX = 100; /* to nearly nothing */
static const double LITTLE = 0.03;
static const double MUCH_SPREAD = 0.1; /* in time: what costs less does not show */

/* --- the table ------------------------------------------------------------------------------------------ */

static void cell_of_part(struct table *table, double part, const char *format)
{
	char text[32];

	snprintf(text, sizeof text, format, 100 * part);
	table_cell(table, text);
}

static void cell_of_ratio(struct table *table, uint64_t part, uint64_t whole)
{
	double ratio = whole ? (double)part / (double)whole : 0;
	char text[32] = "-"; /* of nothing */

	if (ratio >= RATIO_MAX)
		snprintf(text, sizeof text, ">%.0f", RATIO_MAX - 1);
	else if (whole)
		snprintf(text, sizeof text, "%.2f", ratio);
	table_cell(table, text);
}

/* What poolmem takes, or how much more another does; "=": none that can be told; "?": too few replays. */
static void cell_of_figure(struct table *table, const struct compare_row *row,
			   const struct variant_row *variant, enum variant_figure figure)
{
	uint64_t value = variant_figure_of(row, figure)->median;
	char text[32];

	if (variant && !variant->change[figure].is_told) {
		table_cell(table, variant->verdict == VARIANT_UNKNOWN ? "?" : "=");
	} else if (variant) {
		cell_of_part(table, variant->change[figure].part, "%+.1f %%");
	} else if (figure == VARIANT_TIME) {
		snprintf(text, sizeof text, "%.3f s", (double)value / NS_PER_S);
		table_cell(table, text);
	} else {
		table_cell(table, figure == VARIANT_FAULTS ? number_count(value).text
							   : number_bytes(value).text);
	}
}

static void put_row(struct table *table, const struct variants_view *view,
		    const struct compare_row *row, const struct variant_row *variant)
{
	table_cell(table, row->name);
	cell_of_figure(table, row, variant, VARIANT_PEAK);
	cell_of_part(table, variant_spread(row, VARIANT_PEAK), "%.1f %%");
	cell_of_ratio(table, row->of[COMPARE_PEAK].median, view->comparison->replay->live_peak);
	cell_of_figure(table, row, variant, VARIANT_MEAN);
	cell_of_figure(table, row, variant, VARIANT_END);
	cell_of_ratio(table, row->of[COMPARE_END].median, view->comparison->replay->live_end);
	cell_of_figure(table, row, variant, VARIANT_TIME);
	cell_of_part(table, variant_spread(row, VARIANT_TIME), "%.1f %%");
	cell_of_figure(table, row, variant, VARIANT_FAULTS);
}

static void put_table(const struct variants_view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"what if", COLUMN_TEXT, 0},  {"peak", COLUMN_NUMBER, 0},
		{"spread", COLUMN_NUMBER, 0}, {"x live", COLUMN_NUMBER, 0},
		{"mean", COLUMN_NUMBER, 0},   {"at the end", COLUMN_NUMBER, 0},
		{"x live", COLUMN_NUMBER, 0}, {"processor", COLUMN_NUMBER, 0},
		{"spread", COLUMN_NUMBER, 0}, {"faults", COLUMN_NUMBER, 0},
	};
	struct table table;

	table_begin(&table, columns, sizeof columns / sizeof *columns);
	put_row(&table, view, view->study->own, NULL);
	for (size_t i = 0; i < view->study->row_count; i++)
		put_row(&table, view, view->study->row[i].runs, &view->study->row[i]);
	table_end(&table, sink);
}

/* --- sentences ------------------------------------------------------------------------------------------ */

static void put_capital(const char *words, struct sink *sink)
{
	sink_print(sink, "%c%s", toupper((unsigned char)words[0]), words + 1);
}

/* "3.1 % less at the peak", "1.0 % more time"; returns whether there is anything to say. */
static bool put_change(const struct variant_row *row, enum variant_figure figure, bool is_first,
		       struct sink *sink)
{
	const struct variant_change *change = &row->change[figure];

	if (!change->is_told)
		return false;
	sink_print(sink, "%s%.1f %% %s %s", is_first ? "" : ", ", 100 * fabs(change->part),
		   change->part > 0           ? "more"
		   : figure == VARIANT_FAULTS ? "fewer"
					      : "less",
		   variant_figure_words[figure]);
	return true;
}

static bool is_little(const struct variant_row *row)
{
	for (unsigned figure = 0; figure < VARIANT_FAULTS; figure++)
		if (row->change[figure].is_told && fabs(row->change[figure].part) >= LITTLE)
			return false;
	return true;
}

static bool put_changes(const struct variant_row *row, struct sink *sink)
{
	bool any = false;

	for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++)
		any |= put_change(row, figure, !any, sink);
	return any;
}

static void put_sentence(const struct variant_row *row, struct sink *sink)
{
	paragraph_begin(sink, 2);
	put_capital(row->variant->words, sink);
	sink_print(sink, ": ");
	if (row->verdict == VARIANT_UNKNOWN)
		sink_print(sink, "too few replays to tell a difference");
	else if (!put_changes(row, sink))
		sink_print(sink, "no difference that can be told");
	else if (!row->change[VARIANT_TIME].is_told)
		sink_print(sink, "; the same time, as far as can be told");
	sink_print(sink, ".\n");
}

static void put_sentences(const struct variants_view *view, struct sink *sink)
{
	for (size_t i = 0; i < view->study->row_count; i++)
		put_sentence(&view->study->row[i], sink);
}

/* --- the conclusion ------------------------------------------------------------------------------------- */

static void put_best(const struct variant_row *best, struct sink *sink)
{
	sink_print(sink, "What to change: %s. ", best->variant->words);
	put_changes(best, sink);
	sink_print(sink, "%s nothing in memory or time is told to be worse. ",
		   best->change[VARIANT_FAULTS].is_told && best->change[VARIANT_FAULTS].part > 0
			   ? "; but for these faults"
			   : ", and");
	if (is_little(best))
		sink_print(sink, "That is little: more --runs will tell. ");
	if (best->variant->kind == VARIANT_SET)
		sink_print(sink, "POOLMEM=%s does it.\n", best->variant->how);
	else
		sink_print(sink, "It is a constant: make EXTRA_CFLAGS='%s'.\n", best->variant->how);
}

static bool is_any(const struct variants_view *view, enum variant_verdict verdict)
{
	for (size_t i = 0; i < view->study->row_count; i++)
		if (view->study->row[i].verdict == verdict)
			return true;
	return false;
}

static void put_none(const struct variants_view *view, struct sink *sink)
{
	sink_print(sink, "What to change: ");
	if (is_any(view, VARIANT_BETTER))
		sink_print(sink,
			   "nothing that --fast can tell. What less is taken is by values of the purge, "
			   "which hang on the program's time: replay without --fast.\n");
	else if (is_any(view, VARIANT_TRADE))
		sink_print(sink, "nothing without a price. Of the values above some "
				 "take less in one thing and more in another.\n");
	else
		sink_print(sink, "nothing. None of these values takes less.\n");
}

static void put_conclusion(const struct variants_view *view, struct sink *sink)
{
	const struct variants_study *study = view->study;

	paragraph_begin(sink, 2);
	if (study->own->runs < study->runs_min)
		sink_print(sink,
			   "What to change: so few replays part nothing from chance; it takes %zu of "
			   "each, see --runs.\n",
			   study->runs_min);
	else if (study->best)
		put_best(study->best, sink);
	else
		put_none(view, sink);
	if (study->row_count > 1) {
		paragraph_begin(sink, 2);
		sink_print(sink, "Each was changed alone; two together may do otherwise.\n");
	}
}

static void put_caveats(const struct variants_view *view, struct sink *sink)
{
	for (size_t i = 0; i < view->comparison->row_count; i++) {
		const struct compare_row *row = &view->comparison->row[i];
		if (row->state == COMPARE_DONE || row->state == COMPARE_UNTRIED)
			continue;
		paragraph_begin(sink, 2);
		sink_print(sink, "%s: %s: %s.\n",
			   row->state == COMPARE_MISSING ? "Not tried" : "Failed", row->name,
			   row->why);
	}
	double spread = variant_spread(view->study->own, VARIANT_TIME);
	if (spread > MUCH_SPREAD) {
		paragraph_begin(sink, 2);
		sink_print(sink,
			   "Replays of one and the same differ by %.0f %% in time: what costs less "
			   "than that may not show.\n",
			   100 * spread);
	}
	if (view->comparison->replay->waits)
		return;
	paragraph_begin(sink, 2);
	sink_print(sink, "The program's time was not kept (--fast): what hangs on the delay of the "
			 "purge is not as it was for the program.\n");
}

static void put_notes(const struct variants_view *view, struct sink *sink)
{
	struct compare_note notes[COMPARE_NOTES_MAX];
	size_t count = compare_notes(view->comparison, notes);

	for (size_t i = 0; i < count; i++) {
		paragraph_begin(sink, 2);
		sink_print(sink, "%s\n", notes[i].text);
	}
}

void variants_text(const struct variants_view *view, struct sink *sink)
{
	compare_trace(view->comparison, sink);
	sink_print(sink, "\n");
	put_table(view, sink);
	sink_print(sink, "\n");
	if (view->comparison->interrupted) {
		paragraph_begin(sink, 2);
		compare_interruption(view->comparison, sink);
	}
	put_sentences(view, sink);
	sink_print(sink, "\n");
	put_conclusion(view, sink);
	put_caveats(view, sink);
	put_notes(view, sink);
}

/* --- for machines --------------------------------------------------------------------------------------- */

static json_t *json_of_changes(const struct variant_row *row)
{
	json_t *changes = json_object();

	for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++)
		json_put(changes, variant_figure_keys[figure],
			 json_pack("{s:f, s:b}", "part", row->change[figure].part, "told",
				   row->change[figure].is_told));
	return changes;
}

static json_t *json_of_row(const struct variant_row *row)
{
	const struct variant *variant = row->variant;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", variant->name, "parameter",
			 variant_parameters[variant->parameter], "value", variant_value(variant),
			 variant->kind == VARIANT_SET ? "setting" : "flags", variant->how, "words",
			 variant->words, "verdict", variant_verdict_keys[row->verdict], "change",
			 json_of_changes(row));
}

static json_t *json_of_missing(const struct variants_view *view)
{
	json_t *missing = json_array();

	for (size_t i = 0; i < view->comparison->row_count; i++) {
		const struct compare_row *row = &view->comparison->row[i];
		if (row->state != COMPARE_DONE)
			json_array_append_new(missing, json_pack("{s:s, s:o}", "name", row->name,
								 "why", json_text(row->why)));
	}
	return missing;
}

void variants_json(const struct variants_view *view, struct sink *sink)
{
	const struct variant_row *best = view->study->best;
	json_t *document = compare_document(view->comparison), *rows = json_array();

	for (size_t i = 0; i < view->study->row_count; i++)
		json_array_append_new(rows, json_of_row(&view->study->row[i]));
	json_put(document, "what_if",
		 json_pack("{s:o, s:o, s:f, s:I, s:o}", "values", rows, "missing",
			   json_of_missing(view), "told_below", view->study->level, "runs_min",
			   (json_int_t)view->study->runs_min, "best",
			   best ? json_string(best->variant->name) : json_null()));
	json_print(document, sink);
}
