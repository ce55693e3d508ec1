/* SPDX-License-Identifier: MIT */
/* tables.c: see tables.h. */
#include "render/tables.h"
#include "model/saturate.h"

#include "render/command.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_INDENT = 2 };

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

void table_title(struct sink *sink, const char *text, size_t shown, size_t count)
{
	sink_print(sink, "\n");
	sink_style(sink, STYLE_TITLE);
	sink_print(sink, "%s", text);
	sink_style(sink, STYLE_PLAIN);
	if (shown < count)
		sink_print(sink, " (%zu of %zu; -n 0 shows all)", shown, count);
	sink_print(sink, "\n");
}

void table_title_of_classes(struct sink *sink, const char *text, size_t shown, size_t count,
			    size_t used)
{
	char filtered[96];

	snprintf(filtered, sizeof filtered,
		 "%s: %zu of %zu match the filter, 'all' counts every one", text, count, used);
	table_title(sink, count < used ? filtered : text, shown, count);
}

void table_cell_of_class(struct table *table, const struct class_row *row)
{
	bool is_number = row->kind == PM_CLASS_POOL && row->request_max;
	table_cell(table, is_number                    ? number_count(row->block_bytes).text
			  : row->kind == PM_CLASS_POOL ? "malloc(0)"
						       : row->name);
}

static void put_class(struct table *table, const struct class_row *row, const struct class_row *all,
		      bool is_kept)
{
	int64_t live_bytes = is_kept ? (int64_t)row->kept_bytes : class_net_bytes(row);
	int64_t all_bytes = is_kept ? (int64_t)all->kept_bytes : class_net_bytes(all);
	int64_t live = is_kept ? (int64_t)row->kept : class_net_blocks(row);

	table_cell(table, number_count(row->allocated).text);
	table_cell(table, number_share(row->allocated, all->allocated).text);
	table_cell(table, number_count(row->freed).text);
	table_cell(table, number_share(row->died_young, row->aged).text);
	table_cell(table, number_signed(live).text);
	table_cell(table, number_signed_bytes(live_bytes).text);
	table_cell(table, live_bytes < 0 || all_bytes <= 0
				  ? "-"
				  : number_share((uint64_t)live_bytes, (uint64_t)all_bytes).text);
}

void table_legend(struct sink *sink, const char *text)
{
	sink_style(sink, STYLE_FAINT);
	paragraph_begin(sink, SENTENCE_INDENT);
	sink_print(sink, "  %s\n", text);
	sink_style(sink, STYLE_PLAIN);
}

static void legend_of_classes(const struct figures *figures, struct sink *sink)
{
	bool has_length = !figures->generations.clocks_differ;
	char text[240];

	snprintf(text, sizeof text, "died young: of the freed, in the epoch they were born in%s%s%s",
		 has_length ? ", " : "", has_length ? words_epoch(&figures->generations).text : "",
		 has_length ? " long" : "");
	if (figures->classes.all.aged)
		table_legend(sink, text);
	if (figures->classes.has_inherited && figures->classes.all.freed)
		table_legend(
			sink,
			"kept: at least these of its own; some of the freed may have been inherited");
}

void table_of_classes(const struct figures *figures, const struct view *view, struct sink *sink)
{
	const struct class_table *classes = &figures->classes;
	static const struct column live_columns[] = {
		{"block", COLUMN_NUMBER, 0},      {"allocated", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},      {"freed", COLUMN_NUMBER, 0},
		{"died young", COLUMN_NUMBER, 0}, {"live", COLUMN_NUMBER, 0},
		{"live bytes", COLUMN_NUMBER, 0}, {"share", COLUMN_NUMBER, 0},
	};
	static const struct column kept_columns[] = {
		{"block", COLUMN_NUMBER, 0},      {"allocated", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},      {"freed", COLUMN_NUMBER, 0},
		{"died young", COLUMN_NUMBER, 0}, {"kept", COLUMN_NUMBER, 0},
		{"in bytes", COLUMN_NUMBER, 0},   {"share", COLUMN_NUMBER, 0},
	};
	size_t rows = view_rows(view, classes->count);
	struct table table;

	if (!classes->used_count)
		return;
	table_title_of_classes(sink, "Size classes", rows, classes->count, classes->used_count);
	legend_of_classes(figures, sink);
	if (classes->has_inherited)
		table_begin(&table, COLUMNS(kept_columns));
	else
		table_begin(&table, COLUMNS(live_columns));
	for (size_t i = 0; i < rows; i++) {
		table_cell_of_class(&table, &classes->rows[i]);
		put_class(&table, &classes->rows[i], &classes->all, classes->has_inherited);
	}
	if (classes->used_count > 1) {
		table_cell(&table, "all");
		put_class(&table, &classes->all, &classes->all, classes->has_inherited);
	}
	table_end(&table, sink);
}

