/* SPDX-License-Identifier: MIT */
/* site_ages.c: see site_ages.h. */
#include "study/site_ages.h"

#include "model/saturate.h"
#include "study/survival.h"

#include <math.h>

static unsigned column_of(uint32_t age)
{
	unsigned column = age ? 32 - (unsigned)__builtin_clz(age) : 0;
	return column < AGE_COLUMNS ? column : AGE_COLUMNS - 1;
}

static struct weighed weigh(double blocks, double weight)
{
	return (struct weighed){blocks * weight, blocks * weight * weight};
}

static void add_deaths(struct site_ages *ages, const struct site_group *group, double weight,
		       const struct layout *layout)
{
	for (uint32_t i = 0; i < layout->age_count && i < PM_AGE_COUNT; i++) {
		unsigned first = column_of(layout->ages[i].age_min);
		unsigned last = column_of(layout->ages[i].age_max);
		if (group->died[i] <= 0)
			continue;
		weighed_add(&ages->died[last], weigh(group->died[i], weight));
		for (unsigned column = first; column < last; column++)
			ages->straddled |= 1u << column;
	}
}

/* Blocks of the class that live in generation 0, at most, and in 0 or 1, but for what threads did at the last sweeps. */
struct newer {
	double young, not_old;
};

static struct newer newer_at_most(const struct process *process, uint32_t size_class)
{
	if (!process->survivors)
		return (struct newer){INFINITY, INFINITY};
	struct flow flow = flow_of_class(process, size_class);
	double young = (double)flow.live[0] + (double)process->drift_blocks;
	return (struct newer){young + (double)process->uncertain, young + (double)flow.live[1]};
}

static void add_live(struct site_ages *ages, double blocks, double weight, struct newer most)
{
	double young = fmin(blocks, most.young / weight);

	ages->live_old += fmax(blocks * weight - most.not_old, 0);
	weighed_add(&ages->live, weigh(blocks, weight));
	weighed_add(&ages->live_young, weigh(young, weight));
}

static void note_epochs(struct site_ages *ages, uint64_t epochs)
{
	if (epochs > ages->epochs)
		ages->epochs = epochs;
}

void site_ages_add_group(struct site_ages *ages, const struct site_group *group,
			 const struct pm_site *row, const struct process *process)
{
	double weight = 1 + sampling_of(row->period, site_unit(row, process)).unseen;
	double live = fmax(group->allocated - group->freed, 0);

	ages->recorded += group->allocated;
	note_epochs(ages, excess(process->record.epoch, process->record.inherited_epoch));
	add_deaths(ages, group, weight, process->layout);
	add_live(ages, live, weight, newer_at_most(process, row->size_class));
}

void site_ages_add(struct site_ages *to, const struct site_ages *from)
{
	for (int column = 0; column < AGE_COLUMNS; column++)
		weighed_add(&to->died[column], from->died[column]);
	weighed_add(&to->live, from->live);
	weighed_add(&to->live_young, from->live_young);
	to->live_old += from->live_old;
	to->straddled |= from->straddled;
	to->recorded += from->recorded;
	note_epochs(to, from->epochs);
}

struct weighed site_ages_born(const struct site_ages *ages)
{
	struct weighed born = ages->live;

	for (int column = 0; column < AGE_COLUMNS; column++)
		weighed_add(&born, ages->died[column]);
	return born;
}
