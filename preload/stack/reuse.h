/* SPDX-License-Identifier: MIT */
/*
 * reuse.h: addresses that modules were closed at, and what is there now.
 *
 * Code has a generation: 0 where no module was ever closed.  When one is closed, its addresses are said to be of another, and
 * when the next comes there, again.  What was said last of an address holds.  No locks; of one range one thread at a time
 * says something.
 */
#ifndef STACK_REUSE_H
#define STACK_REUSE_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { REUSE_RANGES = 128 };

extern uint32_t reuse_ranges; /* atomic */

__attribute__((cold)) uint32_t reuse_find(uint64_t address);

/* Most programs close none. */
static inline bool reuse_is_any(void)
{
	return __builtin_expect(__atomic_load_n(&reuse_ranges, __ATOMIC_RELAXED) != 0, 0);
}

/* Of code at the address. */
static inline uint32_t reuse_generation(uint64_t address)
{
	return reuse_is_any() ? reuse_find(address) : 0;
}

/* The highest that was said of a range that has addresses in common with this one; 0: none. */
uint32_t reuse_highest(uint64_t first, uint64_t last);

/* Of all addresses from first up to last.  false: no room, and it is not what they are of anyway. */
bool reuse_set(uint64_t first, uint64_t last, uint32_t generation);

/* Of all addresses there are, when there was no room. */
void reuse_set_all(uint32_t generation);

#pragma GCC visibility pop

#endif
