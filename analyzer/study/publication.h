/* SPDX-License-Identifier: MIT */
/* publication.h: how old the pools are that a process published, next to its counts, which are exact. */
#ifndef POOLMEM_STUDY_PUBLICATION_H
#define POOLMEM_STUDY_PUBLICATION_H

#include "study/study.h"

struct publication {
	bool is_older;          /* than the counts: it did not publish at exit() */
	bool is_published;      /* else there are no pools at all */
	uint64_t epoch, epochs; /* in which it published last; that it reached */
	bool knows_allocations, knows_age, knows_live;
	uint64_t allocations; /* since then, at most; by the moments that it noted of its heap */
	uint64_t age_ns;      /* since then; of a process that runs */
	uint64_t live_blocks,
		live_bytes; /* by its counts, now or at the end; not of a forked child, for its parent's */
};

struct publication publication_of(const struct recording *recording,
				  const struct process_study *study);

#endif
