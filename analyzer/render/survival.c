/* SPDX-License-Identifier: MIT */
/* survival.c: the text of survival: what it says in words, then tables. */
#include "render/survival.h"

#include "render/glance.h"
#include "render/tables.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>

enum { BAR_COLUMNS = 16, LAST_BAR_COLUMNS = 10, NAME_COLUMNS = 40, INDENT = 2 };

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

static void put_share_and_bar(struct table *table, uint64_t part, uint64_t whole)
{
	table_cell(table, number_share(part, whole).text);
	table_cell_of_part(table, (double)part, (double)whole, BAR_COLUMNS);
}

/* --- generations -------------------------------------------------------------------------------------- */

typedef struct number show_figure(uint64_t figure);

static void put_flow(struct table *table, const struct flow *flow, show_figure *show,
		     unsigned generation)
{
	bool is_last = generation == GENERATION_COUNT - 1;

	table_cell(table, show(flow->entered[generation]).text);
	table_cell(table, is_last ? "-" : show(flow->survived[generation]).text);
	table_cell(table, show(flow->died[generation]).text);
	table_cell(table, show(flow->live[generation]).text);
	if (flow_frozen(flow))
		table_cell(table, is_last ? show(flow_frozen(flow)).text : "-");
}

static void put_flows(const struct generations *generations, const struct flow *flow,
		      show_figure *show, struct sink *sink)
{
	static const struct column columns[] = {
		{"generation", COLUMN_NUMBER, 0}, {"sweeps", COLUMN_NUMBER, 0},
		{"entered", COLUMN_NUMBER, 0},    {"survived", COLUMN_NUMBER, 0},
		{"died", COLUMN_NUMBER, 0},       {"live", COLUMN_NUMBER, 0},
		{"frozen", COLUMN_NUMBER, 0},
	};
	size_t count = sizeof columns / sizeof *columns - !flow_frozen(flow);
	struct table table;

	table_begin(&table, columns, count);
	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		table_cell(&table, number_count(g).text);
		table_cell(&table, number_count(generations->sweeps[g]).text);
		put_flow(&table, flow, show, g);
	}
	table_end(&table, sink);
}

static void put_generations(const struct generations *generations, struct sink *sink)
{
	const struct survival *survival = &generations->survival;

	if (!survival_says_anything(survival))
		return;
	table_title(sink, "Generations, in blocks", 0, 0);
	table_legend(sink, "entered: born, come from a younger one, or inherited by a forked child");
	put_flows(generations, &survival->blocks, number_count, sink);
	table_title(sink, "Generations, in usable bytes", 0, 0);
	put_flows(generations, &survival->bytes, number_bytes, sink);
}

/* --- ages ------------------------------------------------------------------------------------------------ */

