/* SPDX-License-Identifier: MIT */
/*
 * intern.h: one number for each stack and size.
 *
 *   stack, size --hash--> index --> site --> innermost frame --> its caller --> ...       frames are shared
 *
 * Looking up takes no lock.  Entering does: the caller sees to it that one thread at a time does so.  Private memory; the
 * numbers of frames come from whoever publishes them.  A forked child goes on with what its parent had.
 */
#ifndef STACK_INTERN_H
#define STACK_INTERN_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum {
	INTERN_SITES = 65536,
	INTERN_SITE_BLOCK = 512,
	INTERN_FRAMES = 262144 /* half of them are used */
};
enum {
	INTERN_SHORT = 8,
	INTERN_TINY = 2
}; /* frames; stacks up to that still find room when longer ones do not */

struct stack {
	const uintptr_t *addresses; /* innermost first */
	uint32_t *numbers; /* of frames, 0: not known yet; beside the addresses.  NULL: nobody notes them */
	uint64_t hash; /* of these, and of what code was there */
	unsigned depth;
	uint16_t size_class;
	uint8_t large_log2;
	uint8_t end; /* enum pm_stack_end */
};

struct site {
	uint32_t frame; /* its number, 0: unknown */
	uint16_t size_class;
	uint8_t large_log2, stack_end;
};

/* Of its addresses and all else.  Two that have the same are taken for one. */
static inline uint64_t intern_hash(const struct stack *stack)
{
	uint64_t rest = (uint64_t)stack->size_class << 16 | (uint64_t)stack->large_log2 << 8 |
			stack->end;
	uint64_t hash = (stack->hash ^ rest * UINT64_C(0x9e3779b97f4a7c15)) *
			UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

/* By that, a number from 1 on, or 0: not entered yet. */
uint32_t intern_find(uint64_t hash);

/* Publishes a frame; returns its number or 0: no room. */
typedef uint32_t intern_publish(const struct pm_frame *frame);

/* Whether one of so many frames may be entered. */
bool intern_has_room(unsigned depth);

/*
 * Enters it.  0: no room.  Where not even the frames of one up to INTERN_TINY find any, it is entered as a stack of none:
 * *ret_whole is false then.  One caller at a time.
 */
uint32_t intern_enter(const struct stack *stack, intern_publish *publish, bool *ret_whole);

/* For a reader of the process's memory: pointers to blocks of INTERN_SITE_BLOCK sites. */
const void *intern_site_blocks(void);

/* Of a number that one of these gave. */
const struct site *intern_site(uint32_t number);

#pragma GCC visibility pop

#endif
