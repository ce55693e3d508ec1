/* SPDX-License-Identifier: MIT */
/*
 * map.h: what each unit of each arena is.  As a survey has it, or as old as the last publication.
 *
 * Units that are one thing (a pool, a block, a stretch of free units) are a span, so that a map takes as much
 * memory as the file that it is of, however large a block in it claims to be.  Spans of an arena are in order
 * of address and cover it without a gap.
 */
#ifndef POOLMEM_STUDY_MAP_H
#define POOLMEM_STUDY_MAP_H

#include "study/map_heap.h"
#include "study/map_query.h"
#include "study/moment.h"
#include "study/study.h"

/* X(NAME, "key") What a unit is; of several in a cell, as many, the first stands for all. */
#define MAP_KINDS(X)                                                                               \
	X(POOL, "pool")                                                                            \
	X(LARGE, "large")                                                                          \
	X(HUGE, "huge")                                                                            \
	X(FILTERED, "filtered") /* in use, and the filter does not want it */                      \
	X(DIRTY, "dirty")       /* free, written to and not given back */                          \
	X(CLEAN, "clean")       /* free */                                                         \
	X(UNKNOWN, "unknown")   /* in use, and not described: caught in a change */                \
	X(UNMAPPED, "unmapped")

#define MAP_KIND_NAME(name, key) MAP_##name,
enum map_kind { MAP_KINDS(MAP_KIND_NAME) MAP_KIND_COUNT };
#undef MAP_KIND_NAME

extern const char *const map_kind_keys[MAP_KIND_COUNT];

enum { MAP_TENTHS = 10, MAP_GROUPS_SHOWN = 8 };

struct map_span {
	uint64_t address, units;
	uint64_t drawn; /* cells of one unit in a picture: a block of whole arenas is not longer than one */
	enum map_kind kind;
	const struct pool *pool;         /* POOL, LARGE, FILTERED; else NULL */
	const struct slot *owner;        /* of a pool; NULL: not known */
	uint64_t bytes;                  /* of the pool, or of the whole block; else of the units */
	uint64_t live_bytes, room_bytes; /* POOL: of live blocks, and of as many as fit */
	bool is_continued;               /* a block that begins in the arena before */
	const struct surveyed_pool *surveyed; /* how old its blocks were; NULL: not known */
	size_t group;                         /* POOL: in map.groups */
};

struct map_arena {
	uint64_t base, drawn;
	size_t first, count; /* in map.spans */
	uint64_t live_bytes, room_bytes;
};

struct map_pools {
	uint64_t pools, units, bytes,
		touched_bytes; /* touched: pages ever written to; surveyed: resident */
	uint64_t live, room, live_bytes, room_bytes; /* blocks live, and as many as fit */
};

/* Pools of one class, or of one owner. */
struct map_group {
	uint32_t key; /* index of the class, or number of the owner's SLOT chunk */
	const struct slot *owner;
	struct map_pools pools;
};

struct map {
	const struct process *process;
	struct map_heap heap;
	enum moment moment; /* of heap.survey */
	enum map_colouring by;
	struct map_span *spans;
	struct map_arena *arenas; /* in the order that the query wants */
	struct map_group *groups; /* by class or owner, those with most units first */
	struct map_pools others;  /* those of groups from MAP_GROUPS_SHOWN on */
	size_t span_count, arena_count, group_count;
	size_t shown_count;     /* arenas that the query wants: the first ones */
	size_t inherited_count; /* arenas left out: they are the parent's, as they were at the fork */
	bool is_filtered, is_shortened; /* shortened: of some span not all units are drawn */
	/* Of all arenas: */
	uint64_t units[MAP_KIND_COUNT], mapped_units;
	struct map_pools pools, sparse;     /* sparse: those less than a quarter full */
	struct map_pools tenth[MAP_TENTHS]; /* by how full they are */
	/* By the share of old blocks (generation 2) among those live; where there are none; where it is not known. */
	struct map_pools aged[MAP_TENTHS], vacant, ageless;
	struct map_pools mixed; /* with live blocks of several generations */
	bool knows_ages;
	uint64_t large_blocks, large_bytes, huge_blocks, huge_bytes;
};

/* Of one of the processes of a study, which must stay until the map goes. */
void map_make(const struct recording *recording, const struct process *process,
	      const struct map_query *query, struct map *ret);
void map_free(struct map *map);

/* How full a pool is, in tenths: 0 to 9; a full one is 9. */
unsigned map_tenth_of(uint64_t live, uint64_t room);

/* Some units of the picture, as many as its scale says. */
struct map_cell {
	uint64_t address; /* of the first */
	uint64_t units[MAP_KIND_COUNT];
	enum map_kind kind; /* what most of them are */
	double live, room;  /* bytes of live blocks in its share of pools, and of as many as fit */
	unsigned tenth;     /* how full these are, see map_tenth_of() */
	double old, aged;   /* bytes of live blocks that are old, and of those whose age is known */
	unsigned old_tenth; /* which share is old */
	uint64_t group_units[MAP_GROUPS_SHOWN + 1]; /* the last: of all other groups */
	size_t group;                               /* that most units of pools belong to */
	const struct map_span *span;                /* the only one; NULL: several */
};

/* The least power of two that makes no more cells than that of them. */
uint64_t map_scale(const struct map *map, uint64_t cell_max);
uint64_t map_cell_count(const struct map *map, uint64_t scale);

/* The arenas shown, one behind the other.  Freed by the caller. */
struct map_cell *map_cells(const struct map *map, uint64_t scale);

#endif
