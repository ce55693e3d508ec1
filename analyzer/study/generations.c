/* SPDX-License-Identifier: MIT */
/* generations.c: see generations.h. */
#include "study/generations.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static uint64_t deaths_at(const struct process *process, uint32_t age)
{
	uint64_t deaths = 0;
	for (uint32_t c = 0; c < process->layout->class_count; c++)
		if (process->layout->classes[c].kind != PM_CLASS_LARGE_BYTES)
			deaths = sum(deaths, process->classes[c].freed_at[age]);
	return deaths;
}

static bool same_bucket(const struct age_row *row, const struct pm_age *age)
{
	return row->generation == age->generation && row->age_min == age->age_min &&
	       row->age_max == age->age_max;
}

/* The row of the bucket, added when there is none yet; `rows` has room for it. */
static struct age_row *row_of(struct generations *generations, const struct pm_age *age)
{
	for (size_t i = 0; i < generations->count; i++)
		if (same_bucket(&generations->rows[i], age))
			return &generations->rows[i];
	struct age_row *row = &generations->rows[generations->count++];
	*row = (struct age_row){age->generation, age->age_min, age->age_max, 0};
	return row;
}

static void make_room(struct generations *generations, size_t more)
{
	struct age_row *rows = allocate(generations->count + more, sizeof *rows);
	if (generations->rows)
		memcpy(rows, generations->rows, generations->count * sizeof *rows);
	free(generations->rows);
	generations->rows = rows;
}

static int by_age(const void *left, const void *right)
{
	const struct age_row *a = left, *b = right;
	if (a->generation != b->generation)
		return a->generation < b->generation ? -1 : 1;
	if (a->age_min != b->age_min)
		return a->age_min < b->age_min ? -1 : 1;
	return (a->age_max > b->age_max) - (a->age_max < b->age_max);
}

static void add_deaths(struct generations *generations, const struct process *process)
{
	make_room(generations, process->layout->age_count);
	for (uint32_t age = 0; age < process->layout->age_count; age++) {
		const struct pm_age *bucket = &process->layout->ages[age];
		struct age_row *row = row_of(generations, bucket);
		uint64_t deaths = deaths_at(process, age);
		row->died = sum(row->died, deaths);
		generations->died[bucket->generation] = sum(generations->died[bucket->generation],
							    deaths);
		generations->died_in_all = sum(generations->died_in_all, deaths);
		if (bucket->age_max == 0)
			generations->died_young = sum(generations->died_young, deaths);
	}
	qsort(generations->rows, generations->count, sizeof *generations->rows, by_age);
}

/* Of different clocks no length is the longest. */
static void add_length(struct generations *generations, const struct pm_process *record)
{
	if (!generations->rows) {
		generations->clock = record->clock_kind;
		memcpy(generations->threshold, record->threshold, sizeof generations->threshold);
	}
	if (record->clock_kind != generations->clock)
		generations->clocks_differ = true;
	else if (record->epoch_length > generations->epoch_length)
		generations->epoch_length = record->epoch_length;
}

void generations_add(struct generations *generations, const struct process *process,
		     const struct inheritance *inheritance)
{
	static const struct pm_process nothing;
	const struct pm_process *record = &process->record;
	const struct pm_process *before = inheritance->before ? inheritance->before : &nothing;

	add_length(generations, record);
	generations->has_epochs |= process->kind != PROCESS_DEPARTED;
	uint64_t epochs = excess(record->epoch, before->epoch);
	generations->epochs = sum(generations->epochs, epochs);
	generations->epoch_max = epochs > generations->epoch_max ? epochs : generations->epoch_max;
	for (int g = 0; g < GENERATION_COUNT; g++)
		generations->sweeps[g] = sum(generations->sweeps[g],
					     excess(record->sweeps[g], before->sweeps[g]));
	add_deaths(generations, process);
	survival_add(&generations->survival, process);
}

void generations_free(struct generations *generations)
{
	free(generations->rows);
}
