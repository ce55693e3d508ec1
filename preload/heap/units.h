/* SPDX-License-Identifier: MIT */
/*
 * units.h: what arena.c, span.c, purge.c, huge.c and sparse.c share.  For these alone.
 *
 * Whoever clears a unit's bit in `free` holds it, and alone changes its bit in `dirty`, until he puts it back.
 */
#ifndef HEAP_UNITS_H
#define HEAP_UNITS_H

#include "heap/region.h"
#include "sys/memory.h"

#pragma GCC visibility push(hidden)

/* Takes these if all are free.  false: they are not, or another thread was faster. */
bool units_take(struct arena *arena, uint64_t units, bool *ret_zeroed);

/* Lets others take them; those that are free as far as figures go, and were only held, are not counted. */
void units_put(struct arena *arena, uint64_t units);
void units_put_held(struct arena *arena, uint64_t units);

/* Of units that the caller holds.  Clearing returns those that were dirty. */
void units_mark_dirty(struct arena *arena, uint64_t units);
uint64_t units_clear_dirty(struct arena *arena, uint64_t units);

/*
 * Gives pieces of memory from `base` on back to the kernel, a bit each.  Returns those that went: the kernel refuses
 * what is locked.
 */
uint64_t purge_pieces(char *base, uint64_t pieces, size_t piece_bytes);

/* Runs longer than an arena.  false: no memory. */
bool span_take(unsigned count, struct run *ret_run);

/* `count` adjacent arenas, ARENA_CLAIMED.  false: the tables are full, or there is no memory for them. */
bool arenas_claim(uint32_t count, uint32_t *ret_first);

/* Gives claimed arenas up that could not be mapped: for good where another mapping is, else for later. */
void arenas_unclaim(uint32_t first, uint32_t count, enum memory_result why);

/* Unmaps arenas that hold nothing, for a process at its limit.  false: there were none. */
bool arena_unmap_idle(void);

#pragma GCC visibility pop

#endif
