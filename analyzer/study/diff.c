/* SPDX-License-Identifier: MIT */
/* diff.c: see diff.h. */
#define _GNU_SOURCE 1

#include "study/diff.h"

#include "study/query.h"
#include "study/site_name.h"
#include "text/allocate.h"
#include "text/intern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIGURE_KEY(name, key, words, blocks, bytes) [DIFF_##name] = key,
#define FIGURE_WORDS(name, key, words, blocks, bytes) [DIFF_##name] = words,
#define FIGURE_PAIR(name, key, words, blocks, bytes) [DIFF_##name] = {bytes, blocks},
#define ORDER_KEY(name, key, words) [DIFF_ORDER_##name] = key,
#define ORDER_WORDS(name, key, words) [DIFF_ORDER_##name] = words,
#define MARK_KEY(name, key) [DIFF_MARK_##name] = key,
const char *const diff_figure_keys[DIFF_FIGURE_COUNT] = {DIFF_FIGURES(FIGURE_KEY)};
const char *const diff_figure_words[DIFF_FIGURE_COUNT] = {DIFF_FIGURES(FIGURE_WORDS)};
static const enum site_figure figures[DIFF_FIGURE_COUNT][2] = {DIFF_FIGURES(FIGURE_PAIR)};
const char *const diff_order_keys[DIFF_ORDER_COUNT] = {DIFF_ORDERS(ORDER_KEY)};
const char *const diff_order_words[DIFF_ORDER_COUNT] = {DIFF_ORDERS(ORDER_WORDS)};
const char *const diff_mark_keys[DIFF_MARK_COUNT] = {DIFF_MARKS(MARK_KEY)};

/* What grows while sites come in. */
struct joining {
	struct diff *diff;
	const struct diff_query *query;
	struct interned names; /* of sites: the number is that of the row */
	size_t room;
};

bool diff_query_open(struct diff_query *ret, const char *of, const char *order, struct failure *why)
{
	size_t figure = of ? query_find_key(diff_figure_keys, DIFF_FIGURE_COUNT, of) : 0;
	size_t first = order ? query_find_key(diff_order_keys, DIFF_ORDER_COUNT, order) : 0;

	if (figure == DIFF_FIGURE_COUNT)
		return fail(
			why, FAILURE_USAGE,
			"--of takes live, peak, allocated, churn, leaked or temporary, not '%.200s'",
			of);
	if (first == DIFF_ORDER_COUNT)
		return fail(why, FAILURE_USAGE,
			    "--sort takes growth, shrinkage or change, not '%.200s'", order);
	ret->of = (enum diff_figure)figure;
	ret->order = (enum diff_order)first;
	return true;
}

/* --- names ----------------------------------------------------------------------------------------------- */

/* The number of the row of the sites that are called like this one. */
static size_t number_of_name(struct joining *joining, struct sites *sites, const struct site *site)
{
	const struct site_naming naming = {
		.by_line = joining->query->by_line,
		.left = joining->diff->sites[DIFF_BEFORE],
		.right = joining->diff->sites[DIFF_AFTER],
	};
	char *name = site_name(&naming, sites, site);
	size_t number = intern(&joining->names, name);

	free(name);
	return number;
}

/* --- joining --------------------------------------------------------------------------------------------- */

/* What a block of the site would have added to the other side's sums, had one been seen there. */
static void note_unseen(struct site_sums *sums, const struct sites *sites, const struct site *site,
			uint64_t period)
{
	for (size_t i = 0; i < site->class_count; i++) {
		const struct site_class *row = &sites->classes[site->first_class + i];
		double blocks = site_value(&row->sums, SITE_ALLOCATED);
		double bytes = site_value(&row->sums, SITE_ALLOCATED_BYTES);
		double unit = row->kind == PM_CLASS_POOL ? row->block_bytes
			      : blocks > 0               ? bytes / blocks
							 : 1;
		site_sums_note_one(sums, (uint64_t)unit, period);
	}
}

static struct diff_row *row_for(struct joining *joining, struct sites *sites,
				const struct site *site)
{
	struct diff *diff = joining->diff;
	size_t number = number_of_name(joining, sites, site);

	if (number == diff->count) {
		diff->rows = allocate_more(diff->rows, diff->count, &joining->room,
					   sizeof *diff->rows);
		diff->rows[diff->count++].number = number;
	}
	return &diff->rows[number];
}

static void add_sites(struct joining *joining, enum diff_side side)
{
	struct diff *diff = joining->diff;
	struct sites *sites = diff->sites[side];

	for (size_t i = 0; i < sites->count; i++) {
		const struct site *site = &sites->list[i];
		struct diff_row *row = row_for(joining, sites, site);
		if (!row->site[side])
			row->site[side] = site;
		site_sums_add(&row->sums[side], &site->sums);
		note_unseen(&row->sums[!side], sites, site, diff->sites[!side]->period_max);
		row->is_wanted |= site_query_wants(joining->query->sites, &sites->stacks,
						   site->place);
	}
}