static void put_pool(struct table *table, const char *name, const struct pool_row *row)
{
	table_cell(table, name);
	table_cell(table, number_count(row->pools).text);
	table_cell(table, number_bytes(row->bytes).text);
	table_cell(table, number_bytes(row->touched_bytes).text);
	table_cell(table, number_count(row->capacity).text);
	table_cell(table, number_count(row->live).text);
	table_cell(table, number_share(row->live, row->capacity).text);
}

static void put_run_blocks(const char *text, uint64_t count, uint64_t bytes, struct sink *sink)
{
	if (count)
		sink_print(sink, "  %s%s, %s\n", number_of(count, "block").text, text,
			   number_bytes(bytes).text);
}

static void put_arenas(const struct arena_figures *arenas, struct sink *sink)
{
	table_title(sink, "Arenas", 0, 0);
	paragraph_begin(sink, SENTENCE_INDENT);
	sink_print(sink,
		   "  %s, %s mapped; %s of it free, of that %s written to and not given back\n",
		   number_of(arenas->arenas, "arena").text, number_bytes(arenas->mapped_bytes).text,
		   number_bytes(arenas->free_bytes).text, number_bytes(arenas->dirty_bytes).text);
	put_run_blocks(" too large for a pool", arenas->large_blocks, arenas->large_bytes, sink);
	put_run_blocks(" mapped alone", arenas->huge_blocks, arenas->huge_bytes, sink);
}

void table_of_pools(const struct pool_table *pools, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"block", COLUMN_NUMBER, 0},     {"pools", COLUMN_NUMBER, 0},
		{"mapped", COLUMN_NUMBER, 0},    {"touched", COLUMN_NUMBER, 0},
		{"room for", COLUMN_NUMBER, 0},  {"live", COLUMN_NUMBER, 0},
		{"occupancy", COLUMN_NUMBER, 0},
	};
	size_t rows = view_rows(view, pools->count);
	struct table table;

	if (pools->arenas.arenas)
		put_arenas(&pools->arenas, sink);
	if (!pools->used_count)
		return;
	table_title_of_classes(sink, "Pools", rows, pools->count, pools->used_count);
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < rows; i++) {
		const struct pool_row *row = &pools->rows[i];
		bool is_empty_class = row->name[0] == '0';
		put_pool(&table, is_empty_class ? "malloc(0)" : number_count(row->block_bytes).text,
			 row);
	}
	if (pools->used_count > 1)
		put_pool(&table, "all", &pools->all);
	table_end(&table, sink);
}

void table_cell_of_part(struct table *table, double part, double whole, size_t columns)
{
	enum { COLUMN_MAX = 80 };
	char bar[COLUMN_MAX + 1];
	size_t most = columns < COLUMN_MAX ? columns : COLUMN_MAX;
	double share = whole > 0 ? part / whole : 0;
	size_t length = share < 1 ? (size_t)(share * (double)most + 0.5) : most;

	memset(bar, '#', length);
	bar[length] = 0;
	table_cell(table, bar);
}

void table_cell_of_age(struct table *table, const struct age_row *row)
{
	char age[32];

	if (row->age_min == row->age_max)
		snprintf(age, sizeof age, "%u", row->age_min);
	else if (row->age_max == UINT32_MAX)
		snprintf(age, sizeof age, "%u and more", row->age_min);
	else
		snprintf(age, sizeof age, "%u to %u", row->age_min, row->age_max);
	table_cell(table, age);
}

