/* SPDX-License-Identifier: MIT */
/*
 * estimate.h: from what was recorded of a sample to what there was, and how sure that is.
 *
 * A block is recorded with probability p = 1 - exp(-unit / period).  So n recorded ones stand for n/p, with the
 * variance n(1-p)/p^2; those that were not seen are n(1-p)/p of them.  With p = 1 nothing is unseen.
 */
#ifndef POOLMEM_STUDY_ESTIMATE_H
#define POOLMEM_STUDY_ESTIMATE_H

#include <stdint.h>

/* For each block that was recorded: how many were not, and the variance of that. */
struct sampling {
	double unseen, variance;
};

/* A sum: of blocks, or of bytes. */
struct estimate {
	double seen, unseen, variance;
};

struct interval {
	double low, high;
};

/* period 1: each block is recorded. */
struct sampling sampling_of(uint64_t period, uint64_t unit_bytes);

/* So many recorded blocks. */
void estimate_add_blocks(struct estimate *to, double blocks, const struct sampling *sampling);

/*
 * So many bytes in recorded blocks.  The sum of their squares is taken to be that of blocks of one size: it is, but
 * for large blocks.  Those of one row lie within a doubling, so theirs is at most 9/8 of what is taken.
 */
void estimate_add_bytes(struct estimate *to, double bytes, double blocks,
			const struct sampling *sampling);

void estimate_add(struct estimate *to, const struct estimate *from);

/* So much for each of what was estimated. */
struct estimate estimate_times(const struct estimate *estimate, double each);

static inline double estimate_value(const struct estimate *estimate)
{
	return estimate->seen + estimate->unseen;
}

/*
 * Where the truth lies in 95 of 100 cases; never below what was seen.  one: what a single recorded block of the
 * rarest kind would have added.  Of nothing seen nothing is said: 0 to 0.
 */
struct interval estimate_interval(const struct estimate *estimate, const struct estimate *one);

#endif
