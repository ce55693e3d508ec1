/* SPDX-License-Identifier: MIT */
/* advice.c: see advice.h. */
#include "study/advice.h"

#include "text/allocate.h"

#include <math.h>
#include <stdlib.h>

struct rule {
	const char *key;
	enum site_figure part, whole;
	double least, share;
	enum advice_unit unit;
};

#define ADVICE_RULE(name, key, part, whole, least, share, unit)                                    \
	[ADVICE_##name] = {key, SITE_##part, SITE_##whole, least, share, ADVICE_##unit},
static const struct rule rules[ADVICE_RULE_COUNT] = {ADVICE_RULES(ADVICE_RULE)};
#undef ADVICE_RULE

const char *advice_key(enum advice_rule rule)
{
	return rules[rule].key;
}

enum advice_unit advice_unit(enum advice_rule rule)
{
	return rules[rule].unit;
}

double advice_part(const struct advice *advice)
{
	return site_value(&advice->sums, rules[advice->rule].part);
}

double advice_whole(const struct advice *advice)
{
	return site_value(&advice->sums, rules[advice->rule].whole);
}

struct interval advice_saving(const struct advice *advice)
{
	return estimate_interval(&advice->saving, &advice->one);
}

/* --- what a site would save ---------------------------------------------------------------------------- */

static void set_saving(struct advice *advice, enum site_figure which, double each)
{
	const struct site_sums *sums = &advice->sums;
	const struct estimate *figure = &sums->figure[which];
	const struct estimate *one = site_figure_is_bytes(which) ? &sums->rarest_bytes
								 : &sums->rarest;

	advice->saving = estimate_times(figure, each);
	advice->one = estimate_times(one, each);
}

static bool is_tiny(const struct site_sums *sums)
{
	return site_value(sums, SITE_LIVE_REQUESTED_BYTES) <=
	       ADVICE_TINY_BYTES * site_value(sums, SITE_LIVE);
}

/* Of a sample the mean may be higher than it seems: sizes lie within a step of the classes, so by 2 sd = a step/sqrt(n). */
static bool just_misses(const struct advice *advice)
{
	const struct estimate *blocks = &advice->sums.figure[SITE_ALLOCATED];
	double step = advice->block_bytes - advice->smaller_bytes;
	double asked = site_value(&advice->sums, SITE_REQUESTED_BYTES) / estimate_value(blocks);
	double unsure = blocks->variance > 0 ? step / sqrt(weighed_count(weighed_of(blocks))) : 0;

	return asked > advice->smaller_bytes &&
	       asked + unsure <= advice->smaller_bytes + step / ADVICE_MISS_SHARE;
}

/* false: there is more to the pattern than shares, and that is missing. */
static bool find_saving(struct advice *advice)
{
	const struct site_sums *sums = &advice->sums;
	bool is_most_at_peak = site_value(sums, SITE_PEAK) > site_value(sums, SITE_LIVE);

	switch (advice->rule) {
	case ADVICE_TEMPORARY: set_saving(advice, SITE_TEMPORARY, 2); return true;
	case ADVICE_GROWTH: set_saving(advice, SITE_MOVED, 1); return true;
	case ADVICE_REMOTE: set_saving(advice, SITE_REMOTE, 1); return true;
	case ADVICE_LEAKED: set_saving(advice, SITE_LEAKED_BYTES, 1); return true;
	case ADVICE_TINY: set_saving(advice, SITE_LIVE, 1); return is_tiny(sums);
	case ADVICE_SLACK:
		set_saving(advice, is_most_at_peak ? SITE_PEAK : SITE_LIVE,
			   advice->block_bytes - advice->smaller_bytes);
		return advice->smaller_bytes && just_misses(advice);
	default: return false;
	}
}

static bool applies(struct advice *advice)
{
	const struct rule *rule = &rules[advice->rule];
	const struct estimate *figures = advice->sums.figure;
	struct weighed part = weighed_of(&figures[rule->part]);
	struct interval share = share_interval(part, weighed_of(&figures[rule->whole]));

	if (!weighed_is_exact(part) && lround(weighed_count(part)) < ADVICE_RECORDED_MIN)
		return false;
	return site_interval(&advice->sums, rule->part).low >= rule->least &&
	       share.low >= rule->share && find_saving(advice) &&
	       (rule->unit != ADVICE_BYTES || advice_saving(advice).low >= ADVICE_BYTES_MIN);
}

/* --- looking at all sites ------------------------------------------------------------------------------ */

static void try(struct sites *sites, const struct site *site, struct advice *advice,
		struct advice_list *list)
{
	if (!applies(advice))
		return;
	advice->place = own_call_of(sites, site);
	list->list = allocate_more(list->list, list->count, &list->room, sizeof *list->list);
	list->list[list->count++] = *advice;
}

/* The largest block of a class below that one; 0: none. */
static uint32_t smaller_class(const struct layout *layout, uint32_t block_bytes)
{
	uint32_t smaller = 0;

	for (uint32_t c = 0; c < layout->class_count; c++) {
		const struct pm_class *size_class = &layout->classes[c];
		if (size_class->kind == PM_CLASS_POOL && size_class->request_max &&
		    size_class->block_bytes < block_bytes && size_class->block_bytes > smaller)
			smaller = size_class->block_bytes;
	}
	return smaller;
}

static void try_classes(const struct study *study, struct sites *sites, const struct site *site,
			struct advice_list *list)
{
	for (size_t i = 0; i < site->class_count; i++) {
		const struct site_class *size_class = &sites->classes[site->first_class + i];
		struct advice advice = {
			.rule = ADVICE_SLACK,
			.stacks = 1,
			.sums = size_class->sums,
			.block_bytes = size_class->block_bytes,
		};
		if (size_class->kind != PM_CLASS_POOL)
			continue;
		advice.smaller_bytes = smaller_class(study->processes[0].process->layout,
						     size_class->block_bytes);
		try(sites, site, &advice, list);
	}
}

static void try_rules(struct sites *sites, const struct site *site, struct advice_list *list)
{
	for (enum advice_rule rule = 0; rule < ADVICE_RULE_COUNT; rule++) {
		struct advice advice = {.rule = rule, .stacks = 1, .sums = site->sums};
		if (rule != ADVICE_SLACK)
			try(sites, site, &advice, list);
	}
}

/* --- putting together ---------------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right)
{
	const struct advice *a = left, *b = right;

	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->block_bytes != b->block_bytes)
		return a->block_bytes < b->block_bytes ? -1 : 1;
	return own_call_order(&a->place, &b->place);
}

static void add(struct advice *to, const struct advice *from)
{
	to->stacks += from->stacks;
	site_sums_add(&to->sums, &from->sums);
	estimate_add(&to->saving, &from->saving);
	if (from->one.variance > to->one.variance)
		to->one = from->one;
}

static void merge(struct advice_list *list)
{
	size_t count = 0;

	if (list->count)
		qsort(list->list, list->count, sizeof *list->list, by_place);
	for (size_t i = 0; i < list->count; i++)
		if (count && by_place(&list->list[count - 1], &list->list[i]) == 0)
			add(&list->list[count - 1], &list->list[i]);
		else
			list->list[count++] = list->list[i];
	list->count = count;
}

static double all_of(enum advice_unit unit, const struct study *study)
{
	const struct metrics *metrics = &study->total.metrics;

	if (unit == ADVICE_BYTES)
		return fmax((double)metric(metrics, METRIC_LIVE_PEAK),
			    (double)metric(metrics, METRIC_LIVE_BYTES));
	return (double)metric(metrics, METRIC_ALLOC_COUNT) +
	       (double)metric(metrics, METRIC_FREE_COUNT);
}

static int highest_first(const void *left, const void *right)
{
	const struct advice *a = left, *b = right;

	if (a->share != b->share)
		return a->share < b->share ? 1 : -1;
	return by_place(left, right);
}

static void rank(const struct study *study, struct advice_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct advice *advice = &list->list[i];
		double all = all_of(rules[advice->rule].unit, study);
		advice->share = all > 0 ? fmin(estimate_value(&advice->saving) / all, 1) : 0;
		if (advice->share * 100 >= ADVICE_PERCENT_MIN)
			list->list[count++] = *advice;
	}
	list->count = count;
	if (count)
		qsort(list->list, count, sizeof *list->list, highest_first);
}

void advice_make(const struct study *study, struct sites *sites, struct advice_list *ret)
{
	*ret = (struct advice_list){.list = NULL};
	for (size_t i = 0; !sites->by_thread && i < sites->count; i++) {
		try_rules(sites, &sites->list[i], ret);
		try_classes(study, sites, &sites->list[i], ret);
	}
	merge(ret);
	rank(study, ret);
}

void advice_free(struct advice_list *advice)
{
	free(advice->list);
}
