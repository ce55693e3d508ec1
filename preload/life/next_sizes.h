/* SPDX-License-Identifier: MIT */
/*
 * next_sizes.h: heap=next, from a block to the counter of its size.
 *
 *   block --> word: its usable size and 8 --> where its counter is in a slot; not known yet: next_look_at() it
 *
 * A size class stands for the first usable size that comes in its range, so that bytes are exact; what has another size, or
 * is larger than any class, is counted as a large block.
 */
#ifndef LIFE_NEXT_SIZES_H
#define LIFE_NEXT_SIZES_H

#include "heap/heap.h"
#include "life/life.h"

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* A constant in the functions that malloc and free come to. */
struct next_how {
	bool by_word, has_births;
};

extern struct next_how next_how; /* by_word: atomic */

struct next_size {
	size_t usable;
	unsigned size_class;
};

/*
 * glibc notes the size of a block in the word before it, with three bits of its own, and uses all but that word; of a block
 * with a mapping of its own two words are lost.  Its malloc_usable_size() asks the next block, too, which costs a line of
 * the cache.  So the word is read here, as long as the first block of each size agrees with what glibc says.
 *
 * Of a block with a mapping of its own it is no word that a size has.
 */
enum { GLIBC_IN_USE = 1, GLIBC_MAPPED = 2, GLIBC_OTHER_ARENA = 4 };

static inline __attribute__((always_inline)) size_t next_word(const void *block, struct next_how how)
{
	if (!how.by_word)
		return foreign.usable((void *)block) + sizeof(size_t);
	return ((const size_t *)block)[-1] & ~(size_t)(GLIBC_IN_USE | GLIBC_OTHER_ARENA);
}

/*
 * By word, for each eight bytes: where the tally of the class is in a slot, once it is known whether that stands for the
 * size, and that of large blocks, if it does not; 0: it is not known.  Atomic.
 */
enum {
	NEXT_GRAIN_LOG2 = 3,
	NEXT_PLACES = ((CLASS_MAX + (int)sizeof(size_t)) >> NEXT_GRAIN_LOG2) + 1,
	NEXT_FIRST = offsetof(struct pm_slot, tally),
	NEXT_LARGE = NEXT_FIRST + CLASS_LARGE * (int)sizeof(struct pm_tally),
};
_Static_assert(NEXT_LARGE <= UINT16_MAX, "tallies do not fit");
extern uint16_t next_tally_at[NEXT_PLACES];

static inline size_t next_at_class(unsigned size_class)
{
	return NEXT_FIRST + size_class * sizeof(struct pm_tally);
}

/* The place there.  Of a word that is no multiple of 8 it is beyond any: the lower bits come on top. */
static inline size_t next_place(size_t word)
{
	return word >> NEXT_GRAIN_LOG2 | word << (8 * sizeof word - NEXT_GRAIN_LOG2);
}

static inline size_t next_at(size_t word)
{
	size_t place = next_place(word);
	return likely(place < NEXT_PLACES) ? __atomic_load_n(&next_tally_at[place], __ATOMIC_RELAXED)
					   : 0;
}

/* Whether a tally at that place counts this size alone: one compare finds the many that have one. */
static inline bool next_is_counter(size_t at)
{
	return likely(at - 1 < NEXT_LARGE - 1);
}

static inline struct next_size next_size_at(size_t word, size_t at)
{
	return (struct next_size){word - sizeof word,
				  (unsigned)(at - NEXT_FIRST) / sizeof(struct pm_tally)};
}

/* Of a word that is not known yet, or no class has. */
struct next_size next_look_at(void *block);

static inline struct next_size next_size(void *block)
{
	size_t word = next_word(block, next_how);
	size_t at = next_at(word);
	return at ? next_size_at(word, at) : next_look_at(block);
}

#pragma GCC visibility pop

#endif
