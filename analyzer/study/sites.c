/* SPDX-License-Identifier: MIT */
/* sites.c: see sites.h. */
#include "study/sites.h"

#include "model/saturate.h"
#include "study/suppression.h"
#include "study/wrapper.h"
#include "text/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row with what rows are put together by. */
struct part {
	const struct pm_site *row;
	const struct process *process;
	uint32_t place, kind, block_bytes;
};

struct parts {
	const struct process *processes; /* of the recording */
	struct part *list;
	size_t count;
};

/* --- gathering ------------------------------------------------------------------------------------------- */

static void note_period(struct sites *sites, uint64_t period)
{
	if (!sites->period_min || period < sites->period_min)
		sites->period_min = period;
	if (period > sites->period_max)
		sites->period_max = period;
}

static void gather(struct sites *sites, const struct process *process,
		   const struct site_query *query, struct parts *parts)
{
	uint32_t *places = stacks_begin(process);

	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		const struct pm_class *size_class = &process->layout->classes[row->size_class];
		if (query->by_thread &&
		    !site_query_wants_thread(query, process_slot(process, row->slot)))
			continue;
		note_period(sites, row->period);
		parts->list[parts->count++] = (struct part){
			.row = row,
			.process = process,
			.place = stacks_place(&sites->stacks, process, row->frame, places),
			.kind = size_class->kind,
			.block_bytes = size_class->block_bytes,
		};
	}
	free(places);
}

static void note_process(struct sites *sites, const struct process_study *study)
{
	const struct process *process = study->process;
	const struct metrics *metrics = &study->figures.metrics;

	sites->process_count++;
	sites->dropped_stacks = sum(sites->dropped_stacks, process->record.dropped_stacks);
	sites->dropped_blocks = sum(sites->dropped_blocks, process->record.dropped_blocks);
	bool is_departed = process->kind == PROCESS_DEPARTED;
	sites->departed_count += is_departed ? forks_in(process) : 0;
	if (!process->site_count && !process->record.site_period && !is_departed) {
		sites->silent_count++;
		return;
	}
	sites->counted = sum(sites->counted, metric(metrics, METRIC_ALLOC_COUNT));
	sites->counted_bytes = sum(sites->counted_bytes, metric(metrics, METRIC_ALLOC_BYTES));
	sites->counted_live = sum(sites->counted_live, metric(metrics, METRIC_LEAK_BLOCKS));
	sites->counted_live_bytes = sum(sites->counted_live_bytes,
					metric(metrics, METRIC_LEAK_BYTES));
}

/* --- putting together ------------------------------------------------------------------------------------ */

#define COMPARE(a, b)                                                                              \
	if ((a) != (b))                                                                            \
	return (a) < (b) ? -1 : 1

static int by_class(const struct part *a, const struct part *b)
{
	COMPARE(a->place, b->place);
	COMPARE(a->kind, b->kind);
	COMPARE(a->block_bytes, b->block_bytes);
	return 0;
}

static int by_group(const struct part *a, const struct part *b)
{
	int order = by_class(a, b);
	if (order)
		return order;
	COMPARE(a->process, b->process);
	COMPARE(a->row->size_class, b->row->size_class);
	COMPARE(a->row->large_log2, b->row->large_log2);
	COMPARE(a->row->period, b->row->period);
	return 0;
}

static int parts_in_order(const void *left, const void *right)
{
	return by_group(left, right);
}

/* Adds a group, the parts from `first` on that are equal; returns how many. */
static size_t add_group(const struct part *first, size_t most, struct site_sums *sums,
			struct site_ages *ages)
{
	struct site_group group = {0};
	size_t count = 0;

	while (count < most && by_group(first, &first[count]) == 0)
		site_group_add(&group, first[count++].row);
	site_sums_add_group(sums, &group, first->row, first->process);
	site_ages_add_group(ages, &group, first->row, first->process);
	return count;
}

static size_t add_class(const struct part *first, size_t most, struct site_class *ret,
			struct site_ages *ages)
{
	size_t count = 0;

	*ret = (struct site_class){.kind = first->kind, .block_bytes = first->block_bytes};
	while (count < most && by_class(first, &first[count]) == 0)
		count += add_group(&first[count], most - count, &ret->sums, ages);
	return count;
}

static void add_site(struct sites *sites, const struct part *first, size_t most, size_t *classes)
{
	struct site *site = &sites->list[sites->used_count++];
	size_t count = 0;

	*site = (struct site){.place = first->place, .first_class = *classes};
	while (count < most && first[count].place == site->place) {
		struct site_class *row = &sites->classes[(*classes)++];
		count += add_class(&first[count], most - count, row, &site->ages);
		site_sums_add(&site->sums, &row->sums);
	}
	site->class_count = *classes - site->first_class;
	site->verdict = verdict_of(&site->ages);
	for (size_t i = 0; i < count; i++)
		site->ends |= 1u << first[i].row->stack_end;
	site_sums_add(&sites->all, &site->sums);
}

