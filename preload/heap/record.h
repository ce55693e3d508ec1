/* SPDX-License-Identifier: MIT */
/* record.h: places for descriptors with their stamps, found by unit.  For heap/ alone. */
#ifndef HEAP_RECORD_H
#define HEAP_RECORD_H

#include "heap/arena.h"

#pragma GCC visibility push(hidden)

/* Maps room for an arena's descriptors, kept for good once the arena is used.  false: no memory. */
bool record_ensure(struct arena *arena);

/* The descriptor that a unit has, whatever it describes now; &pool_nowhere: it never had one. */
struct pool *record_of(const struct arena *arena, unsigned unit);

/*
 * One with room for so many stamps, for a unit that the caller holds.  The one that the unit had before, if it is
 * another, is for record_give() once nothing leads to it any more.
 */
struct pool *record_take(struct arena *arena, unsigned unit, size_t stamps, struct pool **ret_old);
void record_give(struct arena *arena, const struct pool *pool);

#pragma GCC visibility pop

#endif
