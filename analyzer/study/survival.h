/* SPDX-License-Identifier: MIT */
/* survival.h: what entered, survived, died and lives in each generation. */
#ifndef POOLMEM_STUDY_SURVIVAL_H
#define POOLMEM_STUDY_SURVIVAL_H

#include "model/process.h"

#include <stdbool.h>

enum { GENERATION_COUNT = 3 };

/* By generation.  entered = survived + died + live, but for what a running program did while it was read. */
struct flow {
	uint64_t entered[GENERATION_COUNT]; /* born, or promoted; a forked child's: or inherited */
	uint64_t survived[GENERATION_COUNT];
	uint64_t died[GENERATION_COUNT];
	uint64_t live[GENERATION_COUNT];
};

struct survival {
	struct flow blocks, bytes;   /* bytes: usable ones */
	size_t processes, not_known; /* of these, processes whose sweeps were not recorded */
};

/* Of one class; blocks, or bytes where the class counts bytes.  The process has survivors. */
struct flow flow_of_class(const struct process *process, uint32_t size_class);

void survival_add(struct survival *survival, const struct process *process);

/* Whether the figures are of all processes. */
bool survival_is_known(const struct survival *survival);

#endif
