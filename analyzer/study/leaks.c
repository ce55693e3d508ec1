/* SPDX-License-Identifier: MIT */
/* leaks.c: see leaks.h. */
#include "study/leaks.h"

#include "study/left.h"
#include "study/query.h"
#include "text/number.h"

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
	if (leaks->may_suppress)
		left_note_unseen(&leaks->suppressed, sites);
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

void leaks_make(const struct study *study, struct sites *sites, const struct leaks_query *query,
		struct suppressions *suppressions, struct leaks *ret)
{
	struct leaks leaks = {.sites = sites, .order = query->order, .metrics = study->total.metrics};

	count_states(&leaks, study);
	sites->order = leaks.is_running ? SITE_ORDER_LIVE : SITE_ORDER_LEAKED;
	sift(&leaks, query, suppressions);
	struct left left = {leaks.is_running, leaks.may_suppress, leaks.all, leaks.left,
			    leaks.suppressed};
	leaks.unrecorded_blocks = left_metric(study, sites, &left, METRIC_LEAK_BLOCKS, leaks.blocks,
					      &leaks.metrics);
	leaks.unrecorded_bytes = left_metric(study, sites, &left, METRIC_LEAK_BYTES, leaks.bytes,
					     &leaks.metrics);
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