static void note_ends(struct sites *sites, const struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->list[i];
		struct site_sums sums = {.rarest = {0, 0, 0}};
		struct site_group group = {.allocated = (double)part->row->allocated};
		site_sums_add_group(&sums, &group, part->row, part->process);
		estimate_add(&sites->ended[part->row->stack_end], &sums.figure[SITE_ALLOCATED]);
	}
}

/* A site may have blocks of other sizes, unseen: of all together it has no more than was counted. */
static void limit_live(const struct sites *sites, struct site_sums *sums)
{
	sums->live_most = fmax(sums->live_most, (double)sites->counted_live);
	sums->live_bytes_most = fmax(sums->live_bytes_most, (double)sites->counted_live_bytes);
}

static void put_together(struct sites *sites, struct parts *parts)
{
	size_t classes = 0, used = 0;

	if (parts->count)
		qsort(parts->list, parts->count, sizeof *parts->list, parts_in_order);
	for (size_t i = 0; i < parts->count; i++)
		used += !i || parts->list[i].place != parts->list[i - 1].place;
	sites->list = allocate(used, sizeof *sites->list);
	for (size_t i = used = 0; i < parts->count; i++)
		used += !i || by_class(&parts->list[i], &parts->list[i - 1]) != 0;
	sites->classes = allocate(used, sizeof *sites->classes);
	for (size_t i = 0; i < parts->count;) {
		size_t most = parts->count - i, count = 0;
		while (count < most && parts->list[i + count].place == parts->list[i].place)
			count++;
		add_site(sites, &parts->list[i], count, &classes);
		i += count;
	}
	note_ends(sites, parts);
}

/* --- choosing -------------------------------------------------------------------------------------------- */

