/* SPDX-License-Identifier: MIT */
/*
 * sites.h: who allocates: for each stack what became of its blocks.
 *
 * Of a sample the figures are estimates (estimate.h).  A site is a stack; of several processes, or of one process
 * that ran the same code at other addresses, the same stack is one site.
 */
#ifndef POOLMEM_STUDY_SITES_H
#define POOLMEM_STUDY_SITES_H

#include "study/site_sums.h"
#include "study/study.h"
#include "study/verdict.h"

/* Of a site, the blocks of one size. */
struct site_class {
	uint32_t kind, block_bytes; /* enum pm_class_kind; LARGE: 0 */
	struct site_sums sums;
};

struct site {
	uint32_t place; /* innermost; 0: its stack is not known */
	uint32_t ends;  /* bits of enum pm_stack_end */
	struct site_sums sums;
	struct site_ages ages;
	enum verdict verdict;
	size_t first_class, class_count; /* in sites.classes */
	double rank;
};

struct sites {
	struct stacks stacks;
	struct wrappers skipped; /* the query's */
	struct site *list;       /* those that the query wants, in its order */
	size_t count;
	size_t used_count; /* wanted or not */
	struct site_class *classes;
	struct site_sums all;    /* of all, wanted or not */
	struct site_sums wanted; /* of those in the list */
	struct site_sums suppressed; /* of all, what the query's suppressions took from what was never freed */
	struct site_sums *suppressed_of; /* the same of each process of the recording; NULL: nothing was to be */
	size_t suppressed_count;         /* of sites */
	uint64_t period_min, period_max; /* bytes; of the rows, or, without any, the setting */
	struct estimate ended[PM_STACK_END_COUNT]; /* blocks allocated by how their stacks end */
	size_t process_count, silent_count;        /* processes; of these, that recorded no site */
	size_t departed_count; /* dead children whose areas were reused: their sites are lost */
	bool by_thread;
	enum site_order order;
	/* What the processes that recorded sites counted: all that they allocated, what of it lives. */
	uint64_t counted, counted_bytes, counted_live, counted_live_bytes;
	uint64_t dropped_stacks, dropped_blocks;
};

/* process: NULL: of all that the study has.  Study, recording and query must stay until the sites go. */
void sites_make(const struct study *study, const struct process_study *process,
		const struct site_query *query, struct sites *ret);
void sites_free(struct sites *sites);

/* false: nothing was recorded, or the query left nothing of it. */
bool sites_found(const struct sites *sites, const struct site_query *query, struct failure *why);

/*
 * Where the call begins that a site is named by: the innermost that does not only pass the allocation on, or else the
 * innermost.
 */
struct walk site_origin(struct sites *sites, const struct site *site);

/* NULL: no stack is known. */
const struct named_call *site_location(struct sites *sites, const struct site *site);

/* The function that called it: another one, into which it was not inlined.  NULL: none is known. */
const struct named_call *site_caller(struct sites *sites, const struct site *site);

/* All bytes that they were handed: by allocations, or in place by a realloc. */
double sites_bytes(const struct sites *sites);

/* Asks for all names in the stacks of the first `count`: what is missing is known afterwards. */
void sites_resolve(struct sites *sites, size_t count);

/*
 * false: of a sample, and the second may have more of what they are ordered by than the first: of the intervals that hold
 * 95 of 100, the one reaches into the other.
 */
bool sites_first_is_certain(const struct sites *sites);

/* How many of the first ones hold four fifths of what they are ordered by. */
size_t sites_few(const struct sites *sites, double *ret_share);

#endif
