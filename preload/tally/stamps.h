/* SPDX-License-Identifier: MIT */
/*
 * stamps.h: one byte per block, its birth epoch.
 *
 *   0    no live block starts here          254  born so long ago that it is surely in generation 2
 *   255  frozen: free takes the slow path   1..253  the epoch of its birth, modulo 253
 *
 * `weight[stamp]` is what a block that dies now adds to pm_tally.recent, by its age; `freed_at[stamp]` leads to the counter of
 * that age.  A block whose stamp is up to STAMP_AHEAD epochs ahead of the reader was born in an epoch the reader has not seen
 * yet: age 0.
 */
#ifndef TALLY_STAMPS_H
#define TALLY_STAMPS_H

#include <poolmem/format.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum {
	STAMP_FREE = 0,
	STAMP_FIRST = 1,
	STAMP_LAST = 253,
	STAMP_OLD = 254,
	STAMP_SPECIAL = 255,
	STAMP_AHEAD = 16,
};

/* The clock's face: what the fast paths read.  Written by the thread that advances the epoch. */
struct stamps {
	int64_t weight[256]; /* 0: the free needs more than one addition */
	int64_t freed_at[256]; /* offset from pm_tally.freed; STAMP_SLOW: the free needs the slow path */
	uint8_t now;           /* stamp of blocks born now */
};

/* Negative, also after the address of a tally is added to it: the fast path looks at the sum alone. */
#define STAMP_SLOW INT64_MIN

extern struct stamps stamps __attribute__((visibility("hidden")));

static inline int64_t stamp_offset(unsigned age)
{
	return (int64_t)(age * sizeof(uint64_t));
}

/* A tally moved so that its first counter of frees is that of the stamp; negative: STAMP_SLOW. */
static inline intptr_t stamp_tally(uint8_t stamp, intptr_t tally)
{
	const struct stamps *face = &stamps;
	__asm__(""
		: "+r"(face)); /* else its address is worked out before the branch that leads here */
	return tally + face->freed_at[stamp];
}

/* Age bucket of a block that dies now, for slow paths.  What is special counts as oldest, what has no age as young. */
static inline unsigned stamp_age(uint8_t stamp)
{
	int64_t at = stamps.freed_at[stamp];
	if (stamp == STAMP_SPECIAL)
		return PM_AGE_COUNT - 1;
	return at < 0 ? 0 : (unsigned)(at / (int64_t)sizeof(uint64_t));
}

#pragma GCC visibility pop

#endif
