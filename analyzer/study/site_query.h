/* SPDX-License-Identifier: MIT */
/* site_query.h: which call sites are wanted, and in which order. */
#ifndef POOLMEM_STUDY_SITE_QUERY_H
#define POOLMEM_STUDY_SITE_QUERY_H

#include "study/stacks.h"
#include "study/wrapper.h"
#include "text/failure.h"

#include <regex.h>

/* X(NAME, "json key", "meaning") Bytes are usable ones unless the name says otherwise. */
#define SITE_FIGURES(X)                                                                            \
	X(ALLOCATED, "allocated", "blocks allocated")                                              \
	X(ALLOCATED_BYTES, "allocated_bytes", "their bytes")                                       \
	X(REQUESTED_BYTES, "requested_bytes", "what of these was asked for")                       \
	X(SLACK_BYTES, "slack_bytes", "what of these was not")                                     \
	X(FREED, "freed", "blocks freed")                                                          \
	X(FREED_BYTES, "freed_bytes", "their bytes")                                               \
	X(LIVE, "live", "blocks live")                                                             \
	X(LIVE_BYTES, "live_bytes", "their bytes")                                                 \
	X(LIVE_REQUESTED_BYTES, "live_requested_bytes", "what of these was asked for")             \
	X(PEAK, "peak", "blocks live when the process had most bytes live")                        \
	X(PEAK_BYTES, "peak_bytes", "their bytes")                                                 \
	X(LEAKED, "leaked", "blocks live in a process that has ended")                             \
	X(LEAKED_BYTES, "leaked_bytes", "their bytes")                                             \
	X(MOVED, "moved", "blocks allocated by a realloc that moved")                              \
	X(TEMPORARY, "temporary", "blocks freed with no other allocation of the thread between")   \
	X(REMOTE, "remote", "blocks freed by another thread than their own")                       \
	X(DIED_YOUNG, "died_young", "blocks freed in the epoch of their birth")                    \
	X(DIED_0, "died_0", "blocks freed in generation 0")                                        \
	X(DIED_1, "died_1", "blocks freed in generation 1")                                        \
	X(DIED_2, "died_2", "blocks freed in generation 2")

#define SITE_FIGURE_NAME(name, key, meaning) SITE_##name,
enum site_figure { SITE_FIGURES(SITE_FIGURE_NAME) SITE_FIGURE_COUNT };
#undef SITE_FIGURE_NAME

/* X(NAME, "key", "what sites are ordered by", figure) */
#define SITE_ORDERS(X)                                                                             \
	X(LIVE, "live", "bytes live", SITE_LIVE_BYTES)                                             \
	X(PEAK, "peak", "bytes live at the peak", SITE_PEAK_BYTES)                                 \
	X(ALLOCATED, "allocated", "bytes allocated", SITE_ALLOCATED_BYTES)                         \
	X(BLOCKS, "count", "blocks allocated", SITE_ALLOCATED)                                     \
	X(LEAKED, "leaked", "bytes never freed", SITE_LEAKED_BYTES)                                \
	X(SLACK, "slack", "bytes allocated beyond what was asked for", SITE_SLACK_BYTES)           \
	X(TEMPORARY, "temporary", "temporary blocks", SITE_TEMPORARY)                              \
	X(REMOTE, "remote", "blocks freed by another thread", SITE_REMOTE)

#define SITE_ORDER_NAME(name, key, words, figure) SITE_ORDER_##name,
enum site_order { SITE_ORDERS(SITE_ORDER_NAME) SITE_ORDER_COUNT };
#undef SITE_ORDER_NAME

struct suppressions; /* study/suppression.h */

struct site_query {
	enum site_order order;
	bool order_given;
	bool by_name, by_module; /* whether `expression` holds, and that it is of modules alone */
	regex_t expression;
	bool by_thread;
	uint32_t thread;         /* tid; 0: those of */
	const char *thread_name; /* this name; borrowed */
	struct wrappers skipped;
	struct progress *progress; /* told while names are looked up; NULL: nobody */
	bool ask_network;          /* servers, for debug information that is not here */
	const struct suppressions *suppressions; /* whose blocks count as never freed by nobody; NULL: none */
	bool without_files; /* addresses stay what they are: no file is opened that the recording names */
};

extern const char *const site_order_keys[SITE_ORDER_COUNT];
extern const char *const site_order_words[SITE_ORDER_COUNT];
extern const enum site_figure site_order_figures[SITE_ORDER_COUNT];
extern const char *const site_figure_keys[SITE_FIGURE_COUNT];

bool site_figure_is_bytes(enum site_figure figure);

/* expression: "REGEX", or "lib:REGEX" for modules alone; each may be NULL. */
bool site_query_open(struct site_query *ret, const char *expression, const char *order,
		     const char *thread, struct failure *why);
/* Functions that match the expression only pass allocations on. */
bool site_query_skip(struct site_query *query, const char *expression, struct failure *why);

bool site_query_wants_thread(const struct site_query *query, const struct slot *slot);

/* May be called again. */
void site_query_close(struct site_query *query);

/* Some call of the stack matches. */
bool site_query_wants(const struct site_query *query, struct stacks *stacks, uint32_t place);

#endif
