/* SPDX-License-Identifier: MIT */
/* classes.h: a row for each size class that was used. */
#ifndef POOLMEM_STUDY_CLASSES_H
#define POOLMEM_STUDY_CLASSES_H

#include "model/process.h"
#include "study/query.h"
#include "study/survival.h"

struct class_row {
	char name[16]; /* "48"; "0" for malloc(0); "large" */
	uint32_t kind, block_bytes, request_max;
	uint64_t allocated, freed; /* blocks */
	uint64_t allocated_bytes, freed_bytes;
	uint64_t aged;       /* of the freed: those whose age is known */
	uint64_t died_young; /* blocks that were freed in the epoch of their birth */
	/* Not freed of what a process was handed itself: at least, where it began with its parent's. */
	uint64_t kept, kept_bytes;
	uint64_t died_young_bytes;
	struct flow flow, flow_bytes; /* of processes whose sweeps were recorded */
};

enum { LASTING_MAX = 3 };

struct class_table {
	struct class_row *rows;
	size_t count;             /* rows: the classes that the query wants */
	size_t used_count;        /* classes that were used, wanted or not */
	struct class_row busiest; /* most allocations, wanted or not; zero when none was used */
	struct class_row all;     /* of all classes together, wanted or not, named "all" */
	/*
	 * Some process began with blocks of its parent: allocated - freed is a change, not what
	 * lives.
	 */
	bool has_inherited;
	size_t flows_unknown;                  /* processes whose sweeps were not recorded */
	struct class_row youngest;             /* most blocks died young; wanted or not */
	struct class_row oldest;               /* most blocks came to generation 2; wanted or not */
	struct class_row lasting[LASTING_MAX]; /* most bytes live in it, most first; wanted or not */
	size_t lasting_count;
};

/* Adds the classes of a process to a table; classes of one size are one row. */
void classes_add(struct class_table *table, const struct process *process);

/* Sums, drops what the query does not want, sorts. */
void classes_finish(struct class_table *table, const struct query *query);
void classes_free(struct class_table *table);

int64_t class_net_blocks(const struct class_row *row);
int64_t class_net_bytes(const struct class_row *row);

/* What a process did with one of its classes. */
struct class_row class_row_for(const struct process *process, uint32_t size_class);

/*
 * How many blocks of a class a process has live at most, of those that it was handed itself; LARGE_BYTES: bytes.  A child's frees
 * may be of its parent's blocks, and count for nothing.
 */
uint64_t class_live_most(const struct process *process, uint32_t size_class);

/* The same in bytes; of LARGE by what the class behind it, LARGE_BYTES, counts. */
uint64_t class_live_bytes_most(const struct process *process, uint32_t size_class);

/* The name of the class of a pool. */
struct class_row class_row_of(const struct pm_class *size_class);

#endif