static void put_epoch(const struct generations *generations, struct sink *sink)
{
	char text[320];

	snprintf(text, sizeof text,
		 "an epoch is %s%s; blocks that outlive it enter generation 1, every %s time generation 2",
		 words_epoch(generations).text,
		 generations->clocks_differ ? " in the first process, others have other clocks" : "",
		 number_nth((uint64_t)generations->threshold[1] + 2).text);
	table_legend(sink, text);
}

/* The clock where it is not the one that most have. */
static void put_settings(const struct generations *generations, struct sink *sink)
{
	const uint32_t *threshold = generations->threshold;
	const char *clock = words_clock(generations);

	sink_print(sink, "(");
	if (clock && generations->clock != PM_CLOCK_ALLOCS)
		sink_print(sink, "gen.clock=%s, ", clock);
	sink_print(sink, "gen.threshold=%u:%u:%u)\n", threshold[0], threshold[1], threshold[2]);
}

static void put_sweeps(const struct generations *generations, struct sink *sink)
{
	const uint64_t *sweeps = generations->sweeps;

	paragraph_begin(sink, SENTENCE_INDENT);
	sink_print(sink, "  %s; sweeps at their ends: %s of generation 0, %s of 0 and 1, %s of all ",
		   number_of(generations->epochs, "epoch").text, number_count(sweeps[0]).text,
		   number_count(sweeps[1]).text, number_count(sweeps[2]).text);
	put_settings(generations, sink);
}

static void put_ages(const struct generations *generations, struct sink *sink)
{
	static const struct column columns[] = {
		{"generation", COLUMN_NUMBER, 0},
		{"age in epochs", COLUMN_NUMBER, 0},
		{"died", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
	};
	struct table table;

	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < generations->count; i++) {
		const struct age_row *row = &generations->rows[i];
		if (!row->died)
			continue;
		table_cell(&table, number_count(row->generation).text);
		table_cell_of_age(&table, row);
		table_cell(&table, number_count(row->died).text);
		table_cell(&table, number_share(row->died, generations->died_in_all).text);
	}
	table_end(&table, sink);
}

static void put_flow(struct table *table, const struct flow *blocks, const struct flow *bytes,
		     unsigned generation)
{
	table_cell(table, number_count(generation).text);
	table_cell(table, number_count(blocks->entered[generation]).text);
	table_cell(table, generation == GENERATION_COUNT - 1
				  ? "-"
				  : number_count(blocks->survived[generation]).text);
	table_cell(table, number_count(blocks->died[generation]).text);
	table_cell(table, number_count(blocks->live[generation]).text);
	table_cell(table, number_bytes(bytes->live[generation]).text);
}

static void put_flows(const struct survival *survival, struct sink *sink)
{
	static const struct column columns[] = {
		{"generation", COLUMN_NUMBER, 0}, {"entered", COLUMN_NUMBER, 0},
		{"survived", COLUMN_NUMBER, 0},   {"died", COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},       {"live bytes", COLUMN_NUMBER, 0},
	};
	struct table table;

	if (!survival_is_known(survival))
		return;
	table_begin(&table, COLUMNS(columns));
	for (unsigned generation = 0; generation < GENERATION_COUNT; generation++)
		put_flow(&table, &survival->blocks, &survival->bytes, generation);
	table_end(&table, sink);
	sink_print(sink, "\n");
}

void table_of_generations(const struct generations *generations, struct sink *sink)
{
	if (!generations->died_in_all)
		return;
	table_title(sink, "Generations: at which age blocks died", 0, 0);
	bool is_short = generations->has_epochs && !generations->epochs;
	if (is_short && generations->died_young == generations->died_in_all) {
		sink_print(sink, "  None outlived an epoch of %s: no epoch ended.\n",
			   words_epoch(generations).text);
		return;
	}
	put_epoch(generations, sink);
	if (generations->has_epochs)
		put_sweeps(generations, sink);
	put_flows(&generations->survival, sink);
	put_ages(generations, sink);
}

/* What there is to say of threads: their names, and that several held a slot. */
struct thread_columns {
	bool names, holders;
};

static struct thread_columns thread_columns_of(const struct process_study *process)
{
	struct thread_columns wanted = {false, false};

	for (size_t i = 0; i < process->slot_count; i++) {
		wanted.names |= *process->slots[i]->name;
		wanted.holders |= process->slots[i]->holders > 1;
	}
	wanted.holders |= !wanted.names;
	return wanted;
}

