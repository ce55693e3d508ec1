/* SPDX-License-Identifier: MIT */
/* summary.h: the few sums that `poolmem run` tells of a capture, in memory of some words for each process. */
#ifndef POOLMEM_STUDY_SUMMARY_H
#define POOLMEM_STUDY_SUMMARY_H

#include "study/metrics.h"

struct summary {
	struct metrics total; /* as the report's, without figures that need all processes at once */
	size_t exec_count, fork_count;
	size_t unrecorded_count; /* programs that left no record */
	char unrecorded[60];     /* their names, each once, as far as there is room */
};

bool summary_read(const char *path, struct summary *ret, struct failure *why);

#endif
