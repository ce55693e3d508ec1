/* SPDX-License-Identifier: MIT */
/*
 * kaplan_meier.h: which share of a site's blocks outlives an age.
 *
 *   S(a) = product over ages up to a of 1 - died/at risk
 *
 * At risk are those that reached the age and were watched so long; a block that lives was watched up to an age that is
 * not recorded.  The more of these count as watched, the higher the curve.  At most: all of them, at each age.  At
 * least: none, but for those that live and surely are older than the epoch of their birth, in that epoch.  The curve
 * of who knew the ages lies between.
 */
#ifndef POOLMEM_STUDY_KAPLAN_MEIER_H
#define POOLMEM_STUDY_KAPLAN_MEIER_H

#include "study/site_ages.h"

struct survivors_at {
	uint32_t age; /* epochs */
	double at_least, at_most;
	struct interval band; /* 95 of 100: from that of the lowest curve to that of the highest */
};

struct kaplan_meier {
	struct survivors_at points[AGE_COLUMNS]; /* by age */
	size_t count;
};

/* Bands by Greenwood's formula, of log(-log S); each recorded block has its weight. */
void kaplan_meier_make(const struct site_ages *ages, struct kaplan_meier *ret);

#endif
