/* SPDX-License-Identifier: MIT */
/* frag.c: the text of frag: what it says in words, then tables. */
#include "render/frag.h"

#include "model/saturate.h"
#include "render/glance.h"
#include "render/sites.h"
#include "render/tables.h"
#include "render/timeline.h"
#include "render/words.h"
#include "study/classes.h"
#include "text/allocate.h"
#include "text/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BAR_COLUMNS = 12 };

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

/* --- holders ----------------------------------------------------------------------------------------------- */

static char *name_of_class(const struct process *process, const struct holder *holder)
{
	enum { ROOM = 160 };
	const struct pm_class *size_class = &process->layout->classes[holder->size_class];
	const struct slot *slot = process_slot(process, holder->owner);
	char *name = allocate(ROOM, 1);
	size_t used = (size_t)snprintf(name, ROOM, "blocks of %s bytes",
				       number_count(size_class->block_bytes).text);

	if (process->slot_count <= 1)
		return name;
	if (slot && *slot->name)
		snprintf(name + used, ROOM - used, ", thread %u %s", slot->tid, slot->name);
	else if (slot && slot->tid)
		snprintf(name + used, ROOM - used, ", thread %u", slot->tid);
	else if (holder->owner)
		snprintf(name + used, ROOM - used, ", a thread that ended");
	return name;
}

char *frag_holder_name(struct frag *frag, struct frag_process *one, const struct holder *holder,
		       bool full_names)
{
	if (!holder->is_site)
		return name_of_class(one->process, holder);
	struct site site = frag_site(frag, one, holder->frame);
	return sites_place(frag->sites, &site, full_names);
}

/* --- waterfall --------------------------------------------------------------------------------------------- */

static void put_part(struct table *table, const char *name, uint64_t bytes, uint64_t whole,
		     const char *meaning)
{
	table_cell(table, name);
	table_cell(table, number_bytes(bytes).text);
	table_cell(table, number_share(bytes, whole).text);
	table_cell_of_part(table, (double)bytes, (double)whole, BAR_COLUMNS);
	table_cell(table, meaning);
}

static bool is_shown(const struct frag_process *one, unsigned part)
{
	const struct waterfall *waterfall = &one->waterfall;

	if (frag_lacks_pools(one))
		return part == WATERFALL_META || part == WATERFALL_TELEMETRY;
	if (part == WATERFALL_OTHER)
		return waterfall->knows_rss;
	return part != WATERFALL_SLACK || waterfall->split != SPLIT_NONE;
}

static const char *name_of_part(const struct waterfall *waterfall, unsigned part)
{
	bool is_both = part == WATERFALL_REQUESTED && waterfall->split == SPLIT_NONE;
	return is_both ? "live" : waterfall_name(part);
}

static void put_residual(const struct waterfall *waterfall, struct table *table)
{
	if (!waterfall->knows_rss)
		return;
	table_cell(table, "residual");
	table_cell(table, number_signed_bytes(waterfall->residual).text);
	table_cell(table, number_share((uint64_t)llabs(waterfall->residual), waterfall->rss).text);
	table_cell(table, "");
	table_cell(table, "not explained");
	put_part(table, "resident", waterfall->rss, waterfall->rss, "what the kernel says");
}

static void put_waterfall(const struct frag_process *one, struct sink *sink)
{
	const struct waterfall *waterfall = &one->waterfall;
	static const struct column columns[] = {
		{"part", COLUMN_TEXT, 0},       {"bytes", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},    {"", COLUMN_TEXT, 0},
		{"what it is", COLUMN_TEXT, 0},
	};
	uint64_t whole = waterfall_whole(waterfall);
	struct table table;

	table_title(sink, waterfall->knows_rss ? "Resident memory" : "Memory of the heap", 0, 0);
	if (waterfall->split == SPLIT_ESTIMATED)
		table_legend(sink,
			     "slack: estimated from the blocks whose call sites were recorded");
	if (waterfall->split == SPLIT_NONE && !frag_lacks_pools(one))
		table_legend(sink, "live: what was asked for and slack; only recorded blocks tell "
				   "the two apart");
	table_begin(&table, COLUMNS(columns));
	for (unsigned part = 0; part < WATERFALL_COUNT; part++)
		if (is_shown(one, part))
			put_part(&table, name_of_part(waterfall, part), waterfall->part[part],
				 whole, waterfall_meaning(part));
	put_residual(waterfall, &table);
	table_end(&table, sink);
	if (waterfall->swap)
		sink_print(sink, "  Besides, %s are swapped out.\n",
			   number_bytes(waterfall->swap).text);
	if (waterfall->huge)
		sink_print(sink, "  Of the resident bytes %s are in huge pages.\n",
			   number_bytes(waterfall->huge).text);
}

