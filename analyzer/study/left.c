/* SPDX-License-Identifier: MIT */
/* left.c: see left.h. */
#include "study/left.h"

#include "model/saturate.h"
#include "study/classes.h"
#include "text/allocate.h"

#include <math.h>
#include <stdlib.h>

static struct metric_bound counted(const struct left *left, const struct study *study,
				   enum metric which)
{
	struct metric_bound all = {true, 0, 0};

	for (size_t i = 0; i < study->process_count; i++) {
		const struct metrics *metrics = &study->processes[i].figures.metrics;
		const struct metric_bound *bound = &metrics->bound[which];
		if (!left->is_running && study->processes[i].process->state == STATE_RUNNING)
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
static struct metric_bound left_of_all(const struct left *left, const struct sites *sites,
				       enum site_figure figure, const struct metric_bound *count,
				       uint64_t unrecorded)
{
	uint64_t least = sum(whole(site_value(&left->kept, figure)), unrecorded);
	uint64_t most = excess((uint64_t)count->at_most,
			       whole(site_value(&left->suppressed, figure)));
	bool is_whole = !sites->dropped_blocks && !sites->silent_count && !sites->departed_count &&
			!left->is_running;

	return (struct metric_bound){!is_whole && most > least, (int64_t)least,
				     (int64_t)(is_whole || most < least ? least : most)};
}

/* Blocks of one size that live. */
struct live {
	uint64_t block_bytes, blocks;
};

static int smallest_first(const void *left, const void *right)
{
	const struct live *a = left, *b = right;
	return (a->block_bytes > b->block_bytes) - (a->block_bytes < b->block_bytes);
}

/* Of a process; a large block is larger than those of its pools.  Returns how many were written. */
static size_t live_of(const struct process *process, struct live *ret)
{
	const struct layout *layout = process->layout;
	uint64_t largest = 1;

	for (uint32_t c = 0; c < layout->class_count; c++) {
		bool is_pool = layout->classes[c].kind == PM_CLASS_POOL;
		if (is_pool && layout->classes[c].block_bytes > largest)
			largest = layout->classes[c].block_bytes;
	}
	for (uint32_t c = 0; c < layout->class_count; c++) {
		const struct pm_class *of = &layout->classes[c];
		ret[c] = (struct live){
			of->kind == PM_CLASS_POOL ? of->block_bytes : largest,
			of->kind == PM_CLASS_LARGE_BYTES ? 0 : class_live_most(process, c)};
	}
	return layout->class_count;
}

/* How many of the blocks that live can be in so many bytes: the smallest. */
static uint64_t blocks_within(const struct study *study, const struct left *left, uint64_t bytes)
{
	size_t room = 0, count = 0;
	uint64_t blocks = 0;

	for (size_t i = 0; i < study->process_count; i++)
		room += study->processes[i].process->layout->class_count;
	struct live *live = allocate(room + 1, sizeof *live);
	for (size_t i = 0; i < study->process_count; i++) {
		const struct process *process = study->processes[i].process;
		if (left->is_running || process->state != STATE_RUNNING)
			count += live_of(process, &live[count]);
	}
	qsort(live, count, sizeof *live, smallest_first);
	for (size_t i = 0; i < count && bytes; i++) {
		uint64_t each = live[i].block_bytes ? live[i].block_bytes : 1;
		uint64_t some = bytes / each < live[i].blocks ? bytes / each : live[i].blocks;
		blocks = sum(blocks, some);
		bytes -= some * each;
		if (some < live[i].blocks)
			break;
	}
	free(live);
	return blocks;
}

/* At most: no more blocks are suppressed than the bytes that are have room for. */
static uint64_t suppressed_most(const struct study *study, const struct left *left,
				enum site_figure figure)
{
	uint64_t most = whole(site_interval(&left->suppressed, figure).high);

	if (site_figure_is_bytes(figure))
		return most;
	enum site_figure of_bytes = figure == SITE_LIVE ? SITE_LIVE_BYTES : SITE_LEAKED_BYTES;
	uint64_t within = blocks_within(study, left,
					whole(site_interval(&left->suppressed, of_bytes).high));
	return within < most ? within : most;
}

/* A sample: what was counted is known, what of it is suppressed is an estimate. */
static struct metric_bound left_of_sample(const struct study *study, const struct left *left,
					  const struct sites *sites, enum site_figure figure,
					  const struct metric_bound *count)
{
	struct interval suppressed = site_interval(&left->suppressed, figure);
	uint64_t least = excess((uint64_t)count->at_least, suppressed_most(study, left, figure));
	uint64_t most = excess((uint64_t)count->at_most, whole(suppressed.low));

	if (left->may_suppress && !sites->used_count)
		least = 0; /* nobody knows what was not recorded */
	return (struct metric_bound){least < most, (int64_t)least, (int64_t)most};
}

uint64_t left_metric(const struct study *study, const struct sites *sites, const struct left *left,
		     enum metric which, enum site_figure figure, struct metrics *metrics)
{
	struct metric_bound count = counted(left, study, which), *bound = &metrics->bound[which];
	bool is_sample = sites->period_max > 1;
	uint64_t recorded = whole(site_value(&left->all, figure));
	uint64_t unrecorded = is_sample ? 0 : excess((uint64_t)count.at_least, recorded);
	uint64_t suppressed = whole(site_value(&left->suppressed, figure));

	*bound = is_sample ? left_of_sample(study, left, sites, figure, &count)
			   : left_of_all(left, sites, figure, &count, unrecorded);
	metrics->value[which] = (struct known){
		true, is_sample ? (int64_t)excess((uint64_t)count.at_least, suppressed)
				: bound->at_least};
	return unrecorded;
}

void left_note_unseen(struct site_sums *suppressed, const struct sites *sites)
{
	if (suppressed->rarest.variance > 0)
		return;
	suppressed->rarest = sites->all.rarest;
	suppressed->rarest_bytes = sites->all.rarest_bytes;
}

/* --- in the metrics of a study ----------------------------------------------------------------------------- */

static void take_off(struct metrics *metrics, enum metric which, enum site_figure figure,
		     const struct site_sums *suppressed)
{
	struct known *value = &metrics->value[which];
	struct metric_bound *bound = &metrics->bound[which];
	struct interval interval = site_interval(suppressed, figure);
	uint64_t least = metric(metrics, which),
		 most = bound->is_known ? (uint64_t)bound->at_most : least;

	value->value = (int64_t)excess(least, whole(site_value(suppressed, figure)));
	least = excess(least, whole(interval.high));
	most = excess(most, whole(interval.low));
	*bound = (struct metric_bound){least < most, (int64_t)least, (int64_t)most};
}

static void take_off_process(struct process_study *study, const struct sites *sites,
			     const struct recording *recording)
{
	const struct process *process = study->process;
	struct site_sums suppressed = sites->suppressed_of[process - recording->processes];

	if (process->state == STATE_RUNNING || !process->site_count)
		return;
	if (process->record.site_period > 1)
		left_note_unseen(&suppressed, sites);
	take_off(&study->figures.metrics, METRIC_LEAK_BLOCKS, SITE_LEAKED, &suppressed);
	take_off(&study->figures.metrics, METRIC_LEAK_BYTES, SITE_LEAKED_BYTES, &suppressed);
}

void left_apply(struct study *study, const struct sites *sites)
{
	struct left left = {.may_suppress = true, .kept = sites->all};

	if (!sites->suppressed_of || !sites->used_count || !study->process_count ||
	    study->processes[0].process->state == STATE_RUNNING)
		return;
	left.suppressed = sites->suppressed;
	left_note_unseen(&left.suppressed, sites);
	left.all = left.kept;
	site_sums_add_leaked(&left.all, &left.suppressed);
	left_metric(study, sites, &left, METRIC_LEAK_BLOCKS, SITE_LEAKED, &study->total.metrics);
	left_metric(study, sites, &left, METRIC_LEAK_BYTES, SITE_LEAKED_BYTES,
		    &study->total.metrics);
	for (size_t i = 0; i < study->process_count; i++)
		take_off_process(&study->processes[i], sites, study->recording);
	notes_remove(&study->total.notes, NOTE_LEAK_WHOLE);
}
