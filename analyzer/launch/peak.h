/* SPDX-License-Identifier: MIT */
/*
 * peak.h: surveys the largest process of a run when the tree's resident memory is highest.
 *
 * Nobody knows a peak before it is over: so each time that RSS is a tenth above what it was at the last survey, one is
 * taken, and the last one is kept.
 */
#ifndef POOLMEM_LAUNCH_PEAK_H
#define POOLMEM_LAUNCH_PEAK_H

#include "launch/collect.h"
#include "launch/family.h"

struct peak {
	bool is_wanted;
	uint64_t rss;           /* of the tree at the last survey */
	uint64_t not_before_ns; /* CLOCK_MONOTONIC: looking takes a small part of the time */
	struct pm_survey_of of;
	void *stream; /* NULL: none was taken */
	size_t bytes;
};

/* After a sample of the family, whose sum is rss. */
void peak_look(struct peak *peak, uint64_t rss, const struct family *family,
	       const struct collect *collect);

/* Writes the last one, if there is one. */
bool peak_save(const struct peak *peak, struct save *save, struct failure *why);
void peak_free(struct peak *peak);

#endif
