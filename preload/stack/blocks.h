/* SPDX-License-Identifier: MIT */
/*
 * blocks.h: what is known of recorded blocks that live, by address.
 *
 *   table 0: 72 KiB | table 1: 144 KiB | ...      each mapped when the one before has no place for an address
 *
 * A table is its addresses, then what is known of each.  An address has its place in one of two buckets of each table, lines of
 * the cache.  A place is taken by a compare-and-swap of its address, and given back by the store of a zero: no lock.  Private memory: a forked child has what its parent had.
 */
#ifndef STACK_BLOCKS_H
#define STACK_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct recorded {
	uint64_t address;
	uint64_t requested, bytes;
	uint64_t epoch; /* of its birth */
	uint64_t order; /* allocations of its thread when it was made, itself counted; 0: see host_events.latest */
	uint32_t site;    /* 0: none: it stands here for another reason */
	uint32_t descent; /* of the process that recorded it: see records.h */
	uint32_t heap;    /* index of the heap that made it */
	uint8_t size_class;
	uint8_t stamp;   /* that it would have */
	bool is_frozen;  /* left out of the statistics of survival */
	bool is_module;  /* the loader's record of a module: its free is a dlclose() */
	uint64_t *place; /* of blocks.c */
};

_Static_assert(sizeof(struct recorded) == 64, "a cache line");

enum { BLOCKS_TABLES = 16, BLOCKS_FIRST_PLACES = 1024, BLOCKS_GROWTH_SHIFT = 1 };

/* For a reader of the process's memory: pointers to the tables. */
const void *blocks_tables(void);

/* false: no room. */
bool blocks_put(const struct recorded *recorded);

/* Stays valid until the block is freed.  NULL: it is not recorded. */
struct recorded *blocks_find(const void *block);

/* By who frees the block, once. */
void blocks_remove(struct recorded *recorded);

/* All there are; those that come and go meanwhile perhaps. */
typedef void blocks_visit(struct recorded *recorded, void *context);
void blocks_each(blocks_visit *visit, void *context);

#pragma GCC visibility pop

#endif
