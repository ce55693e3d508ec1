/* SPDX-License-Identifier: MIT */
/* findings.h: the few things about a program's memory that are worth a sentence. */
#ifndef POOLMEM_STUDY_FINDINGS_H
#define POOLMEM_STUDY_FINDINGS_H

#include "study/classes.h"
#include "study/generations.h"
#include "study/metrics.h"
#include "study/pools.h"

enum finding_kind {
	FINDING_IDLE,          /* no allocation at all */
	FINDING_ONE_CLASS,     /* `name` has `part` of `whole` allocations */
	FINDING_DIED_YOUNG,    /* `part` of `whole` deaths were in the epoch of birth */
	FINDING_LIVED_LONG,    /* the same, when they are few */
	FINDING_HEAP_EMPTY,    /* `part` of `whole` bytes of pools written to are live: little */
	FINDING_HEAP_FULL,     /* the same, when it is most */
	FINDING_REMOTE,        /* `part` of `whole` frees were of another thread's block */
	FINDING_GROWS,         /* `part` of `whole` blocks allocated were never freed */
	FINDING_REALLOC_MOVES, /* `part` of `whole` reallocs moved the block */
};

struct finding {
	enum finding_kind kind;
	char name[16];
	uint64_t part, whole;
};

enum { FINDING_MAX = 3 };

struct findings {
	struct finding list[FINDING_MAX]; /* most telling first */
	size_t count;
};

/* Where the figures of one process, or of all, stand. */
struct evidence {
	const struct metrics *metrics;
	const struct class_table *classes;
	const struct pool_table *pools;
	const struct generations *generations;
	bool is_over; /* by exit(): how empty the heap was then says nothing */
};

void findings_make(struct findings *ret, const struct evidence *evidence);

#endif
