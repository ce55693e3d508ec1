/* SPDX-License-Identifier: MIT */
/* summary.h: the few sums that `poolmem run` tells of a capture, in memory that does not grow with it. */
#ifndef POOLMEM_STUDY_SUMMARY_H
#define POOLMEM_STUDY_SUMMARY_H

#include "study/metrics.h"

struct summary {
	struct metrics total; /* as the report's, without figures that need all processes at once */
	size_t exec_count, fork_count;
	uint64_t touched_bytes, filled_bytes; /* of pools: pages written to, live blocks in them */
};

bool summary_read(const char *path, struct summary *ret, struct failure *why);

#endif
