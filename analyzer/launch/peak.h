/* SPDX-License-Identifier: MIT */
/*
 * peak.h: surveys the largest process of a run when most is there: at the peak of the tree's resident memory, and at the
 * peak of live bytes of a process.
 *
 * Nobody knows a peak before it is over: so each time that there is a tenth more than at the last survey, one is taken.
 * Of each kind the one is kept that saw most.
 */
#ifndef POOLMEM_LAUNCH_PEAK_H
#define POOLMEM_LAUNCH_PEAK_H

#include "launch/collect.h"
#include "launch/family.h"
#include "launch/inspect.h"

/* A survey of one process; one of both peaks is shared. */
struct peak_shot {
	struct pm_survey_of of;
	struct inspection seen;
	unsigned uses;
};

struct peak {
	bool is_wanted;
	uint64_t rss,
		live; /* of the tree, and of the process, when the last survey of each was begun; bytes */
	struct peak_shot *at_rss, *at_live; /* NULL: none was taken */
	uint32_t refused; /* pid of who could not be looked at the last time, or is not wanted: passed over once */
};

/* After a sample of the family, whose sum is rss. */
void peak_look(struct peak *peak, uint64_t rss, const struct family *family,
	       const struct collect *collect);

/* Writes those that are kept. */
bool peak_save(const struct peak *peak, struct save *save, struct failure *why);
void peak_free(struct peak *peak);

#endif
