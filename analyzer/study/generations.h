/* SPDX-License-Identifier: MIT */
/* generations.h: at which age blocks died. */
#ifndef POOLMEM_STUDY_GENERATIONS_H
#define POOLMEM_STUDY_GENERATIONS_H

#include "study/inheritance.h"
#include "study/survival.h"

struct age_row {
	uint32_t generation, age_min, age_max; /* ages in epochs; age_max UINT32_MAX: no end */
	uint64_t died, died_bytes;
	uint64_t lost, lost_bytes; /* of these, of departed children: how many lived nobody kept */
};

struct generations {
	uint32_t clock;     /* enum pm_clock, of the first process; unknown ones are kept */
	bool clocks_differ; /* other processes have other clocks */
	uint64_t epochs, epoch_length; /* of several processes: the sum; the longest by that clock */
	bool has_epochs;    /* false: of departed children alone, whose epochs nobody kept */
	uint64_t epoch_max; /* of one process, inherited ones not counted */
	uint64_t sweeps[GENERATION_COUNT];
	uint32_t threshold[GENERATION_COUNT]; /* of the first process */
	uint64_t died[GENERATION_COUNT];
	uint64_t died_in_all, died_young; /* young: in the epoch of birth */
	uint64_t died_bytes_in_all, died_young_bytes;
	/* Of all but departed children: allocated or inherited, less what was frozen.  For curves. */
	uint64_t born, born_bytes;
	uint64_t age_max; /* no block is older, in epochs */
	size_t departed;  /* children */
	struct survival survival;
	struct age_row *rows;
	size_t count;
};

/* A forked child's epochs and sweeps go on from its parent's: those before it are not added again. */
void generations_add(struct generations *generations, const struct process *process,
		     const struct inheritance *inheritance);
void generations_free(struct generations *generations);

#endif
