/* SPDX-License-Identifier: MIT */
/*
 * fit.h: how the requests of a program fit the sizes of blocks.
 *
 * Per class: internal fragmentation (slack), external (free bytes beside live blocks), stranding (free memory that only
 * this class can use).  And which further sizes would save how much on what is live, by what was asked for at each
 * recorded call site; a site that asks for several sizes of one class counts with their mean.
 */
#ifndef POOLMEM_STUDY_FIT_H
#define POOLMEM_STUDY_FIT_H

#include "study/classes.h"

struct fit_class {
	char name[16];
	uint32_t block_bytes;       /* 0: large */
	uint64_t pools, live_count; /* pools; live blocks */
	uint64_t live_bytes,
		requested;   /* of live blocks; requested: of those that were recorded, scaled up */
	bool is_split;       /* any was recorded */
	uint64_t recorded;   /* how many of the live ones */
	uint64_t free_bytes; /* resident, in pools with live blocks: only this class can use them */
	uint64_t kept_bytes; /* resident, in its pools without any, and large blocks that threads keep */
};

/* A size that would suit. */
struct fit_size {
	uint32_t bytes;       /* of a block */
	uint32_t block_bytes; /* of the class that serves these requests now */
	uint64_t saved_bytes; /* of live blocks */
	uint64_t blocks;      /* live ones that would be of it */
};

struct fit {
	struct fit_class *classes; /* those that have pools, by free bytes, most first */
	size_t class_count;
	struct fit_size *sizes; /* at most one for each class: the one that saves most; most first */
	size_t size_count;
};

/*
 * at_peak: the survey is of the peak: no sizes are chosen, as rows of sites are of the end.  false: the
 * survey is NULL, or not whole.
 */
bool fit_make(const struct process *process, const struct survey *survey, bool at_peak,
	      struct fit *ret);
void fit_free(struct fit *fit);

#endif
