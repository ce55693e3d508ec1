/* SPDX-License-Identifier: MIT */
/*
 * curve.h: the survival curve: how much of what was born outlived which age.
 *
 * Deaths are known by ranges of ages.  There is a point only at ages that no range with deaths straddles: there
 * the curve is a count.  What still lives counts as having outlived each age.
 */
#ifndef POOLMEM_STUDY_CURVE_H
#define POOLMEM_STUDY_CURVE_H

#include "study/generations.h"

struct curve_point {
	uint32_t age;           /* epochs */
	uint64_t blocks, bytes; /* that died older, or live */
};

struct curve {
	uint64_t born, born_bytes;  /* the whole */
	struct curve_point *points; /* by age */
	size_t count;
};

/* rows: deaths; age_max: no block is older. */
void curve_make(const struct age_row *rows, size_t row_count, const struct curve_point *born,
		uint64_t age_max, struct curve *ret);

void curve_of(const struct generations *generations, struct curve *ret);
void curve_free(struct curve *curve);

#endif
