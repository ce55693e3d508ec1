/* SPDX-License-Identifier: MIT */
/* site_sums.c: see site_sums.h. */
#include "study/site_sums.h"

#include "study/classes.h"

#include <math.h>

void site_group_add(struct site_group *group, const struct pm_site *row)
{
	group->allocated += (double)row->allocated;
	group->allocated_bytes += (double)row->allocated_bytes;
	group->requested += (double)row->requested;
	group->freed += (double)row->freed;
	group->freed_bytes += (double)row->freed_bytes;
	group->freed_requested += (double)row->freed_requested;
	group->resized_bytes += (double)row->resized_bytes;
	group->resized_requested += (double)row->resized_requested;
	group->moved += (double)row->moved;
	group->temporary += (double)row->temporary;
	group->remote += (double)row->remote;
	group->peak_live += (double)row->peak_live;
	group->peak_bytes += (double)row->peak_bytes;
	for (int age = 0; age < PM_AGE_COUNT; age++)
		group->died[age] += (double)row->died[age];
}

/* What sums go to, with what a recorded block stands for. */
struct adding {
	struct site_sums *sums;
	struct sampling sampling;
};

static void add_blocks(const struct adding *adding, enum site_figure which, double blocks)
{
	estimate_add_blocks(&adding->sums->figure[which], blocks > 0 ? blocks : 0,
			    &adding->sampling);
}

static void add_bytes(const struct adding *adding, enum site_figure which, double bytes,
		      double blocks)
{
	if (bytes > 0 && blocks > 0)
		estimate_add_bytes(&adding->sums->figure[which], bytes, blocks, &adding->sampling);
}

/* What a sample says of blocks, where no more than `most` can be there. */
static struct sampling at_most(struct sampling sampling, double seen, double most)
{
	if (seen <= 0 || sampling.unseen <= 0 || seen * (1 + sampling.unseen) <= most)
		return sampling;
	double part = fmax(most / seen - 1, 0) / sampling.unseen;
	return (struct sampling){sampling.unseen * part, sampling.variance * part * part};
}

static void add_live(const struct adding *adding, const struct site_group *group,
		     const struct pm_site *row, const struct process *process)
{
	double blocks = group->allocated - group->freed;
	double bytes = group->allocated_bytes - group->freed_bytes + group->resized_bytes;
	double requested = group->requested - group->freed_requested + group->resized_requested;
	double most = (double)class_live_most(process, row->size_class);
	double bytes_most = fmax((double)class_live_bytes_most(process, row->size_class), bytes);
	struct adding of_blocks = {adding->sums, at_most(adding->sampling, blocks, most)};
	struct adding of_bytes = {adding->sums, at_most(adding->sampling, bytes, bytes_most)};

	if (blocks > 0) {
		adding->sums->live_most += fmax(most, blocks);
		adding->sums->live_bytes_most += bytes_most;
	}
	add_blocks(&of_blocks, SITE_LIVE, blocks);
	add_bytes(&of_bytes, SITE_LIVE_BYTES, bytes, blocks);
	add_bytes(&of_bytes, SITE_LIVE_REQUESTED_BYTES, requested, blocks);
	if (process->state == STATE_RUNNING)
		return;
	add_blocks(&of_blocks, SITE_LEAKED, blocks);
	add_bytes(&of_bytes, SITE_LEAKED_BYTES, bytes, blocks);
}

static void add_deaths(const struct adding *adding, const struct site_group *group,
		       const struct layout *layout)
{
	static const enum site_figure of_generation[GENERATION_COUNT] = {SITE_DIED_0, SITE_DIED_1,
									 SITE_DIED_2};

	for (uint32_t i = 0; i < layout->age_count; i++) {
		add_blocks(adding, of_generation[layout->ages[i].generation], group->died[i]);
		if (!layout->ages[i].age_max)
			add_blocks(adding, SITE_DIED_YOUNG, group->died[i]);
	}
}

uint64_t site_unit(const struct pm_site *row, const struct process *process)
{
	const struct pm_class *size_class = &process->layout->classes[row->size_class];
	return size_class->kind == PM_CLASS_LARGE ? UINT64_C(1) << row->large_log2
						  : size_class->block_bytes;
}