static void put_others(const struct waterfall *waterfall, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"bytes", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
		{"mapping", COLUMN_PATH, COLUMN_REST},
	};
	size_t count = waterfall->other_count, shown = view_rows(view, count);
	struct table table;

	if (!count)
		return;
	if (view->row_max && shown > view->row_max / 4 + 1)
		shown = view->row_max / 4 + 1;
	table_title(sink, "Not heap, by mapping", shown, count);
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		table_cell(&table, number_bytes(waterfall->others[i].rss).text);
		table_cell(&table, number_share(waterfall->others[i].rss, waterfall->rss).text);
		table_cell(&table, waterfall->others[i].name);
	}
	table_end(&table, sink);
}

/* --- pins -------------------------------------------------------------------------------------------------- */

static void put_holder(struct table *table, struct frag *frag, struct frag_process *one,
		       const struct holder *holder)
{
	const struct pinned *at = &holder->at[PIN_PAGE];
	char *name = frag_holder_name(frag, one, holder, false);

	table_cell(table, number_bytes(sum(at->sole, at->shared)).text);
	table_cell(table, number_bytes(at->alone).text);
	table_cell(table, number_bytes(holder->live_bytes).text);
	table_cell(table, number_share(holder->live[2], holder->live_count).text);
	table_cell(table, name);
	free(name);
}

static size_t pinning_count(const struct pins *pins)
{
	size_t count = 0;

	while (count < pins->count &&
	       pins->holders[count].at[PIN_PAGE].sole + pins->holders[count].at[PIN_PAGE].shared)
		count++;
	return count;
}

static void put_pins(struct frag *frag, struct frag_process *one, const struct view *view,
		     struct sink *sink)
{
	static const struct column columns[] = {
		{"pinned", COLUMN_NUMBER, 0},      {"alone", COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},        {"old", COLUMN_NUMBER, 0},
		{"who", COLUMN_TEXT, COLUMN_REST},
	};
	size_t count = pinning_count(&one->pins), shown = view_rows(view, count);
	struct table table;

	if (!count)
		return;
	table_title(sink, "Who keeps free memory from going back", shown, count);
	table_legend(sink, "pinned: free bytes on pages with its live blocks, divided by blocks");
	table_legend(sink, "alone: pages with no one else's blocks; old: in generation 2");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++)
		put_holder(&table, frag, one, &one->pins.holders[i]);
	table_end(&table, sink);
}

static void put_choice(struct frag *frag, struct frag_process *one, const struct view *view,
		       struct sink *sink)
{
	static const struct column columns[] = {
		{"gives back", COLUMN_NUMBER, 0},
		{"together", COLUMN_NUMBER, 0},
		{"whose blocks", COLUMN_TEXT, COLUMN_REST},
	};
	const struct pin_choice *choice = &one->choice;
	size_t shown = view_rows(view, choice->count);
	uint64_t together = 0;
	struct table table;
	char title[160];

	if (!choice->count)
		return;
	bool is_short = choice->bytes < one->wished_bytes && !choice->is_cut;
	snprintf(title, sizeof title, "To get %s back%s%s", number_bytes(one->wished_bytes).text,
		 is_short ? ", of which at most " : "",
		 is_short ? number_bytes(choice->bytes).text : "");
	table_title(sink, title, shown, choice->count);
	if (is_short)
		table_legend(sink, "all pages that hold free bytes come to no more");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct holder *holder = &one->pins.holders[choice->holders[i]];
		char *name = frag_holder_name(frag, one, holder, false);
		together = sum(together, choice->gain[i]);
		table_cell(&table, number_bytes(choice->gain[i]).text);
		table_cell(&table, number_bytes(together).text);
		table_cell(&table, name);
		free(name);
	}
	table_end(&table, sink);
}

/* --- growth ------------------------------------------------------------------------------------------------ */

