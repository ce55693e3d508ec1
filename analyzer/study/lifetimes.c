/* SPDX-License-Identifier: MIT */
/* lifetimes.c: see lifetimes.h. */
#include "study/lifetimes.h"

#include "text/allocate.h"

#include <stdlib.h>

static double lower(uint64_t a, uint64_t b)
{
	return (double)(a < b ? a : b);
}

/* No block is older than its process. */
static double age_of(const struct pm_age *age, uint64_t epochs)
{
	return (lower(age->age_min, epochs) + lower(age->age_max, epochs)) / 2;
}

static double lifetime_of(const struct pm_site *row, const struct process *process)
{
	const struct layout *layout = process->layout;
	uint64_t epochs = process->record.epoch;
	double live = (double)row->allocated - (double)row->freed;
	double sum = live * (double)epochs / 2;

	for (uint32_t i = 0; i < layout->age_count && i < PM_AGE_COUNT; i++)
		sum += (double)row->died[i] * age_of(&layout->ages[i], epochs);
	return sum;
}

static void add(const struct process *process, struct sites *sites, double *sums)
{
	uint32_t *places = stacks_begin(process);

	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		struct sampling sampling = sampling_of(row->period, site_unit(row, process));
		uint32_t place = stacks_place(&sites->stacks, process, row->frame, places);
		sums[place] += lifetime_of(row, process) * (1 + sampling.unseen);
	}
	free(places);
}

double *lifetimes_of(const struct study *study, struct sites *sites)
{
	double *sums = allocate(sites->stacks.count, sizeof *sums);

	for (size_t i = 0; i < study->process_count; i++)
		add(study->processes[i].process, sites, sums);
	return sums;
}

uint64_t epochs_at_most(const struct study *study)
{
	uint64_t most = 0;

	for (size_t i = 0; i < study->process_count; i++)
		if (study->processes[i].process->record.epoch > most)
			most = study->processes[i].process->record.epoch;
	return most;
}
