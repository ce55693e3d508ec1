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

enum { INTERN_SITES = 65536, INTERN_FRAMES = 262144 /* half of them are used */ };

struct stack {
	const uintptr_t *addresses; /* innermost first */
	uint64_t hash;              /* of these */
	unsigned depth;
	uint32_t generation; /* of the modules */
	uint16_t size_class;
	uint8_t large_log2;
	uint8_t end; /* enum pm_stack_end */
};

struct site {
	uint64_t hash;
	uint32_t frame; /* its number, 0: unknown */
	uint16_t size_class;
	uint8_t large_log2, stack_end;
};

/* A number from 1 on, or 0: not entered yet. */
uint32_t intern_find(const struct stack *stack);

/* Publishes a frame; returns its number or 0: no room. */
typedef uint32_t intern_publish(const struct pm_frame *frame);

/*
 * Enters it; where there is no room for its frames, as a stack of none: *ret_whole is false then.  0: no room at all.
 * One caller at a time.
 */
uint32_t intern_enter(const struct stack *stack, intern_publish *publish, bool *ret_whole);

/* Of a number that one of these gave. */
const struct site *intern_site(uint32_t number);

#endif
