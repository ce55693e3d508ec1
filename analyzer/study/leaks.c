/* SPDX-License-Identifier: MIT */
/* leaks.c: see leaks.h. */
#include "study/leaks.h"

#include "model/saturate.h"
#include "study/query.h"
#include "text/number.h"

#include <math.h>
#include <stdlib.h>

#define ORDER_KEY(name, key, words) [LEAK_ORDER_##name] = key,
#define ORDER_WORDS(name, key, words) [LEAK_ORDER_##name] = words,
static const char *const order_keys[LEAK_ORDER_COUNT] = {LEAK_ORDERS(ORDER_KEY)};
const char *const leak_order_words[LEAK_ORDER_COUNT] = {LEAK_ORDERS(ORDER_WORDS)};

bool leak_order_find(const char *key, enum leak_order *ret, struct failure *why)
{
	size_t order = key ? query_find_key(order_keys, LEAK_ORDER_COUNT, key) : LEAK_ORDER_BYTES;

	*ret = (enum leak_order)order;
	return order < LEAK_ORDER_COUNT ||
	       fail(why, FAILURE_USAGE, "--sort takes bytes or blocks, not '%.200s'", key);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

static void suppress(struct leaks *leaks, struct suppression *suppression, const struct site *site)
{
	suppression->site_count++;
	site_sums_add(&suppression->used, &site->sums);
	site_sums_add(&leaks->suppressed, &site->sums);
	leaks->suppressed_count++;
}

static void keep(struct leaks *leaks, const struct leaks_query *query, const struct site *site)
{
	struct sites *sites = leaks->sites;

	leaks->left_count++;
	site_sums_add(&leaks->left, &site->sums);
	if (!site_query_wants(query->sites, &sites->stacks, site->place))
		return;
	struct site *kept = &sites->list[sites->count++];
	*kept = *site;
	kept->rank = site_value(&kept->sums,
				query->order == LEAK_ORDER_BLOCKS ? leaks->blocks : leaks->bytes);
}

static int highest_first(const void *left, const void *right)
{
	const struct site *a = left, *b = right;
	if (a->rank != b->rank)
		return a->rank < b->rank ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

static void sift(struct leaks *leaks, const struct leaks_query *query,
		 const struct suppressions *suppressions)
{
	struct sites *sites = leaks->sites;
	size_t count = sites->count;

	for (size_t i = sites->count = 0; i < count; i++) {
		struct site site = sites->list[i];
		if (site.sums.figure[leaks->blocks].seen <= 0)
			continue;
		site_sums_add(&leaks->all, &site.sums);
		struct suppression *suppression = suppression_of(suppressions, sites, &site);
		if (suppression)
			suppress(leaks, suppression, &site);
		else
			keep(leaks, query, &site);
	}
	if (sites->count)
		qsort(sites->list, sites->count, sizeof *sites->list, highest_first);
	leaks->may_suppress = suppressions->count;
	/* Where none of the sample is suppressed some of the rest may be. */
	if (leaks->may_suppress && leaks->suppressed.rarest.variance <= 0) {
		leaks->suppressed.rarest = sites->all.rarest;
		leaks->suppressed.rarest_bytes = sites->all.rarest_bytes;
	}
}

/* --- what was counted ------------------------------------------------------------------------------------ */

static void count_states(struct leaks *leaks, const struct study *study)
{
	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->kind != PROCESS_DEPARTED)
			leaks->states[study->processes[i].process->state]++;
	leaks->is_running = study->process_count &&
			    study->processes[0].process->state == STATE_RUNNING;
	leaks->blocks = leaks->is_running ? SITE_LIVE : SITE_LEAKED;
	leaks->bytes = leaks->is_running ? SITE_LIVE_BYTES : SITE_LEAKED_BYTES;
}

static struct metric_bound counted(const struct leaks *leaks, const struct study *study,
				   enum metric which)
{
	struct metric_bound all = {true, 0, 0};

	for (size_t i = 0; i < study->process_count; i++) {
		const struct metrics *metrics = &study->processes[i].figures.metrics;
		const struct metric_bound *bound = &metrics->bound[which];
		if (!leaks->is_running && study->processes[i].process->state == STATE_RUNNING)
			continue;
		uint64_t value = metric(metrics, which);
		all.at_least = (int64_t)sum((uint64_t)all.at_least, value);
		all.at_most = (int64_t)sum((uint64_t)all.at_most,
					   bound->is_known ? (uint64_t)bound->at_most : value);
	}
	return all;
}

static uint64_t whole(double value)
{
	return value <= 0 ? 0 : value < 0x1p63 ? (uint64_t)llround(value) : FIGURE_MAX;
}

/* Each block is recorded: sites tell what is a child's own, where counts tell a range. */
static struct metric_bound left_of_all(const struct leaks *leaks, enum site_figure figure,
				       const struct metric_bound *count, uint64_t unrecorded)
{
	const struct sites *sites = leaks->sites;
	uint64_t left = sum(whole(site_value(&leaks->left, figure)), unrecorded);
	uint64_t most = excess((uint64_t)count->at_most,
			       whole(site_value(&leaks->suppressed, figure)));
	bool is_whole = !sites->dropped_blocks && !sites->silent_count && !sites->departed_count &&
			!leaks->is_running;

	return (struct metric_bound){!is_whole && most > left, (int64_t)left,
				     (int64_t)(is_whole || most < left ? left : most)};
}

/* A sample: what was counted is known, what of it is suppressed is an estimate. */
static struct metric_bound left_of_sample(const struct leaks *leaks, enum site_figure figure,
					  const struct metric_bound *count)
{
	struct interval suppressed = site_interval(&leaks->suppressed, figure);
	uint64_t least = excess((uint64_t)count->at_least, whole(suppressed.high));
	uint64_t most = excess((uint64_t)count->at_most, whole(suppressed.low));

	if (leaks->may_suppress && !leaks->sites->used_count)
		least = 0; /* nobody knows what was not recorded */
	return (struct metric_bound){least < most, (int64_t)least, (int64_t)most};
}

static uint64_t set_left(struct leaks *leaks, const struct study *study, enum metric which,
			 enum site_figure figure)
{
	struct metric_bound count = counted(leaks, study, which), *bound;
	bool is_sample = leaks->sites->period_max > 1;
	uint64_t recorded = whole(site_value(&leaks->all, figure));
	uint64_t unrecorded = is_sample ? 0 : excess((uint64_t)count.at_least, recorded);
	uint64_t suppressed = whole(site_value(&leaks->suppressed, figure));

	bound = &leaks->metrics.bound[which];
	*bound = is_sample ? left_of_sample(leaks, figure, &count)
			   : left_of_all(leaks, figure, &count, unrecorded);
	leaks->metrics.value[which] = (struct known){
		true, is_sample ? (int64_t)excess((uint64_t)count.at_least, suppressed)
				: bound->at_least};
	return unrecorded;
}

void leaks_make(const struct study *study, struct sites *sites, const struct leaks_query *query,
		struct suppressions *suppressions, struct leaks *ret)
{
	struct leaks leaks = {.sites = sites, .order = query->order, .metrics = study->total.metrics};

	count_states(&leaks, study);
	sites->order = leaks.is_running ? SITE_ORDER_LIVE : SITE_ORDER_LEAKED;
	sift(&leaks, query, suppressions);
	leaks.unrecorded_blocks = set_left(&leaks, study, METRIC_LEAK_BLOCKS, leaks.blocks);
	leaks.unrecorded_bytes = set_left(&leaks, study, METRIC_LEAK_BYTES, leaks.bytes);
	*ret = leaks;
}

bool leaks_found(const struct leaks *leaks, struct failure *why)
{
	const struct sites *sites = leaks->sites;
	const struct metrics *metrics = &leaks->metrics;
	uint64_t blocks = metric(metrics, METRIC_LEAK_BLOCKS);

	if (!blocks || sites->silent_count < sites->process_count)
		return true;
	return fail(why, FAILURE_NOTHING,
		    "%s, %s, %s, but not by whom: no call sites were recorded; run with "
		    "POOLMEM=sites=all for all of them, sites=sample for a sample",
		    number_of(blocks, "block").text,
		    number_bytes(metric(metrics, METRIC_LEAK_BYTES)).text,
		    leaks->is_running ? "live now" : "never freed");
}

bool leaks_are_left(const struct leaks *leaks, const struct leaks_query *query)
{
	if (leaks->is_running)
		return false;
	return leaks->sites->count || (!query->sites->by_name && leaks->unrecorded_blocks);
}
