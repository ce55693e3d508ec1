/* SPDX-License-Identifier: MIT */
/*
 * units.h: what arena.c, purge.c, huge.c and sparse.c share.  For these alone.
 *
 * Whoever clears a unit's bit in `free` holds it, and alone changes its bit in `dirty`, until he puts it back.
 */
#ifndef HEAP_UNITS_H
#define HEAP_UNITS_H

#include "heap/region.h"

/* Lets others take them. */
void units_put(struct arena *arena, uint64_t units);

/* Of units that the caller holds.  Clearing returns those that were dirty. */
void units_mark_dirty(struct arena *arena, uint64_t units);
uint64_t units_clear_dirty(struct arena *arena, uint64_t units);

/* Descriptors and stamps, kept for good once the arena is used.  false: no memory. */
bool arena_ensure_meta(struct arena *arena);

/*
 * Gives pieces of memory from `base` on back to the kernel, a bit each.  Returns those that went: the kernel refuses
 * what is locked.
 */
uint64_t purge_pieces(char *base, uint64_t pieces, size_t piece_bytes);

/* Unmaps freed huge blocks: those that were there at the pass before too, or all.  Returns bytes. */
size_t arena_purge_huge(bool all);

/* Unmaps arenas that hold nothing, for a process at its limit.  false: there were none. */
bool arena_unmap_idle(void);

#endif
