/* SPDX-License-Identifier: MIT */
/*
 * known.h: stacks that a thread comes back to, told without a step.
 *
 * A walk hangs on where it begins and on the words that it reads.  If a walk began in the same frame before, and each of those
 * words is what it was, it would find the same.  Unlike a memo (walk.h), of which there is one for a place on the stack, there
 * is one of these for a frame; a walk whose stack is not known goes the other way.
 */
#ifndef STACK_KNOWN_H
#define STACK_KNOWN_H

#include "stack/walk.h"

#include <poolmem/format.h>

#pragma GCC visibility push(hidden)

enum { KNOWN_SETS = 128, KNOWN_WAYS = 16, KNOWN_WORDS = 28 };

/* Of a stack and size of which a block was recorded lately, where it is counted.  The recorder writes and reads it. */
struct recent {
	uint64_t hash;
	struct pm_site *row; /* NULL: none */
	uint32_t number;     /* of the row */
	uint32_t turn;       /* of the recorder: at another one it says nothing */
	uint32_t size;       /* of the blocks: the caller's number for that */
};

/* A stack that was found from a frame. */
struct known {
	struct recent recent; /* row NULL: nothing was recorded of this stack yet */
	uintptr_t fp;
	uint64_t hash;       /* of the addresses, as the caller wants it */
	uint32_t generation; /* steps_now() of then; 0: its words are not noted */
	uint16_t words;
	uint8_t end;              /* enum walk_end */
	bool used_fp;             /* else fp does not matter */
	uint16_t at[KNOWN_WORDS]; /* of the stack, in words from sp */
	uintptr_t is[KNOWN_WORDS];
};

/* Several from frames of one place; ip and sp stand apart, so that a look at others is short. */
struct known_set {
	uintptr_t ip[KNOWN_WAYS], sp[KNOWN_WAYS];
	struct known way[KNOWN_WAYS];
	uint32_t turn;                  /* which is given up next */
	uint8_t last, next[KNOWN_WAYS]; /* found; which was found after it: programs go in loops */
};

/* That from the frame, if a walk would find the same now; NULL: it is not known. */
struct known *known_find(struct known_set sets[KNOWN_SETS], const struct frame *from);

/*
 * Notes what a walk from that frame has found, which stands in the memo, when the last one noted there found the same.  A
 * stack that words alone do not vouch for, or too deep a one, is not noted.
 */
void known_note(struct known_set sets[KNOWN_SETS], const struct frame *from,
		const struct walk_memo *memo, uint64_t hash);

#pragma GCC visibility pop

#endif
