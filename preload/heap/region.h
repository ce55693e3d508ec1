/* SPDX-License-Identifier: MIT */
/* region.h: the address map, the table of arenas and their figures.  For heap/ alone; see arena.h for reading. */
#ifndef HEAP_REGION_H
#define HEAP_REGION_H

#include "heap/arena.h"

#pragma GCC visibility push(hidden)

/* Owner of what no heap owns; never equal to a thread's heap, nor to NULL. */
#define OWNER_NONE ((struct heap *)1)

/* Chooses the address range, once.  Before the first arena, by the only thread there is. */
void region_init(void);

/* Makes the map long enough for that many arenas.  false: no memory. */
bool region_cover(uint32_t arenas);

/* Enters a pool for a unit, counted from the region's base. */
void region_set(uintptr_t unit, struct pool *pool);

/* The same for adjacent units of an arena. */
void region_set_run(const struct arena *arena, unsigned first, unsigned count, struct pool *pool);

/* Appends `count` arenas of kind ARENA_UNUSED.  false: no memory or the address range is used up. */
bool region_append(uint32_t count, uint32_t *ret_first);

static inline uint32_t arena_count(void)
{
	return __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE);
}

static inline uint32_t arena_kind_of(const struct arena *arena)
{
	return __atomic_load_n(&arena->kind, __ATOMIC_ACQUIRE);
}

static inline void arena_set_kind(struct arena *arena, enum arena_kind kind)
{
	__atomic_store_n(&arena->kind, kind, __ATOMIC_RELEASE);
}

/* To change what an arena is for.  false: it is not of that kind, or another thread was faster. */
static inline bool arena_claim(struct arena *arena, enum arena_kind from)
{
	uint32_t kind = from;
	return arena_kind_of(arena) == kind &&
	       __atomic_compare_exchange_n(&arena->kind, &kind, ARENA_CLAIMED, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Bytes of arenas that came, or went as part of a change; and those that were given back as a whole. */
void region_count_mapped(int64_t change);
void region_count_unmapped(size_t bytes);

#pragma GCC visibility pop

#endif