static void put_slot(struct table *table, const struct slot *slot,
		     const struct thread_columns *wanted)
{
	char tid[16];

	snprintf(tid, sizeof tid, "%u", slot->tid);
	table_cell(table, slot->use == PM_SLOT_THREAD ? tid : slot_use_key(slot->use));
	if (wanted->names)
		table_cell(table, *slot->name ? slot->name : "-");
	table_cell(table, slot->use != PM_SLOT_THREAD ? "-" : slot->held ? "yes" : "no");
	if (wanted->holders)
		table_cell(table, number_count(slot->holders).text);
	table_cell(table, number_count(at_least_none(slot->allocated)).text);
	table_cell(table, number_bytes(at_least_none(slot->allocated_bytes)).text);
	table_cell(table, number_count(slot->freed).text);
	table_cell(table, number_count(slot->counter[PM_COUNTER_REMOTE_FREE]).text);
}

void table_of_threads(const struct process_study *process, const struct view *view,
		      struct sink *sink)
{
	static const struct column figures[] = {
		{"allocated", COLUMN_NUMBER, 0},
		{"in bytes", COLUMN_NUMBER, 0},
		{"freed", COLUMN_NUMBER, 0},
	};
	const struct thread_columns wanted = thread_columns_of(process);
	struct column columns[8];
	size_t count = 0;
	size_t rows = view_rows(view, process->slot_count);
	struct table table;

	if (!process->slot_count || (process->slot_count == 1 && process->slots[0]->holders <= 1))
		return; /* a single thread has made all calls */
	columns[count++] = (struct column){"thread", COLUMN_TEXT, 0};
	if (wanted.names)
		columns[count++] = (struct column){"name", COLUMN_TEXT, wanted.holders ? 10 : 15};
	columns[count++] = (struct column){"alive", COLUMN_TEXT, 0};
	if (wanted.holders)
		columns[count++] = (struct column){"threads", COLUMN_NUMBER, 0};
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
		columns[count++] = figures[i];
	columns[count++] = (struct column){wanted.names ? "remote" : "remote frees", COLUMN_NUMBER,
					   0};
	table_title(sink, "Threads", rows, process->slot_count);
	if (wanted.holders)
		table_legend(sink, "a row counts one thread after the other; thread: the last, "
				   "threads: how many");
	if (wanted.names)
		table_legend(sink, "remote: frees of blocks that another thread's heap owns");
	table_begin(&table, columns, count);
	for (size_t i = 0; i < rows; i++)
		put_slot(&table, process->slots[i], &wanted);
	table_end(&table, sink);
}

static void put_process(struct table *table, const struct study *study,
			const struct process_study *process)
{
	const struct metrics *metrics = &process->figures.metrics;
	bool is_departed = process->process->kind == PROCESS_DEPARTED;
	char pid[16];

	snprintf(pid, sizeof pid, "%u", process->process->record.pid);
	table_cell(table, is_departed ? "-" : pid);
	table_cell(table, process_kind_key(process->process->kind));
	table_cell(table, words_state_brief(process->process).text);
	table_cell(table, number_count(metric(metrics, METRIC_ALLOC_COUNT)).text);
	table_cell(table, is_departed ? "-" : number_bytes(metric(metrics, METRIC_LIVE_BYTES)).text);
	table_cell(table, is_departed ? "-" : number_bytes(metric(metrics, METRIC_LIVE_PEAK)).text);
	char *command = command_of(study, process->process);
	table_cell(table, command);
	free(command);
}

void table_of_processes(const struct study *study, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"pid", COLUMN_NUMBER, 0},    {"kind", COLUMN_TEXT, 0},
		{"state", COLUMN_TEXT, 0},    {"allocated", COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},   {"peak", COLUMN_NUMBER, 0},
		{"command", COLUMN_TEXT, 60},
	};
	size_t rows = view_rows(view, study->process_count);
	struct table table;

	table_title(sink, "Processes", rows, study->process_count);
	if (study->fork_count)
		table_legend(
			sink,
			"exec: a program that was started; fork: a child that it forked, live and "
			"peak with what it inherited");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < rows; i++)
		put_process(&table, study, study->ranked[i]);
	table_end(&table, sink);
}
