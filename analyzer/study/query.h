/* SPDX-License-Identifier: MIT */
/* query.h: which processes and classes are wanted, and in which order. */
#ifndef POOLMEM_STUDY_QUERY_H
#define POOLMEM_STUDY_QUERY_H

#include "model/process.h"
#include "text/failure.h"

#include <regex.h>

/* X(NAME, "key", "help") */
#define CLASS_ORDERS(X)                                                                            \
	X(ALLOCATED, "allocations", "blocks allocated, most first")                                \
	X(FREED, "frees", "blocks freed, most first")                                              \
	X(LIVE, "live", "blocks live, most first")                                                 \
	X(BYTES, "bytes", "bytes live, most first")                                                \
	X(SIZE, "size", "size of a block, smallest first")                                         \
	X(OLD, "old", "blocks that came to generation 2, most first")                              \
	X(YOUNG, "young", "blocks that died in the epoch of their birth, most first")

#define CLASS_ORDER_NAME(name, key, help) ORDER_##name,
enum class_order { CLASS_ORDERS(CLASS_ORDER_NAME) ORDER_COUNT };
#undef CLASS_ORDER_NAME

/* X(NAME, "key") The same keys order processes, where they say anything of them. */
#define PROCESS_ORDERS(X)                                                                          \
	X(PEAK, "peak")                                                                            \
	X(START, "start")                                                                          \
	X(ALLOCATED, "allocations")                                                                \
	X(FREED, "frees")                                                                          \
	X(LIVE, "live")                                                                            \
	X(BYTES, "bytes")

#define PROCESS_ORDER_NAME(name, key) PROCESS_ORDER_##name,
enum process_order { PROCESS_ORDERS(PROCESS_ORDER_NAME) PROCESS_ORDER_COUNT };
#undef PROCESS_ORDER_NAME

struct query {
	bool by_process, by_class; /* which of the two expressions holds */
	regex_t process, size_class;
	enum class_order order; /* of the size classes */
	enum process_order process_order;
	bool orders_classes; /* false: what orders processes was asked for, and says nothing of classes */
};

/* expression: "REGEX" or "exe:REGEX" for processes, "class:REGEX"; NULL: all. */
bool query_open(struct query *ret, const char *expression, const char *order, struct failure *why);
void query_close(struct query *query);

/* Index of a key; `count`: it is none of them. */
size_t query_find_key(const char *const *keys, size_t count, const char *key);

/* Extended; a message names `option` and shows `shown`. */
bool query_compile(regex_t *ret, const char *expression, const char *option, const char *shown,
		   struct failure *why);

/* Its executable or one of its arguments matches.  process: the one that has them. */
bool query_wants_process(const struct query *query, const struct process *process);
bool query_wants_class(const struct query *query, const char *name);

#endif
