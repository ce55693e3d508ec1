/* SPDX-License-Identifier: MIT */
/*
 * phases.h: what a process did from one mark to the next: from its start to the first, and from the last to its
 * end or now.
 */
#ifndef POOLMEM_STUDY_PHASES_H
#define POOLMEM_STUDY_PHASES_H

#include "study/curve.h"

struct phase {
	const char *name; /* of the mark that opens it; NULL: none does; bytes of unknown origin */
	uint64_t elapsed_ns;
	uint64_t allocated, allocated_bytes, died, died_bytes;
	uint64_t died_young, died_young_bytes; /* in the epoch of birth */
	uint64_t epochs, sweeps[GENERATION_COUNT];
	uint64_t live, live_bytes; /* at its end */
	struct curve deaths;       /* of what died in it, how much had outlived which age */
};

struct phases {
	struct phase *list; /* in order */
	size_t count;       /* 0: no mark was set */
};

/* The process must stay until the phases go. */
void phases_of(const struct process *process, const struct inheritance *inheritance,
	       struct phases *ret);
void phases_free(struct phases *phases);

#endif
