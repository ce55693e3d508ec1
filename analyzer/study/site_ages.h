/* SPDX-License-Identifier: MIT */
/*
 * site_ages.h: at which ages the blocks of a site died, and how many live.
 *
 *   column   0   1    2      3     4  ...    8       9
 *   ages     0   1   2-3    4-7   8-15 ... 128-255  256 and more, in epochs
 *
 * A recording knows ranges of ages.  A death stands in the column of the highest age that the block may have had; at the
 * end of a column that a range with deaths straddles nothing can be told.  How old those are that live is not recorded
 * of a site.  Of a size class it is known how many live in each generation: no more of the site's can be there.
 */
#ifndef POOLMEM_STUDY_SITE_AGES_H
#define POOLMEM_STUDY_SITE_AGES_H

#include "study/share.h"
#include "study/site_sums.h"

enum { AGE_COLUMNS = 10 };

struct site_ages {
	struct weighed died[AGE_COLUMNS];
	struct weighed live, live_young; /* young: of these, at most, of age 0 */
	double live_old;                 /* of these, at least, in generation 2 */
	uint32_t straddled;              /* columns at whose end nothing can be told, a bit each */
	uint64_t epochs;                 /* no block is older */
	double recorded;                 /* blocks, those it did not see the birth of not counted */
};

/* row: one of the group's. */
void site_ages_add_group(struct site_ages *ages, const struct site_group *group,
			 const struct pm_site *row, const struct process *process);
void site_ages_add(struct site_ages *to, const struct site_ages *from);

/* All: those that died and those that live. */
struct weighed site_ages_born(const struct site_ages *ages);

/* The last age of a column but the last. */
static inline uint32_t site_ages_last(unsigned column)
{
	return (UINT32_C(1) << column) - 1;
}

static inline bool site_ages_is_known(const struct site_ages *ages, unsigned column)
{
	return !(ages->straddled >> column & 1);
}

#endif
