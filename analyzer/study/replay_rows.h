/* SPDX-License-Identifier: MIT */
/* replay_rows.h: what repeated replays of a trace say of each allocator. */
#ifndef POOLMEM_STUDY_REPLAY_ROWS_H
#define POOLMEM_STUDY_REPLAY_ROWS_H

#include "replay/script.h"

#include <stddef.h>

enum { REPLAY_RUNS_MAX = 99 };

/* Of one allocator: the runs, and of each figure the median. */
struct replay_row {
	const char *name;
	struct script_result run[REPLAY_RUNS_MAX];
	size_t run_count; /* 0: it never came to its end */
	struct script_result median;
	double calls_spread; /* largest less smallest calls_ns, as a part of the median */
};

/* Fills in the medians; of an even number of runs the lower middle one. */
void replay_row_sum_up(struct replay_row *row);

#endif
