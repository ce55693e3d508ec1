/* SPDX-License-Identifier: MIT */
/*
 * stamps.h: one byte per block, its birth epoch.
 *
 *   0    no live block starts here          254  born so long ago that it is surely in generation 2
 *   255  special: free takes the slow path  1..253  the epoch of its birth, modulo 253
 *
 * `age_of[stamp]` is the age bucket of a block that dies now.  A block whose stamp is up to
 * STAMP_AHEAD epochs ahead of the reader was born in an epoch the reader has not seen yet: age 0.
 */
#ifndef TALLY_STAMPS_H
#define TALLY_STAMPS_H

#include <stdint.h>

enum {
	STAMP_FREE = 0,
	STAMP_FIRST = 1,
	STAMP_LAST = 253,
	STAMP_OLD = 254,
	STAMP_SPECIAL = 255,
	STAMP_AHEAD = 16,
	AGE_SLOW = -1, /* age_of[] of a stamp that needs the slow path */
};

/* The clock's face: what the fast paths read.  Written by the thread that advances the epoch. */
struct stamps {
	uint8_t now; /* stamp of blocks born now */
	int8_t age_of[256];
};

extern struct stamps stamps;

/* Age bucket of a block that dies now, for slow paths: a stamp without an age counts as young. */
static inline unsigned stamp_age(uint8_t stamp)
{
	int age = stamps.age_of[stamp];
	return age < 0 ? 0 : (unsigned)age;
}

#endif
