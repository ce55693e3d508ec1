/* SPDX-License-Identifier: MIT */
/* growth.c: see growth.h. */
#include "study/growth.h"

#include "study/site_sums.h"
#include "text/allocate.h"

#include <math.h>
#include <stdlib.h>

static int by_frame(const void *left, const void *right)
{
	const struct growth_row *a = left, *b = right;
	return (a->frame > b->frame) - (a->frame < b->frame);
}

static int most_first(const void *left, const void *right)
{
	const struct growth_row *a = left, *b = right;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return by_frame(left, right);
}

/* How many blocks a recorded one stands for. */
static double weight_of(const struct process *process, const struct pm_survey_live *live)
{
	const struct pm_site row = {.size_class = live->size_class, .large_log2 = live->large_log2};

	if (live->period <= 1 || live->size_class >= process->layout->class_count ||
	    live->large_log2 >= 64)
		return 1;
	return 1 + sampling_of(live->period, site_unit(&row, process)).unseen;
}

static int64_t whole(double value)
{
	return value > -0x1p62 && value < 0x1p62 ? llround(value) : 0;
}

static struct growth_row row_of(const struct process *process, const struct pm_survey_live *live)
{
	double weight = weight_of(process, live);

	return (struct growth_row){live->frame, whole((double)live->blocks * weight),
				   whole((double)live->bytes * weight)};
}

static size_t merge(struct growth_row *rows, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(rows, count, sizeof *rows, by_frame);
	for (size_t i = 0; i < count; i++)
		if (kept && rows[kept - 1].frame == rows[i].frame) {
			rows[kept - 1].blocks += rows[i].blocks;
			rows[kept - 1].bytes += rows[i].bytes;
		} else {
			rows[kept++] = rows[i];
		}
	return kept;
}

/* Of `count` rows those that grew. */
static void keep_grown(struct growth *growth, size_t count)
{
	count = merge(growth->rows, count);
	for (size_t i = 0; i < count; i++) {
		growth->bytes += growth->rows[i].bytes;
		if (growth->rows[i].bytes > 0)
			growth->rows[growth->count++] = growth->rows[i];
	}
	if (growth->count)
		qsort(growth->rows, growth->count, sizeof *growth->rows, most_first);
}

/* What a file says may be anything. */
static int64_t difference(int64_t now, int64_t then)
{
	int64_t more;
	return __builtin_sub_overflow(now, then, &more) ? 0 : more;
}

void growth_make(const struct process *process, const struct survey *survey, struct growth *ret)
{
	struct growth growth = {.rows = NULL};
	size_t count = 0;

	*ret = growth;
	if (!survey || !survey->is_whole || !survey->live_count)
		return;
	growth.rows = allocate(process->site_count + survey->live_count + 1, sizeof *growth.rows);
	for (size_t i = 0; i < process->site_count; i++) {
		struct pm_survey_live now = survey_live_of(&process->sites[i]);
		growth.rows[count++] = row_of(process, &now);
	}
	for (size_t i = 0; i < survey->live_count; i++) {
		struct growth_row then = row_of(process, &survey->live[i]);
		growth.rows[count++] = (struct growth_row){then.frame, -then.blocks, -then.bytes};
	}
	keep_grown(&growth, count);
	*ret = growth;
}

/* The earlier one, so that there is at least an epoch since. */
static unsigned noted_earlier(const uint64_t epochs[2])
{
	if (!epochs[0] || !epochs[1])
		return epochs[1] != 0;
	return epochs[1] < epochs[0];
}

uint64_t growth_of_epochs(const struct process *process, struct growth *ret)
{
	unsigned turn = noted_earlier(process->record.noted_epoch);
	uint64_t epoch = process->record.noted_epoch[turn];
	struct growth growth = {.rows = NULL};

	*ret = growth;
	if (!epoch || epoch > process->record.epoch)
		return 0;
	growth.rows = allocate(process->site_count + 1, sizeof *growth.rows);
	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *site = &process->sites[i];
		struct pm_survey_live live = survey_live_of(site);
		live.blocks = difference(live.blocks, site->then[turn].live);
		live.bytes = difference(live.bytes, site->then[turn].bytes);
		growth.rows[i] = row_of(process, &live);
	}
	keep_grown(&growth, process->site_count);
	*ret = growth;
	return epoch;
}

void growth_free(struct growth *growth)
{
	free(growth->rows);
}
