/* SPDX-License-Identifier: MIT */
/* generations.c: see generations.h. */
#include "study/generations.h"

#include "study/amount.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

static struct amount deaths_at(const struct process *process, uint32_t age)
{
	struct amount deaths = {0, 0};
	for (uint32_t c = 0; c < process->layout->class_count; c++)
		amount_add(&deaths, &process->layout->classes[c], process->classes[c].freed_at[age]);
	return deaths;
}

static struct amount births_of(const struct process *process)
{
	struct amount births = {process->record.inherited_blocks, process->record.inherited_bytes};
	struct amount frozen = {0, 0};

	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		const struct pm_class *size_class = &process->layout->classes[c];
		amount_add(&births, size_class, process->classes[c].allocated);
		if (!process->survivors)
			continue;
		struct flow flow = flow_of_class(process, c);
		amount_add(&frozen, size_class, flow_frozen(&flow));
	}
	return (struct amount){excess(births.blocks, frozen.blocks),
			       excess(births.bytes, frozen.bytes)};
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
	*row = (struct age_row){
		.generation = age->generation, .age_min = age->age_min, .age_max = age->age_max};
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

static void add_to_row(struct age_row *row, const struct amount *deaths, bool is_lost)
{
	row->died = sum(row->died, deaths->blocks);
	row->died_bytes = sum(row->died_bytes, deaths->bytes);
	if (!is_lost)
		return;
	row->lost = sum(row->lost, deaths->blocks);
	row->lost_bytes = sum(row->lost_bytes, deaths->bytes);
}

static void add_to_sums(struct generations *generations, const struct pm_age *bucket,
			const struct amount *deaths)
{
	uint64_t *died = &generations->died[bucket->generation];

	*died = sum(*died, deaths->blocks);
	generations->died_in_all = sum(generations->died_in_all, deaths->blocks);
	generations->died_bytes_in_all = sum(generations->died_bytes_in_all, deaths->bytes);
	if (bucket->age_max)
		return;
	generations->died_young = sum(generations->died_young, deaths->blocks);
	generations->died_young_bytes = sum(generations->died_young_bytes, deaths->bytes);
}

static void add_births(struct generations *generations, const struct process *process)
{
	if (process->kind == PROCESS_DEPARTED) {
		generations->departed += process->record.recycled_children;
		return;
	}
	struct amount births = births_of(process);
	generations->born = sum(generations->born, births.blocks);
	generations->born_bytes = sum(generations->born_bytes, births.bytes);
	if (process->record.epoch > generations->age_max)
		generations->age_max = process->record.epoch;
}

static void add_deaths(struct generations *generations, const struct process *process)
{
	make_room(generations, process->layout->age_count);
	for (uint32_t age = 0; age < process->layout->age_count; age++) {
		const struct pm_age *bucket = &process->layout->ages[age];
		struct age_row *row = row_of(generations, bucket);
		struct amount deaths = deaths_at(process, age);
		add_to_row(row, &deaths, process->kind == PROCESS_DEPARTED);
		add_to_sums(generations, bucket, &deaths);
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

	if (!process_has_ages(process))
		return;
	add_length(generations, record);
	generations->has_epochs |= process->kind != PROCESS_DEPARTED;
	uint64_t epochs = excess(record->epoch, before->epoch);
	generations->epochs = sum(generations->epochs, epochs);
	generations->epoch_max = epochs > generations->epoch_max ? epochs : generations->epoch_max;
	for (int g = 0; g < GENERATION_COUNT; g++)
		generations->sweeps[g] = sum(generations->sweeps[g],
					     excess(record->sweeps[g], before->sweeps[g]));
	add_deaths(generations, process);
	add_births(generations, process);
	survival_add(&generations->survival, process);
}

void generations_free(struct generations *generations)
{
	free(generations->rows);
}
