/* SPDX-License-Identifier: MIT */
/* site_sums.h: what was done with blocks of a stack, or of many: each figure as an estimate. */
#ifndef POOLMEM_STUDY_SITE_SUMS_H
#define POOLMEM_STUDY_SITE_SUMS_H

#include "model/process.h"
#include "study/estimate.h"
#include "study/site_query.h"

/* Rows of one stack, size and period, over the slots of a process. */
struct site_group {
	double allocated, allocated_bytes, requested;
	double freed, freed_bytes, freed_requested;
	double resized_bytes, resized_requested;
	double moved, temporary, remote, peak_live, peak_bytes;
	double died[PM_AGE_COUNT];
};

void site_group_add(struct site_group *group, const struct pm_site *row);

struct site_sums {
	struct estimate figure[SITE_FIGURE_COUNT];
	struct estimate rarest, rarest_bytes; /* of one block of the rows that tell least */
	double resized_bytes;                 /* what live blocks gained in place, or lost */
	/* What lives, as counted, of the classes that blocks were recorded of: no estimate of live ones is above. */
	double live_most, live_bytes_most;
};

/* row: one of the group's, for its class and period. */
void site_sums_add_group(struct site_sums *sums, const struct site_group *group,
			 const struct pm_site *row, const struct process *process);

/* What a block of a row counts as when it is drawn for the sample, bytes. */
uint64_t site_unit(const struct pm_site *row, const struct process *process);

/* That a block of so many bytes may be there unseen. */
void site_sums_note_one(struct site_sums *sums, uint64_t unit, uint64_t period);

void site_sums_add(struct site_sums *to, const struct site_sums *from);

/* Of what was never freed alone. */
void site_sums_add_leaked(struct site_sums *to, const struct site_sums *from);
void site_sums_forget_leaked(struct site_sums *sums);

static inline double site_value(const struct site_sums *sums, enum site_figure which)
{
	return estimate_value(&sums->figure[which]);
}

double site_standard_error(const struct site_sums *sums, enum site_figure which);
struct interval site_interval(const struct site_sums *sums, enum site_figure which);

/* Whether it is a sample's. */
/* Of none that was seen there may be some, where a sample was recorded. */
static inline bool site_is_estimated(const struct site_sums *sums, enum site_figure which)
{
	const struct estimate *figure = &sums->figure[which];
	return figure->variance > 0 || (figure->seen <= 0 && sums->rarest.variance > 0);
}

#endif