static void put_growth_legend(const struct growth *growth, const char *relation, struct sink *sink)
{
	char legend[240];

	if (growth->is_estimated)
		table_legend(sink, "of a sample, about; +-: of the bytes, in 95 of 100 cases, if "
				   "what was live then stayed");
	if (growth->less_count) {
		snprintf(legend, sizeof legend, "besides, %s became less, by %s%s: all together %s",
			 number_of(growth->less_count, "call site").text,
			 growth->is_estimated ? "about " : "",
			 number_bytes(0 - (uint64_t)growth->less_bytes).text,
			 number_signed_bytes(growth->bytes).text);
		table_legend(sink, legend);
	}
	if (relation)
		table_legend(sink, relation);
}

static void cell_of_error(struct table *table, const struct growth_row *row)
{
	char text[32] = "-";

	if (row->bytes_off > 0)
		snprintf(text, sizeof text, "%.0f %%",
			 ceil(100 * (double)row->bytes_off / (double)row->bytes));
	table_cell(table, text);
}

/* relation: to what else the page says of growth; NULL: nothing. */
static void put_growth(struct frag *frag, struct frag_process *one, const struct growth *growth,
		       const char *title, const char *relation, const struct view *view,
		       struct sink *sink)
{
	static const struct column columns[] = {
		{"bytes", COLUMN_NUMBER, 0},
		{"blocks", COLUMN_NUMBER, 0},
		{"who allocated them", COLUMN_TEXT, COLUMN_REST},
	};
	static const struct column estimated[] = {
		{"about", COLUMN_NUMBER, 0},
		{"blocks", COLUMN_NUMBER, 0},
		{"+-", COLUMN_NUMBER, 0},
		{"who allocated them", COLUMN_TEXT, COLUMN_REST},
	};
	size_t shown = view_rows(view, growth->count);
	struct table table;

	if (!growth->count)
		return;
	table_title(sink, title, shown, growth->count);
	put_growth_legend(growth, relation, sink);
	if (growth->is_estimated)
		table_begin(&table, COLUMNS(estimated));
	else
		table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct growth_row *row = &growth->rows[i];
		struct site site = frag_site(frag, one, row->frame);
		char *name = sites_place(frag->sites, &site, false);
		table_cell(&table, number_signed_bytes(row->bytes).text);
		table_cell(&table, number_signed(row->blocks).text);
		if (growth->is_estimated)
			cell_of_error(&table, row);
		table_cell(&table, name);
		free(name);
	}
	table_end(&table, sink);
}

/* Of a process that was killed, or runs: what leads there. */
static void put_lately(struct frag *frag, struct frag_process *one, const struct view *view,
		       struct sink *sink)
{
	const struct pm_process *record = &one->process->record;
	char title[80];

	if (!one->lately_since || record->state == PM_STATE_EXITED)
		return;
	snprintf(title, sizeof title, "What became more in the last %s",
		 number_of(record->epoch - one->lately_since + 1, "epoch").text);
	put_growth(frag, one, &one->lately, title,
		   one->growth.count
			   ? "since these epochs began, not since the moment that the tables "
			     "above are of"
			   : NULL,
		   view, sink);
}

/* --- classes ----------------------------------------------------------------------------------------------- */

static void put_classes(const struct fit *fit, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"class", COLUMN_NUMBER, 0}, {"pools", COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},  {"slack", COLUMN_NUMBER, 0},
		{"free", COLUMN_NUMBER, 0},  {"of its pages", COLUMN_NUMBER, 0},
		{"kept", COLUMN_NUMBER, 0},
	};
	size_t shown = view_rows(view, fit->class_count);
	struct table table;

	table_title(sink, "Size classes", shown, fit->class_count);
	table_legend(sink, "slack: of live blocks that were recorded; kept: pools without any");
	table_legend(sink, "free: beside live blocks, where this class alone can use it");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct fit_class *row = &fit->classes[i];
		uint64_t pages = sum(row->live_bytes, row->free_bytes);
		table_cell(&table, row->name);
		table_cell(&table, number_count(row->pools).text);
		table_cell(&table, number_bytes(row->live_bytes).text);
		table_cell(&table,
			   row->is_split ? number_bytes(excess(row->live_bytes, row->requested)).text
					 : "-");
		table_cell(&table, number_bytes(row->free_bytes).text);
		table_cell(&table, number_share(row->free_bytes, pages).text);
		table_cell(&table, number_bytes(row->kept_bytes).text);
	}
	table_end(&table, sink);
}

