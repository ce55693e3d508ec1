/* SPDX-License-Identifier: MIT */
/* region.h: growing the address map and the table of arenas.  For heap/ alone; see arena.h for reading. */
#ifndef HEAP_REGION_H
#define HEAP_REGION_H

#include "heap/arena.h"

/* Owner of what no heap owns; never equal to a thread's heap, nor to NULL. */
#define OWNER_NONE ((struct heap *)1)

/* Chooses the address range, once.  Before the first arena, by the only thread there is. */
void region_init(void);

/* Makes the map long enough for that many arenas.  false: no memory. */
bool region_cover(uint32_t arenas);

/* Enters a pool for a unit, counted from the region's base. */
void region_set(uintptr_t unit, struct pool *pool);

/* Appends `count` arenas of kind ARENA_UNUSED.  false: no memory or the address range is used up. */
bool region_append(uint32_t count, uint32_t *ret_first);

#endif