/* --- comparing ------------------------------------------------------------------------------------------- */

/*
 * The interval of a difference from those of both values, each end by the ends that move it there: as Zou and Donner
 * (Statistics in Medicine 27, 2008) do, for values whose intervals are lopsided.
 */
static struct interval interval_of_change(double before, double after, struct interval was,
					  struct interval is)
{
	double change = after - before;

	return (struct interval){
		.low = change - hypot(after - is.low, was.high - before),
		.high = change + hypot(is.high - after, before - was.low),
	};
}

static enum diff_mark mark_of(const struct diff_row *row)
{
	if (row->change == 0)
		return DIFF_MARK_SAME;
	if (!row->site[DIFF_BEFORE])
		return DIFF_MARK_NEW;
	if (!row->site[DIFF_AFTER])
		return DIFF_MARK_GONE;
	return row->change > 0 ? DIFF_MARK_GROWN : DIFF_MARK_SHRUNK;
}

static void compare(struct diff_row *row, enum site_figure figure)
{
	struct interval interval[DIFF_SIDES];

	for (int side = 0; side < DIFF_SIDES; side++) {
		row->value[side] = site_value(&row->sums[side], figure);
		interval[side] = site_interval(&row->sums[side], figure);
		row->is_estimated |= site_is_estimated(&row->sums[side], figure);
	}
	row->change = row->value[DIFF_AFTER] - row->value[DIFF_BEFORE];
	row->interval = interval_of_change(row->value[DIFF_BEFORE], row->value[DIFF_AFTER],
					   interval[DIFF_BEFORE], interval[DIFF_AFTER]);
	row->is_chance = row->is_estimated && row->interval.low <= 0 && row->interval.high >= 0;
	row->mark = mark_of(row);
}

static double rank_of(const struct diff_row *row, enum diff_order order)
{
	switch (order) {
	case DIFF_ORDER_SHRINKAGE: return -row->change;
	case DIFF_ORDER_CHANGE: return fabs(row->change);
	default: return row->change;
	}
}

static int highest_first(const void *left, const void *right, void *order)
{
	const struct diff_row *a = left, *b = right;
	double more = rank_of(b, *(enum diff_order *)order) - rank_of(a, *(enum diff_order *)order);
	if (more != 0)
		return more < 0 ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

static void choose(struct diff *diff)
{
	size_t count = diff->count;

	for (size_t i = diff->count = 0; i < count; i++) {
		struct diff_row *row = &diff->rows[i];
		compare(row, diff->figure);
		if (row->value[DIFF_BEFORE] == 0 && row->value[DIFF_AFTER] == 0)
			continue;
		diff->marks[row->mark]++;
		if (row->mark == DIFF_MARK_SAME)
			continue;
		diff->changed_count++;
		diff->chance_count += row->is_chance;
		if (row->is_wanted)
			diff->rows[diff->count++] = *row;
	}
	if (diff->count)
		qsort_r(diff->rows, diff->count, sizeof *diff->rows, highest_first, &diff->order);
}

void diff_make(const struct study *const study[DIFF_SIDES], struct sites *const sites[DIFF_SIDES],
	       const struct diff_query *query, struct diff *ret)
{
	struct diff diff = {.of = query->of,
			    .order = query->order,
			    .figure = figures[query->of][query->in_blocks]};
	struct joining joining = {.diff = &diff, .query = query};

	for (int side = 0; side < DIFF_SIDES; side++) {
		diff.study[side] = study[side];
		diff.sites[side] = sites[side];
		diff.all.sums[side] = sites[side]->all;
	}
	add_sites(&joining, DIFF_BEFORE);
	add_sites(&joining, DIFF_AFTER);
	choose(&diff);
	compare(&diff.all, diff.figure);
	interned_free(&joining.names);
	*ret = diff;
}

void diff_free(struct diff *diff)
{
	free(diff->rows);
}

bool diff_found(const struct diff *diff, const struct diff_query *query, struct failure *why)
{
	static const char *const words[DIFF_SIDES] = {"before", "after"};

	for (int side = 0; side < DIFF_SIDES; side++)
		if (!diff->sites[side]->used_count &&
		    diff->sites[side]->silent_count == diff->sites[side]->process_count)
			return fail(why, FAILURE_NOTHING,
				    "no call sites were recorded %s: run with POOLMEM=sites=all for "
				    "all of them, sites=sample for a sample",
				    words[side]);
	if (query->sites->by_name && diff->changed_count && !diff->count)
		return fail(why, FAILURE_NOTHING, "no call site that changed matches the filter");
	return true;
}
