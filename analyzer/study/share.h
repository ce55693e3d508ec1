/* SPDX-License-Identifier: MIT */
/* share.h: which part of some blocks is of a kind, and how sure that is when not each block was recorded. */
#ifndef POOLMEM_STUDY_SHARE_H
#define POOLMEM_STUDY_SHARE_H

#include "study/estimate.h"

#include <stdbool.h>

/* Recorded blocks: the sum of how many each stands for, and of the squares of that. */
struct weighed {
	double sum, squares;
};

void weighed_add(struct weighed *to, struct weighed more);
struct weighed weighed_less(struct weighed whole, struct weighed part);

/* So many blocks of an estimate. */
struct weighed weighed_of(const struct estimate *blocks);

/* Each block stands for itself. */
static inline bool weighed_is_exact(struct weighed blocks)
{
	return blocks.squares <= blocks.sum;
}

/* How many blocks of equal weight would tell as much. */
static inline double weighed_count(struct weighed blocks)
{
	return blocks.squares > 0 ? blocks.sum * blocks.sum / blocks.squares : 0;
}

/*
 * The share of `part` in `whole`, which it is among: where it lies in 95 of 100 cases (Wilson's interval).  Exact
 * ones: the share itself.  Of nothing: 0 to 1.
 */
struct interval share_interval(struct weighed part, struct weighed whole);

#endif
