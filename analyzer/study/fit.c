/* SPDX-License-Identifier: MIT */
/* fit.c: see fit.h. */
#include "study/fit.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { GRAIN = 16 }; /* what malloc aligns blocks to */

/* --- classes ----------------------------------------------------------------------------------------------- */

static void add_pool(struct fit_class *row, const struct survey *survey,
		     const struct surveyed_pool *pool)
{
	uint64_t live = product(pool->live_count, pool->block_bytes);
	uint64_t resident = survey_resident_bytes(survey, pool);

	row->pools++;
	row->live_count += pool->live_count;
	row->live_bytes = sum(row->live_bytes, live);
	row->is_split |= pool->recorded > 0;
	row->recorded += pool->recorded;
	row->requested = sum(row->requested, pool->recorded_requested);
	if (!pool->live_count)
		row->kept_bytes = sum(row->kept_bytes, resident);
	else
		row->free_bytes = sum(row->free_bytes, excess(resident, live));
}

/* What was asked for of those that were recorded, to all. */
static void scale_up(struct fit_class *row)
{
	if (row->recorded && row->recorded < row->live_count)
		row->requested = (uint64_t)((double)row->requested * (double)row->live_count /
					    (double)row->recorded);
}

static int most_free_first(const void *left, const void *right)
{
	const struct fit_class *a = left, *b = right;
	if (a->free_bytes != b->free_bytes)
		return a->free_bytes < b->free_bytes ? 1 : -1;
	return (a->block_bytes > b->block_bytes) - (a->block_bytes < b->block_bytes);
}

static void make_classes(const struct process *process, const struct survey *survey, struct fit *fit)
{
	const struct layout *layout = process->layout;
	struct fit_class *rows = allocate(layout->class_count, sizeof *rows);
	size_t kept = 0;

	for (size_t i = 0; i < survey->pool_count; i++)
		add_pool(&rows[survey->pools[i].size_class], survey, &survey->pools[i]);
	for (uint32_t c = 0; c < layout->class_count; c++) {
		struct class_row named = class_row_of(&layout->classes[c]);
		if (!rows[c].pools)
			continue;
		scale_up(&rows[c]);
		memcpy(rows[c].name, named.name, sizeof rows[c].name);
		rows[c].block_bytes = named.block_bytes;
		rows[kept++] = rows[c];
	}
	if (kept)
		qsort(rows, kept, sizeof *rows, most_free_first);
	fit->classes = rows;
	fit->class_count = kept;
}

/* --- sizes ------------------------------------------------------------------------------------------------- */

/* Live blocks of a class that were asked for with one size. */
struct asked {
	uint32_t size_class, bytes; /* rounded up to the grain */
	double blocks;
};

static int by_class_and_size(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;
	if (a->size_class != b->size_class)
		return a->size_class < b->size_class ? -1 : 1;
	return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* Blocks that another slot freed are in that one's row, and count as live here. */
static struct asked asked_of(const struct process *process, const struct pm_site *row)
{
	double mean = row->allocated ? (double)row->requested / (double)row->allocated : 0;
	uint32_t unit = process->layout->classes[row->size_class].block_bytes;
	struct asked asked = {.size_class = row->size_class,
			      .blocks = (double)(row->allocated - row->freed)};
	uint32_t bytes = mean > 0 && mean < unit ? (uint32_t)mean : unit;

	asked.bytes = (bytes + GRAIN - 1) / GRAIN * GRAIN;
	return asked;
}

static size_t gather(const struct process *process, struct asked *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		if (process->layout->classes[row->size_class].kind == PM_CLASS_POOL &&
		    row->period == 1 && row->allocated > row->freed)
			ret[count++] = asked_of(process, row);
	}
	if (count)
		qsort(ret, count, sizeof *ret, by_class_and_size);
	return count;
}

/* Of the requests of one class, in order of size: a block of each one's size would serve all up to it. */
static struct fit_size best_size(const struct process *process, const struct asked *asked,
				 size_t count)
{
	uint32_t unit = process->layout->classes[asked->size_class].block_bytes;
	struct fit_size best = {.block_bytes = unit};
	double blocks = 0;

	for (size_t i = 0; i < count; i++) {
		blocks += asked[i].blocks;
		double saved = blocks * (unit - asked[i].bytes);
		if (saved > (double)best.saved_bytes) {
			best.bytes = asked[i].bytes;
			best.saved_bytes = (uint64_t)saved;
			best.blocks = (uint64_t)blocks;
		}
	}
	return best;
}

static int most_first(const void *left, const void *right)
{
	const struct fit_size *a = left, *b = right;
	if (a->saved_bytes != b->saved_bytes)
		return a->saved_bytes < b->saved_bytes ? 1 : -1;
	return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static void make_sizes(const struct process *process, struct fit *fit)
{
	struct asked *asked = allocate(process->site_count + 1, sizeof *asked);
	size_t count = gather(process, asked), next;

	fit->sizes = allocate(process->layout->class_count, sizeof *fit->sizes);
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && asked[next].size_class == asked[i].size_class;)
			next++;
		struct fit_size size = best_size(process, asked + i, next - i);
		if (size.saved_bytes)
			fit->sizes[fit->size_count++] = size;
	}
	if (fit->size_count)
		qsort(fit->sizes, fit->size_count, sizeof *fit->sizes, most_first);
	free(asked);
}

bool fit_make(const struct process *process, const struct survey *survey, bool at_peak,
	      struct fit *ret)
{
	struct fit fit = {.class_count = 0};

	if (!survey || !survey->is_whole)
		return false;
	make_classes(process, survey, &fit);
	if (!at_peak) /* what each site had live just then is known by bytes, not by requests */
		make_sizes(process, &fit);
	*ret = fit;
	return true;
}

void fit_free(struct fit *fit)
{
	free(fit->classes);
	free(fit->sizes);
}