static void put_curve(const struct curve *curve, size_t departed, struct sink *sink)
{
	static const struct column columns[] = {
		{"age in epochs", COLUMN_NUMBER, 0},
		{"blocks older", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
		{"bytes older", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
	};
	struct table table;

	if (!curve->count)
		return;
	table_title(sink, "Survival: how much of what was born outlived an age", 0, 0);
	table_legend(
		sink,
		departed ? "what still lives counts as having outlived each age; departed children, of "
			   "which only deaths are known, are left out"
			 : "what still lives counts as having outlived each age");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < curve->count; i++) {
		table_cell(&table, number_count(curve->points[i].age).text);
		put_share_and_bar(&table, curve->points[i].blocks, curve->born);
		put_share_and_bar(&table, curve->points[i].bytes, curve->born_bytes);
	}
	table_end(&table, sink);
}

static void put_deaths(const struct generations *generations, struct sink *sink)
{
	static const struct column columns[] = {
		{"generation", COLUMN_NUMBER, 0},
		{"age in epochs", COLUMN_NUMBER, 0},
		{"died", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
		{"in bytes", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
	};
	struct table table;

	if (!generations->died_in_all)
		return;
	table_title(sink, "Age at death", 0, 0);
	if (generations->survival.blocks.frozen_died)
		table_legend(sink, "those that died frozen stand among the oldest");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < generations->count; i++) {
		const struct age_row *row = &generations->rows[i];
		if (!row->died)
			continue;
		table_cell(&table, number_count(row->generation).text);
		table_cell_of_age(&table, row);
		table_cell(&table, number_count(row->died).text);
		table_cell(&table, number_share(row->died, generations->died_in_all).text);
		table_cell(&table, number_bytes(row->died_bytes).text);
		table_cell(&table,
			   number_share(row->died_bytes, generations->died_bytes_in_all).text);
		table_cell_of_part(&table, (double)row->died, (double)generations->died_in_all,
				   LAST_BAR_COLUMNS);
	}
	table_end(&table, sink);
}

/* --- size classes ---------------------------------------------------------------------------------------- */

/* Whose deaths are those of the child's own blocks, nobody knows. */
static void legend_of_inherited(struct sink *sink)
{
	table_legend(sink, "the deaths of what forked children inherited are among them");
}

static void put_class(struct table *table, const struct class_row *row, bool is_known)
{
	table_cell(table, number_count(row->allocated).text);
	table_cell(table, number_share(row->died_young, row->allocated).text);
	if (!is_known)
		return;
	table_cell(table, number_count(row->flow.entered[2]).text);
	table_cell(table, number_share(row->flow.entered[2], row->flow.entered[0]).text);
	table_cell(table, number_count(row->flow.live[2]).text);
	table_cell(table, number_bytes(row->flow_bytes.live[2]).text);
}

static void put_classes(const struct figures *figures, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"block", COLUMN_NUMBER, 0},      {"allocated", COLUMN_NUMBER, 0},
		{"died young", COLUMN_NUMBER, 0}, {"became old", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},      {"live old", COLUMN_NUMBER, 0},
		{"in bytes", COLUMN_NUMBER, 0},
	};
	enum { COLUMNS_ALWAYS = 3 };
	const struct class_table *classes = &figures->classes;
	const struct survival *survival = &figures->generations.survival;
	bool is_known = survival_says_anything(survival);
	size_t rows = view_rows(view, classes->count);
	struct table table;

	if (!classes->used_count)
		return;
	table_title_of_classes(sink, "Size classes", rows, classes->count, classes->used_count);
	table_legend(sink,
		     "died young: of the allocated, in the epoch they were born in; became old: came "
		     "to generation 2");
	if (classes->has_inherited)
		legend_of_inherited(sink);
	table_begin(&table, columns, is_known ? sizeof columns / sizeof *columns : COLUMNS_ALWAYS);
	for (size_t i = 0; i < rows; i++) {
		table_cell_of_class(&table, &classes->rows[i]);
		put_class(&table, &classes->rows[i], is_known);
	}
	if (classes->used_count > 1) {
		table_cell(&table, "all");
		put_class(&table, &classes->all, is_known);
	}
	table_end(&table, sink);
}

/* --- phases ---------------------------------------------------------------------------------------------- */

static void put_phase(struct table *table, const struct phase *phase)
{
	table_cell(table, number_duration(phase->elapsed_ns).text);
	table_cell(table, number_count(phase->allocated).text);
	table_cell(table, number_count(phase->died).text);
	table_cell(table, number_share(phase->died_young, phase->allocated).text);
	table_cell(table, number_count(phase->live).text);
	table_cell(table, number_bytes(phase->live_bytes).text);
	table_cell(table, phase->name ? phase->name : "(start)");
}

static void put_phases(const struct figures *figures, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"time", COLUMN_NUMBER, 0},           {"allocated", COLUMN_NUMBER, 0},
		{"died", COLUMN_NUMBER, 0},           {"young", COLUMN_NUMBER, 0},
		{"live then", COLUMN_NUMBER, 0},      {"in bytes", COLUMN_NUMBER, 0},
		{"phase", COLUMN_TEXT, NAME_COLUMNS},
	};
	const struct phases *phases = &figures->phases;
	size_t rows = view_rows(view, phases->count);
	struct table table;

	if (!phases->count)
		return;
	table_title(sink, "Phases", rows, phases->count);
	table_legend(
		sink,
		"a phase begins at the mark of its name; young: deaths in the epoch of birth, for "
		"each block allocated; live then: at its end");
	if (figures->classes.has_inherited)
		legend_of_inherited(sink);
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < rows; i++)
		put_phase(&table, &phases->list[i]);
	table_end(&table, sink);
}