static void note_rarest(struct estimate *rarest, double each, const struct sampling *sampling)
{
	double unseen = each * sampling->unseen, variance = each * each * sampling->variance;

	if (variance > rarest->variance)
		*rarest = (struct estimate){each, unseen, variance};
}

void site_sums_note_one(struct site_sums *sums, uint64_t unit, uint64_t period)
{
	struct sampling sampling = sampling_of(period, unit);

	note_rarest(&sums->rarest, 1, &sampling);
	note_rarest(&sums->rarest_bytes, (double)unit, &sampling);
}

void site_sums_add_group(struct site_sums *sums, const struct site_group *group,
			 const struct pm_site *row, const struct process *process)
{
	uint64_t unit = site_unit(row, process);
	struct adding adding = {sums, sampling_of(row->period, unit)};

	sums->resized_bytes += group->resized_bytes * (1 + adding.sampling.unseen);
	site_sums_note_one(sums, unit, row->period);
	add_blocks(&adding, SITE_ALLOCATED, group->allocated);
	add_bytes(&adding, SITE_ALLOCATED_BYTES, group->allocated_bytes, group->allocated);
	add_bytes(&adding, SITE_REQUESTED_BYTES, group->requested, group->allocated);
	add_bytes(&adding, SITE_SLACK_BYTES, group->allocated_bytes - group->requested,
		  group->allocated);
	add_blocks(&adding, SITE_FREED, group->freed);
	add_bytes(&adding, SITE_FREED_BYTES, group->freed_bytes, group->freed);
	add_live(&adding, group, row, process);
	add_blocks(&adding, SITE_PEAK, group->peak_live);
	add_bytes(&adding, SITE_PEAK_BYTES, group->peak_bytes, group->peak_live);
	add_blocks(&adding, SITE_MOVED, group->moved);
	add_blocks(&adding, SITE_TEMPORARY, group->temporary);
	add_blocks(&adding, SITE_REMOTE, group->remote);
	add_deaths(&adding, group, process->layout);
}

void site_sums_add(struct site_sums *to, const struct site_sums *from)
{
	for (int i = 0; i < SITE_FIGURE_COUNT; i++)
		estimate_add(&to->figure[i], &from->figure[i]);
	to->resized_bytes += from->resized_bytes;
	to->live_most += from->live_most;
	to->live_bytes_most += from->live_bytes_most;
	if (from->rarest.variance > to->rarest.variance)
		to->rarest = from->rarest;
	if (from->rarest_bytes.variance > to->rarest_bytes.variance)
		to->rarest_bytes = from->rarest_bytes;
}

void site_sums_add_leaked(struct site_sums *to, const struct site_sums *from)
{
	estimate_add(&to->figure[SITE_LEAKED], &from->figure[SITE_LEAKED]);
	estimate_add(&to->figure[SITE_LEAKED_BYTES], &from->figure[SITE_LEAKED_BYTES]);
}

void site_sums_forget_leaked(struct site_sums *sums)
{
	sums->figure[SITE_LEAKED] = sums->figure[SITE_LEAKED_BYTES] = (struct estimate){0, 0, 0};
}

double site_standard_error(const struct site_sums *sums, enum site_figure which)
{
	return sqrt(sums->figure[which].variance);
}

static bool is_of_live(enum site_figure which)
{
	return which == SITE_LIVE || which == SITE_LEAKED || which == SITE_LIVE_BYTES ||
	       which == SITE_LEAKED_BYTES;
}

struct interval site_interval(const struct site_sums *sums, enum site_figure which)
{
	bool is_bytes = site_figure_is_bytes(which);
	struct interval interval = estimate_interval(
		&sums->figure[which], is_bytes ? &sums->rarest_bytes : &sums->rarest);

	double most = is_bytes ? sums->live_bytes_most : sums->live_most;
	if (is_of_live(which) && sums->figure[which].seen > 0 && most > 0)
		interval.high = fmin(interval.high, most);
	return interval;
}
