/* SPDX-License-Identifier: MIT */
/*
 * inheritance.h: what a forked child has from its parent, so that sums over a tree count it once.
 *
 * A child begins with its parent's blocks, arenas, descriptors and epochs.  Its own figures hold all of
 * that: it is in its address space.  To a sum it adds only what goes beyond, because the rest is the
 * parent's.  How many blocks were inherited is recorded.  How much else is not: at most what the parent
 * ever had, so the sum is the least that there can have been, and its bound says what at most.
 */
#ifndef POOLMEM_STUDY_INHERITANCE_H
#define POOLMEM_STUDY_INHERITANCE_H

#include "study/metrics.h"

struct inheritance {
	/* The parent's record; the child's own when the parent's is lost: then it adds nothing. */
	const struct pm_process *before;  /* NULL: exec'ed, nothing is inherited */
	uint64_t arena_first, arena_last; /* addresses of arenas that may be the parent's */
};

struct inheritance inheritance_of(const struct recording *recording, const struct process *process);

bool is_inherited_arena(const struct inheritance *inheritance, const struct arena *arena);

/* Takes off the figures of a process what it inherited; what remains is its share of a sum. */
void inheritance_take_off(const struct inheritance *inheritance, const struct process *process,
			  struct metrics *metrics);

#endif
