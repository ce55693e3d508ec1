/* SPDX-License-Identifier: MIT */
/*
 * leaks.h: who never freed: the sites of blocks that were live when their process ended, less those suppressed.
 *
 * What a forked child inherited is its parent's.  While the first process runs the same is
 * told of what lives now.
 */
#ifndef POOLMEM_STUDY_LEAKS_H
#define POOLMEM_STUDY_LEAKS_H

#include "study/suppression.h"

/* X(NAME, "key", "what sites are ordered by") */
#define LEAK_ORDERS(X)                                                                             \
	X(BYTES, "bytes", "bytes")                                                                 \
	X(BLOCKS, "blocks", "blocks")

#define LEAK_ORDER_NAME(name, key, words) LEAK_ORDER_##name,
enum leak_order { LEAK_ORDERS(LEAK_ORDER_NAME) LEAK_ORDER_COUNT };
#undef LEAK_ORDER_NAME

struct leaks_query {
	const struct site_query *sites; /* its expression: which of what is left is listed */
	enum leak_order order;
};

struct leaks {
	struct sites *sites; /* the list: those that are left, the highest first */
	bool is_running;     /* the first process has not ended: what lives, of all */
	enum site_figure blocks, bytes;
	enum leak_order order;
	bool may_suppress; /* there are suppressions */
	struct site_sums all, left, suppressed;
	size_t left_count; /* sites, listed or not */
	size_t suppressed_count;
	uint64_t unrecorded_blocks,
		unrecorded_bytes; /* counted, of no site; where each block is recorded */
	/* Of the total, leak.blocks and leak.bytes less what is suppressed. */
	struct metrics metrics;
	size_t states[STATE_UNKNOWN + 1]; /* processes, by what became of them */
};

bool leak_order_find(const char *key, enum leak_order *ret, struct failure *why);
extern const char *const leak_order_words[LEAK_ORDER_COUNT];

/*
 * sites: made of all processes of the study by a query without an expression; its list is changed.  Of each suppression
 * is told what it was used for.
 */
void leaks_make(const struct study *study, struct sites *sites, const struct leaks_query *query,
		struct suppressions *suppressions, struct leaks *ret);

/* false: nobody recorded who allocated what is left. */
bool leaks_found(const struct leaks *leaks, struct failure *why);

/* Whether blocks are left for certain, of an ended process and of a site that is listed or not recorded. */
bool leaks_are_left(const struct leaks *leaks, const struct leaks_query *query);

#endif
