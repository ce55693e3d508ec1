/* SPDX-License-Identifier: MIT */
/* survival.h: what entered, survived, died and lives in each generation. */
#ifndef POOLMEM_STUDY_SURVIVAL_H
#define POOLMEM_STUDY_SURVIVAL_H

#include "model/process.h"
#include "model/saturate.h"

#include <stdbool.h>

/*
 * By generation.  entered = survived + died + live, in generation 2 + frozen, but for what a running program did
 * while it was read.
 */
struct flow {
	uint64_t entered[GENERATION_COUNT]; /* born, or promoted; a forked child's: or inherited */
	uint64_t survived[GENERATION_COUNT];
	uint64_t died[GENERATION_COUNT];
	uint64_t live[GENERATION_COUNT];
	uint64_t frozen_now, frozen_died; /* taken out of generation 2: they live, or died so */
};

struct survival {
	struct flow blocks, bytes;   /* bytes: usable ones */
	uint64_t uncertain;          /* blocks that may be in the wrong generation, at most */
	size_t processes, not_known; /* of these, processes whose sweeps were not recorded */
	size_t served_elsewhere; /* and those whose memory another allocator served: heap=next */
};

/* Of one class; blocks, or bytes where the class counts bytes.  The process has survivors. */
struct flow flow_of_class(const struct process *process, uint32_t size_class);

/* Whether it is told what came to each generation of the process, if not of each class. */
bool survival_is_recorded(const struct process *process);

void survival_add(struct survival *survival, const struct process *process);

/* Adds figures of `unit` each. */
void flow_add(struct flow *to, const struct flow *from, uint64_t unit);

static inline uint64_t flow_frozen(const struct flow *flow)
{
	return sum(flow->frozen_now, flow->frozen_died);
}

/* Whether sweeps were recorded of some process that had blocks. */
bool survival_says_anything(const struct survival *survival);

/* Whether the figures are of all processes. */
bool survival_is_known(const struct survival *survival);

#endif