static void put_sizes(const struct frag_process *one, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"saves", COLUMN_NUMBER, 0},
		{"block of", COLUMN_NUMBER, 0},
		{"instead of", COLUMN_NUMBER, 0},
		{"live blocks", COLUMN_NUMBER, 0},
	};
	const struct fit *fit = &one->fit;
	size_t shown = view_rows(view, fit->size_count);
	struct table table;

	if (!fit->size_count)
		return;
	if (view->row_max && shown > view->row_max / 4 + 1)
		shown = view->row_max / 4 + 1;
	table_title(sink, "Sizes that would suit the requests better", shown, fit->size_count);
	table_legend(sink, "by the mean of what each call site asked for; of blocks live then");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct fit_size *size = &fit->sizes[i];
		table_cell(&table, number_bytes(size->saved_bytes).text);
		table_cell(&table, number_count(size->bytes).text);
		table_cell(&table, number_count(size->block_bytes).text);
		table_cell(&table, number_count(size->blocks).text);
	}
	table_end(&table, sink);
}

/* --- all --------------------------------------------------------------------------------------------------- */

static void put_process(struct frag *frag, struct frag_process *one, enum time_axis axis,
			const struct view *view, struct sink *sink)
{
	glance_heading_of(frag->study, one->study, sink);
	frag_words(frag, one, sink);
	put_waterfall(one, sink);
	put_others(&one->waterfall, view, sink);
	if (one->has_pins) {
		put_pins(frag, one, view, sink);
		put_choice(frag, one, view, sink);
		put_growth(frag, one, &one->growth, "What became more from then to the end", NULL,
			   view, sink);
		put_classes(&one->fit, view, sink);
		put_sizes(one, view, sink);
	}
	put_lately(frag, one, view, sink);
	timeline_text(&one->over_time, axis, one->growth.count || one->lately.count, sink);
}

static void put_part_or_none(struct table *table, bool is_none, uint64_t bytes)
{
	table_cell(table, is_none ? "-" : number_bytes(bytes).text);
}

static void put_processes(const struct frag *frag, const struct view *view, struct sink *sink)
{
	static const struct column columns[] = {
		{"pid", COLUMN_NUMBER, 0},
		{"heap", COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},
		{"pinned", COLUMN_NUMBER, 0},
		{"retained", COLUMN_NUMBER, 0},
		{"resident", COLUMN_NUMBER, 0},
		{"program", COLUMN_PATH, COLUMN_REST},
	};
	size_t shown = view_rows(view, frag->count);
	struct table table;

	table_title(sink, "Processes", shown, frag->count);
	table_legend(sink, "pinned: free, in pools with live blocks; retained: free pools");
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < shown; i++) {
		const struct frag_process *one = &frag->list[i];
		const uint64_t *part = one->waterfall.part;
		bool lacks_pools = frag_lacks_pools(one);
		const struct process *facts = facts_of(frag->study->recording, one->process);
		char pid[16];
		snprintf(pid, sizeof pid, "%u", one->process->record.pid);
		table_cell(&table, pid);
		table_cell(&table, number_bytes(waterfall_heap(&one->waterfall)).text);
		put_part_or_none(&table, lacks_pools,
				 sum(part[WATERFALL_REQUESTED], part[WATERFALL_SLACK]));
		put_part_or_none(&table, lacks_pools, part[WATERFALL_PINNED]);
		put_part_or_none(&table, lacks_pools, part[WATERFALL_RETAINED]);
		table_cell(&table,
			   one->waterfall.knows_rss ? number_bytes(one->waterfall.rss).text : "-");
		table_cell(&table, facts && facts->exe ? facts->exe : "?");
	}
	table_end(&table, sink);
}

void frag_text(struct frag *frag, enum time_axis axis, const struct view *view, struct sink *sink)
{
	if (frag->count > 1) {
		glance_heading(frag->study, sink);
		put_processes(frag, view, sink);
	}
	for (size_t i = 0; i < frag->count && (view->all || !i); i++) {
		if (frag->count > 1)
			sink_print(sink, "\n");
		put_process(frag, &frag->list[i], axis, view, sink);
	}
	words_notes(&frag->study->total.notes, sink);
}
