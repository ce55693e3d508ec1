/* SPDX-License-Identifier: MIT */
/* map_query.h: which pools a map is of, what it is coloured by, in which order its arenas stand. */
#ifndef POOLMEM_STUDY_MAP_QUERY_H
#define POOLMEM_STUDY_MAP_QUERY_H

#include "model/survey.h"
#include "study/query.h"

/* X(NAME, "key") */
#define MAP_COLOURINGS(X)                                                                          \
	X(OCCUPANCY, "occupancy")                                                                  \
	X(CLASS, "class")                                                                          \
	X(OWNER, "owner")                                                                          \
	X(AGE, "age")

#define MAP_COLOURING_NAME(name, key) MAP_BY_##name,
enum map_colouring { MAP_COLOURINGS(MAP_COLOURING_NAME) MAP_COLOURING_COUNT };
#undef MAP_COLOURING_NAME

/* X(NAME, "key") */
#define MAP_ORDERS(X)                                                                              \
	X(ADDRESS, "address")                                                                      \
	X(OCCUPANCY, "occupancy")

#define MAP_ORDER_NAME(name, key) MAP_ORDER_##name,
enum map_order { MAP_ORDERS(MAP_ORDER_NAME) MAP_ORDER_COUNT };
#undef MAP_ORDER_NAME

extern const char *const map_colouring_keys[MAP_COLOURING_COUNT];

struct map_query {
	struct query query; /* of processes, or of size classes */
	enum map_colouring by;
	enum map_order order;
	bool by_thread; /* the expression below holds */
	regex_t thread;
	enum moment moment;
	bool inherited;   /* arenas that a forked child has from its parent, too */
	size_t arena_max; /* 0: all */
};

/* expression: as query_open() takes it, or "thread:REGEX"; by, order: NULL: the first of each. */
bool map_query_open(struct map_query *ret, const char *expression, const char *by,
		    const char *order, struct failure *why);
void map_query_close(struct map_query *query);

bool map_query_is_filtered(const struct map_query *query); /* not all pools are wanted */

/* owner: NULL: not known, or a block that has none. */
bool map_query_wants(const struct map_query *query, const char *class_name,
		     const struct slot *owner);

#endif
