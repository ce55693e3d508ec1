/* SPDX-License-Identifier: MIT */
/*
 * diff.h: what changed between two recordings, by call site.
 *
 * Sites are the same when their calls have the same names: functions and files without folders, and lines where that
 * is asked for.  Addresses are none, but in a module without names that both had with the same build id.
 */
#ifndef POOLMEM_STUDY_DIFF_H
#define POOLMEM_STUDY_DIFF_H

#include "study/sites.h"

/* X(NAME, "key", "what is compared", figure in blocks, in bytes) */
#define DIFF_FIGURES(X)                                                                            \
	X(LIVE, "live", "live", SITE_LIVE, SITE_LIVE_BYTES)                                        \
	X(PEAK, "peak", "live at the peak", SITE_PEAK, SITE_PEAK_BYTES)                            \
	X(ALLOCATED, "allocated", "allocated", SITE_ALLOCATED, SITE_ALLOCATED_BYTES)               \
	X(CHURN, "churn", "allocated and freed again", SITE_FREED, SITE_FREED_BYTES)               \
	X(LEAKED, "leaked", "never freed", SITE_LEAKED, SITE_LEAKED_BYTES)                         \
	X(TEMPORARY, "temporary", "temporary", SITE_TEMPORARY, SITE_TEMPORARY)

/* X(NAME, "key", "what stands first") */
#define DIFF_ORDERS(X)                                                                             \
	X(GROWTH, "growth", "growth")                                                              \
	X(SHRINKAGE, "shrinkage", "shrinkage")                                                     \
	X(CHANGE, "change", "change")

/* X(NAME, "key") */
#define DIFF_MARKS(X)                                                                              \
	X(NEW, "new")                                                                              \
	X(GONE, "gone")                                                                            \
	X(GROWN, "grown")                                                                          \
	X(SHRUNK, "shrunk")                                                                        \
	X(SAME, "same")

#define DIFF_FIGURE_NAME(name, key, words, blocks, bytes) DIFF_##name,
enum diff_figure { DIFF_FIGURES(DIFF_FIGURE_NAME) DIFF_FIGURE_COUNT };
#undef DIFF_FIGURE_NAME
#define DIFF_ORDER_NAME(name, key, words) DIFF_ORDER_##name,
enum diff_order { DIFF_ORDERS(DIFF_ORDER_NAME) DIFF_ORDER_COUNT };
#undef DIFF_ORDER_NAME
#define DIFF_MARK_NAME(name, key) DIFF_MARK_##name,
enum diff_mark { DIFF_MARKS(DIFF_MARK_NAME) DIFF_MARK_COUNT };
#undef DIFF_MARK_NAME

enum diff_side { DIFF_BEFORE, DIFF_AFTER, DIFF_SIDES };

struct diff_query {
	const struct site_query *sites; /* its expression: which are listed */
	enum diff_figure of;
	enum diff_order order;
	bool in_blocks;
	bool by_line;
};

struct diff_row {
	const struct site *site[DIFF_SIDES]; /* the first of that name; NULL: none */
	struct site_sums sums[DIFF_SIDES];
	double value[DIFF_SIDES], change;
	struct interval interval; /* of the change, in 95 of 100 cases */
	bool is_estimated;
	bool is_chance; /* the interval holds 0: so much may come of two samples of the same */
	bool is_wanted;
	enum diff_mark mark;
	size_t number; /* in the order in which they came */
};

struct diff {
	const struct study *study[DIFF_SIDES];
	struct sites *sites[DIFF_SIDES];
	enum diff_figure of;
	enum diff_order order;
	enum site_figure figure;
	struct diff_row *rows; /* that changed and are wanted, in the order asked for */
	size_t count;
	size_t changed_count;          /* wanted or not */
	size_t marks[DIFF_MARK_COUNT]; /* all sites with something before or after */
	size_t chance_count;           /* of those that changed */
	struct diff_row all;           /* of all sites together */
};

extern const char *const diff_figure_keys[DIFF_FIGURE_COUNT];
extern const char *const diff_figure_words[DIFF_FIGURE_COUNT];
extern const char *const diff_order_keys[DIFF_ORDER_COUNT];
extern const char *const diff_order_words[DIFF_ORDER_COUNT];
extern const char *const diff_mark_keys[DIFF_MARK_COUNT];

/* Keys: NULL: the first. */
bool diff_query_open(struct diff_query *ret, const char *of, const char *order, struct failure *why);

/* sites: each made of all of its study by a query without an expression.  They must stay until the diff goes. */
void diff_make(const struct study *const study[DIFF_SIDES], struct sites *const sites[DIFF_SIDES],
	       const struct diff_query *query, struct diff *ret);
void diff_free(struct diff *diff);

/* false: nothing to compare, or nothing of it is wanted. */
bool diff_found(const struct diff *diff, const struct diff_query *query, struct failure *why);

#endif