/* --- what if --------------------------------------------------------------------------------------------- */

static void put_expected(struct table *table, unsigned generation, const char *what,
			 uint64_t recorded, struct what_if_range range)
{
	table_cell(table, number_count(generation).text);
	table_cell(table, what);
	table_cell(table, number_count(recorded).text);
	table_cell(table, number_count(range.low).text);
	table_cell(table, number_count(range.high).text);
}

static void put_expectations(const struct what_if *what_if, struct sink *sink)
{
	static const struct column columns[] = {
		{"generation", COLUMN_NUMBER, 0},       {"", COLUMN_TEXT, 0},
		{"recorded", COLUMN_NUMBER, 0},         {"expected at least", COLUMN_NUMBER, 0},
		{"expected at most", COLUMN_NUMBER, 0},
	};
	const struct flow *flow = &what_if->recorded;
	const struct what_if_flow *expected = &what_if->blocks;
	struct table table;

	table_begin(&table, COLUMNS(columns));
	for (unsigned g = 0; g < GENERATION_COUNT; g++) {
		put_expected(&table, g, "sweeps", what_if->recorded_sweeps[g], what_if->sweeps[g]);
		put_expected(&table, g, "entered", flow->entered[g], expected->entered[g]);
		if (g + 1 < GENERATION_COUNT)
			put_expected(&table, g, "survived", flow->survived[g],
				     expected->survived[g]);
		put_expected(&table, g, "died", flow->died[g], expected->died[g]);
	}
	table_end(&table, sink);
}

static void put_what_if(const struct what_if *what_if, struct sink *sink)
{
	char text[96];

	if (!what_if)
		return;
	const uint32_t *threshold = what_if->threshold;
	snprintf(text, sizeof text, "What if gen.threshold were %u:%u:%u", threshold[0],
		 threshold[1], threshold[2]);
	table_title(sink, text, 0, 0);
	survival_words_what_if(what_if, sink);
	if (what_if->processes)
		put_expectations(what_if, sink);
}

/* --- the whole ------------------------------------------------------------------------------------------- */

static void put_tables(const struct figures *figures, const struct view *view, struct sink *sink)
{
	const struct generations *generations = &figures->generations;

	put_generations(generations, sink);
	put_curve(&figures->curve, generations->departed, sink);
	put_deaths(generations, sink);
	put_classes(figures, view, sink);
	put_phases(figures, view, sink);
}

static void put_section(const struct study *study, const struct process_study *process,
			const struct view *view, struct sink *sink)
{
	sink_print(sink, "\n");
	glance_heading_of(study, process, sink);
	survival_words(study, &process->figures, sink);
	put_tables(&process->figures, view, sink);
	words_notes(&process->figures.notes, sink);
}

static void say_phases(const struct study *study, struct sink *sink)
{
	if (study->marked_count < 2)
		return;
	paragraph_begin(sink, INDENT);
	sink_print(sink, "\n  %zu processes set marks: --all shows the phases of each.\n",
		   study->marked_count);
}

void survival_text(const struct study *study, const struct what_if *what_if,
		   const struct view *view, struct sink *sink)
{
	glance_heading(study, sink);
	if (study->process_count) {
		survival_words(study, &study->total, sink);
		put_what_if(what_if, sink);
		put_tables(&study->total, view, sink);
		say_phases(study, sink);
	}
	words_notes(&study->total.notes, sink);
	if (study->process_count < 2 || !view->all)
		return;
	for (size_t i = 0; i < study->process_count; i++)
		put_section(study, study->ranked[i], view, sink);
}