static int highest_first(const void *left, const void *right)
{
	const struct site *a = left, *b = right;
	if (a->rank != b->rank)
		return a->rank < b->rank ? 1 : -1;
	double more = site_value(&a->sums, SITE_ALLOCATED_BYTES) -
		      site_value(&b->sums, SITE_ALLOCATED_BYTES);
	if (more != 0)
		return more < 0 ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Where nothing lives and no order was asked for, that of what was allocated says more. */
static enum site_order order_of(const struct sites *sites, const struct site_query *query)
{
	bool is_empty = query->by_thread || site_value(&sites->all, SITE_LIVE_BYTES) <= 0;
	return is_empty && !query->order_given ? SITE_ORDER_ALLOCATED : query->order;
}

/* The stacks of the first sites, used or wanted. */
static void prepare(struct sites *sites, size_t count)
{
	uint32_t *places = allocate(count, sizeof *places);

	for (size_t i = 0; i < count; i++)
		places[i] = sites->list[i].place;
	stacks_prepare(&sites->stacks, places, count);
	free(places);
}

static bool has_leaked(const struct site *site)
{
	return site->sums.figure[SITE_LEAKED].seen > 0;
}

/* Moves what a site left to what is suppressed. */
static void suppress(struct sites *sites, struct site *site)
{
	site_sums_add(&sites->suppressed, &site->sums);
	site_sums_forget_leaked(&site->sums);
	for (size_t i = 0; i < site->class_count; i++)
		site_sums_forget_leaked(&sites->classes[site->first_class + i].sums);
	sites->suppressed_count++;
}

/* What parts of a site left goes to their processes; parts: those from `first` on that are of its place. */
static void suppress_of_processes(struct sites *sites, const struct parts *parts, size_t first)
{
	uint32_t place = parts->list[first].place;

	while (first < parts->count && parts->list[first].place == place) {
		const struct part *part = &parts->list[first];
		struct site_sums sums = {.rarest = {0, 0, 0}};
		struct site_ages ages = {.epochs = 0};
		first += add_group(part, parts->count - first, &sums, &ages);
		site_sums_add(&sites->suppressed_of[part->process - parts->processes], &sums);
	}
}

/* parts: in the order of the sites. */
static void suppress_leaked(struct sites *sites, const struct parts *parts,
			    const struct suppressions *suppressions)
{
	size_t first = 0;
	uint32_t *places = allocate(sites->used_count, sizeof *places);
	size_t count = 0;

	for (size_t i = 0; i < sites->used_count; i++)
		if (has_leaked(&sites->list[i]))
			places[count++] = sites->list[i].place;
	stacks_prepare(&sites->stacks, places, count);
	free(places);
	site_sums_forget_leaked(&sites->all);
	for (size_t i = 0; i < sites->used_count; i++) {
		struct site *site = &sites->list[i];
		while (parts->list[first].place != site->place)
			first++;
		if (has_leaked(site) && suppression_of(suppressions, sites, site)) {
			suppress(sites, site);
			suppress_of_processes(sites, parts, first);
		}
		site_sums_add_leaked(&sites->all, &site->sums);
	}
}

static void choose(struct sites *sites, const struct site_query *query)
{
	sites->order = order_of(sites, query);
	if (query->by_name && !query->by_module)
		prepare(sites, sites->used_count);
	for (size_t i = 0; i < sites->used_count; i++) {
		struct site *site = &sites->list[i];
		if (!site_query_wants(query, &sites->stacks, site->place))
			continue;
		site->rank = site_value(&site->sums, site_order_figures[sites->order]);
		site_sums_add(&sites->wanted, &site->sums);
		sites->list[sites->count++] = *site;
	}
	if (sites->count)
		qsort(sites->list, sites->count, sizeof *sites->list, highest_first);
}

void sites_make(const struct study *study, const struct process_study *process,
		const struct site_query *query, struct sites *ret)
{
	struct sites sites = {.by_thread = query->by_thread, .skipped = query->skipped};
	struct parts parts = {.processes = study->recording->processes};
	const struct process_study *first = process ? process : study->processes;
	size_t count = process ? 1 : study->process_count, rows = 0;

	stacks_open(study->recording, !query->without_files, &sites.stacks);
	naming_watch(sites.stacks.naming, query->progress);
	if (query->ask_network)
		naming_ask_network(sites.stacks.naming);
	for (size_t i = 0; i < count; i++)
		rows += first[i].process->site_count;
	parts.list = allocate(rows, sizeof *parts.list);
	for (size_t i = 0; i < count; i++) {
		note_process(&sites, &first[i]);
		gather(&sites, first[i].process, query, &parts);
	}
	for (size_t i = 0; i < count && !rows; i++)
		if (first[i].process->record.site_period)
			note_period(&sites, first[i].process->record.site_period);
	put_together(&sites, &parts);
	for (size_t i = 0; i < sites.used_count; i++)
		limit_live(&sites, &sites.list[i].sums);
	limit_live(&sites, &sites.all);
	if (query->suppressions) {
		sites.suppressed_of = allocate(study->recording->process_count + 1,
					       sizeof *sites.suppressed_of);
		suppress_leaked(&sites, &parts, query->suppressions);
	}
	free(parts.list);
	choose(&sites, query);
	*ret = sites;
}

void sites_free(struct sites *sites)
{
	stacks_close(&sites->stacks);
	free(sites->list);
	free(sites->classes);
	free(sites->suppressed_of);
}

bool sites_found(const struct sites *sites, const struct site_query *query, struct failure *why)
{
	if (sites->count)
		return true;
	if (sites->used_count)
		return fail(why, FAILURE_NOTHING, "no call site matches the filter");
	if (query->thread_name)
		return fail(why, FAILURE_NOTHING,
			    "no thread that was seen with the name '%.60s' recorded a call site; the "
			    "report's table of threads has the names",
			    query->thread_name);
	if (query->by_thread)
		return fail(why, FAILURE_NOTHING, "thread %u recorded no call site", query->thread);
	if (sites->silent_count < sites->process_count)
		return fail(why, FAILURE_NOTHING,
			    "no block was recorded: too little was allocated; POOLMEM=sites=all "
			    "records each");
	return fail(why, FAILURE_NOTHING,
		    "no call sites were recorded: run with POOLMEM=sites=sample for a sample of "
		    "them, sites=all for all");
}

struct walk site_origin(struct sites *sites, const struct site *site)
{
	const struct named_call *call;
	struct walk innermost = {site->place, 0}, walk = innermost, before = walk;

	while ((call = walk_next(&sites->stacks, &walk))) {
		if (!is_wrapper(&sites->skipped, call->call.function,
				stacks_module(&sites->stacks, before.place)))
			return before;
		before = walk;
	}
	return innermost;
}

const struct named_call *site_location(struct sites *sites, const struct site *site)
{
	struct walk walk = site_origin(sites, site);
	return walk_next(&sites->stacks, &walk);
}

const struct named_call *site_caller(struct sites *sites, const struct site *site)
{
	struct walk walk = site_origin(sites, site);
	const struct named_call *location = walk_next(&sites->stacks, &walk), *call = location;
	bool is_inlined = location && location->call.is_inlined;

	while (call && (is_inlined || strcmp(call->label, location->label) == 0)) {
		call = walk_next(&sites->stacks, &walk);
		is_inlined = call && call->call.is_inlined;
	}
	return call;
}

double sites_bytes(const struct sites *sites)
{
	return site_value(&sites->all, SITE_ALLOCATED_BYTES) + sites->all.resized_bytes;
}

void sites_resolve(struct sites *sites, size_t count)
{
	prepare(sites, count);
	for (size_t i = 0; i < count; i++) {
		struct walk walk = {sites->list[i].place, 0};
		while (walk_next(&sites->stacks, &walk))
			continue;
	}
}

bool sites_first_is_certain(const struct sites *sites)
{
	enum site_figure figure = site_order_figures[sites->order];

	return sites->count < 2 || !site_is_estimated(&sites->list[0].sums, figure) ||
	       site_interval(&sites->list[1].sums, figure).high <=
		       site_interval(&sites->list[0].sums, figure).low;
}

size_t sites_few(const struct sites *sites, double *ret_share)
{
	const double most = 0.8;
	double whole = site_value(&sites->all, site_order_figures[sites->order]), part = 0;
	size_t count = 0;

	while (count < sites->count && part < most * whole)
		part += sites->list[count++].rank;
	*ret_share = whole > 0 ? part / whole : 0;
	return count;
}
