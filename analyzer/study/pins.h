/* SPDX-License-Identifier: MIT */
/*
 * pins.h: whose live blocks keep free memory from going back.
 *
 *   pages of pools --> for each page: free bytes, and who has live blocks on it --> per holder
 *
 * A holder is a call site, of blocks that were recorded in pools where nine in ten were, else a size class of a thread.  Free memory goes
 * back to the kernel by pages, and to other classes by pools, so both are counted: free bytes of a page or pool with
 * blocks of one holder alone are sole-pinned by it, others are shared, in proportion to live blocks.  A pool whose blocks all
 * live has no free memory, and is left out.
 */
#ifndef POOLMEM_STUDY_PINS_H
#define POOLMEM_STUDY_PINS_H

#include "model/process.h"

/* By pools, or by pages. */
enum pin_level { PIN_POOL, PIN_PAGE, PIN_LEVELS };

struct pinned {
	uint64_t sole, shared; /* free bytes */
	uint64_t cause; /* of both, divided among blocks of the oldest generation there alone */
	uint64_t alone; /* resident bytes of those with blocks of no one else: what would go back */
	uint64_t count; /* of these */
};

struct holder {
	bool is_site;
	uint32_t frame; /* a site's: index in process->frames->list; 0: its stack is not known */
	uint32_t owner; /* SLOT chunk, else */
	uint8_t size_class;              /* else */
	uint64_t live_count, live_bytes; /* in pools with free memory */
	uint64_t live[3];                /* blocks by generation */
	struct pinned at[PIN_LEVELS];
};

struct pins {
	struct holder *holders; /* by free bytes pinned in pages, sole first */
	size_t count;
	uint64_t pinned[PIN_LEVELS]; /* free bytes beside live blocks */
	uint64_t pool_count,
		mixed_count; /* pools with live blocks; of these, with blocks of several generations */
	uint64_t mixed_bytes; /* free bytes in the latter */
	uint64_t idle_bytes; /* resident pages without a live block in pools that have some: a purge gives them back */
	bool has_sites;       /* some holders are call sites */
	struct pin_set *sets; /* see pins_choose() */
	size_t set_count;
};

/* Pages with free bytes, and blocks of the same holders. */
struct pin_set {
	uint32_t *holders; /* indices, ascending */
	uint32_t count;
	uint64_t bytes; /* resident bytes of the pages */
};

/* false: the survey is NULL, or not whole. */
bool pins_make(const struct process *process, const struct survey *survey, struct pins *ret);
void pins_free(struct pins *pins);

/* Holders whose blocks, gone, give back at least a number of bytes. */
struct pin_choice {
	uint32_t *holders; /* indices, in the order in which they were chosen */
	uint64_t *gain;    /* by each, after those before it: bytes of pages */
	size_t count;
	uint64_t bytes; /* of all; less than was wished when all together do not do */
	bool is_cut;    /* at so many that no more are named */
};

/*
 * Of up to 16 holders the fewest there are, and of as few those that give most.  Of more, what a greedy search finds, less
 * those that it turns out not to need: of 18 the fewest in 97 of 100 random cases, else one more.
 */
void pins_choose(const struct pins *pins, uint64_t wished_bytes, struct pin_choice *ret);
void pin_choice_free(struct pin_choice *choice);

#endif
