/* SPDX-License-Identifier: MIT */
/* growth.c: see growth.h. */
#include "study/growth.h"

#include "study/classes.h"
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

#define COMPARE(a, b)                                                                              \
	if ((a) != (b))                                                                            \
	return (a) < (b) ? -1 : 1

static int by_size(const void *left, const void *right)
{
	const struct pm_survey_live *a = left, *b = right;

	COMPARE(a->frame, b->frame);
	COMPARE(a->size_class, b->size_class);
	COMPARE(a->large_log2, b->large_log2);
	COMPARE(a->period, b->period);
	return 0;
}

/* What a recorded one stands for. */
static struct sampling sampling_for(const struct process *process, const struct pm_survey_live *live)
{
	const struct pm_site row = {.size_class = live->size_class, .large_log2 = live->large_log2};

	if (live->period <= 1 || live->size_class >= process->layout->class_count ||
	    live->large_log2 >= 64)
		return (struct sampling){0, 0};
	return sampling_of(live->period, site_unit(&row, process));
}

static int64_t whole(double value)
{
	return value > -0x1p62 && value < 0x1p62 ? llround(value) : 0;
}

/* More than live now cannot have come. */
static double at_most(double value, uint64_t most, double seen)
{
	return fmin(value, fmax((double)most, seen));
}

/* seen: bytes. */
static double off_by(const struct sampling *sampling, double blocks, double seen, double value,
		     double most)
{
	struct estimate bytes = {0, 0, 0}, one = {0, 0, 0};

	estimate_add_bytes(&bytes, fabs(seen), fabs(blocks), sampling);
	estimate_add_bytes(&one, fabs(seen / blocks), 1, sampling);
	struct interval interval = estimate_interval(&bytes, &one);
	if (seen > 0)
		interval.high = fmin(interval.high, fmax(most, value));
	return fmax(interval.high - fabs(value), fabs(value) - interval.low);
}

static struct growth_row row_of(const struct process *process, const struct pm_survey_live *more)
{
	struct sampling sampling = sampling_for(process, more);
	double blocks = (double)more->blocks, bytes = (double)more->bytes;
	bool is_estimate = sampling.variance > 0 && blocks != 0;
	double of_blocks = blocks * (1 + sampling.unseen), of_bytes = bytes * (1 + sampling.unseen);
	double off = 0;

	if (is_estimate) {
		uint64_t most = class_live_bytes_most(process, more->size_class);
		of_blocks = at_most(of_blocks, class_live_most(process, more->size_class), blocks);
		of_bytes = at_most(of_bytes, most, bytes);
		off = off_by(&sampling, blocks, bytes, of_bytes, (double)most);
	}
	return (struct growth_row){more->frame, whole(of_blocks), whole(of_bytes), whole(off)};
}

/* Parts of one size become one, and a row.  Returns how many rows. */
static size_t rows_of(const struct process *process, struct pm_survey_live *parts, size_t count,
		      struct growth_row *rows)
{
	size_t made = 0;

	if (count)
		qsort(parts, count, sizeof *parts, by_size);
	for (size_t i = 0; i < count; made++) {
		struct pm_survey_live *first = &parts[i++];
		for (; i < count && by_size(first, &parts[i]) == 0; i++) {
			first->blocks += parts[i].blocks;
			first->bytes += parts[i].bytes;
		}
		rows[made] = row_of(process, first);
	}
	return made;
}

/* Rows of one call site become one. */
static size_t merge(struct growth_row *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept && rows[kept - 1].frame == rows[i].frame) {
			rows[kept - 1].blocks += rows[i].blocks;
			rows[kept - 1].bytes += rows[i].bytes;
			rows[kept - 1].bytes_off = whole(
				hypot((double)rows[kept - 1].bytes_off, (double)rows[i].bytes_off));
		} else {
			rows[kept++] = rows[i];
		}
	return kept;
}

/* Of `count` parts the rows that grew. */
static void keep_grown(const struct process *process, struct growth *growth,
		       struct pm_survey_live *parts, size_t count)
{
	growth->rows = allocate(count + 1, sizeof *growth->rows);
	count = merge(growth->rows, rows_of(process, parts, count, growth->rows));
	for (size_t i = 0; i < count; i++) {
		const struct growth_row *row = &growth->rows[i];
		growth->bytes += row->bytes;
		growth->is_estimated |= row->bytes_off > 0;
		growth->less_count += row->bytes < 0;
		growth->less_bytes += row->bytes < 0 ? row->bytes : 0;
		if (row->bytes > 0)
			growth->rows[growth->count++] = *row;
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
	struct pm_survey_live *parts;
	size_t count = 0;

	*ret = growth;
	if (!survey || !survey->is_whole || !survey->live_count)
		return;
	parts = allocate(process->site_count + survey->live_count + 1, sizeof *parts);
	for (size_t i = 0; i < process->site_count; i++)
		parts[count++] = survey_live_of(&process->sites[i]);
	for (size_t i = 0; i < survey->live_count; i++) {
		struct pm_survey_live then = survey->live[i];
		then.blocks = difference(0, then.blocks);
		then.bytes = difference(0, then.bytes);
		parts[count++] = then;
	}
	keep_grown(process, &growth, parts, count);
	free(parts);
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
	struct pm_survey_live *parts = allocate(process->site_count + 1, sizeof *parts);
	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *site = &process->sites[i];
		struct pm_survey_live live = survey_live_of(site);
		live.blocks = difference(live.blocks, site->then[turn].live);
		live.bytes = difference(live.bytes, site->then[turn].bytes);
		parts[i] = live;
	}
	keep_grown(process, &growth, parts, process->site_count);
	free(parts);
	*ret = growth;
	return epoch;
}

void growth_free(struct growth *growth)
{
	free(growth->rows);
}
