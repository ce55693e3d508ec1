/* SPDX-License-Identifier: MIT */
/* pools.h: arenas and pools: how full they are.  As old as the last publication. */
#ifndef POOLMEM_STUDY_POOLS_H
#define POOLMEM_STUDY_POOLS_H

#include "study/inheritance.h"
#include "study/query.h"

struct pool_row {
	char name[16]; /* of the class */
	uint32_t block_bytes;
	uint64_t pools, capacity, live; /* capacity, live: blocks */
	uint64_t bytes, touched_bytes;  /* of the pools; of pages ever written to */
	uint64_t live_bytes;            /* of the live blocks */
};

struct arena_figures {
	uint64_t arenas, mapped_bytes, free_bytes, dirty_bytes;
	uint64_t huge_blocks, huge_bytes;   /* blocks with arenas of their own */
	uint64_t large_blocks, large_bytes; /* blocks of a run of pages */
};

struct pool_table {
	struct pool_row *rows; /* by size */
	size_t count;          /* rows: the classes that the query wants */
	size_t used_count;     /* classes that have pools, wanted or not */
	struct pool_row all;   /* of all classes, wanted or not */
	struct arena_figures arenas;
};

/* Adds the arenas of a process, those that it inherited left out. */
void pools_add(struct pool_table *table, const struct process *process,
	       const struct inheritance *inheritance);

/* Sums, drops what the query does not want. */
void pools_finish(struct pool_table *table, const struct query *query);
void pools_free(struct pool_table *table);

#endif
