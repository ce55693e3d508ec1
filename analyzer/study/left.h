/* SPDX-License-Identifier: MIT */
/* left.h: leak.blocks and leak.bytes: what was live when processes ended, less what suppressions name. */
#ifndef POOLMEM_STUDY_LEFT_H
#define POOLMEM_STUDY_LEFT_H

#include "study/sites.h"

/* What sites had left, of all processes. */
struct left {
	bool is_running; /* the first process has not ended: what lives, of all */
	bool may_suppress;
	struct site_sums all, kept, suppressed; /* all: both together */
};

/* Where none of a sample is suppressed some of the rest may be: how much, sums of it must tell. */
void left_note_unseen(struct site_sums *suppressed, const struct sites *sites);

/*
 * Into *metrics.  which: LEAK_BLOCKS with a figure in blocks, or LEAK_BYTES with one in bytes.  Returns how much was counted and has
 * no site, where each block was to be recorded.
 */
uint64_t left_metric(const struct study *study, const struct sites *sites, const struct left *left,
		     enum metric which, enum site_figure figure, struct metrics *metrics);

/*
 * Takes off the metrics of the study, of all and of each process that has ended, what the query of the sites suppressed, and the note
 * that it is in them.  Nothing where the first process runs, or where no site was recorded.
 */
void left_apply(struct study *study, const struct sites *sites);

#endif
