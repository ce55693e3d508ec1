/* SPDX-License-Identifier: MIT */
/*
 * walk.h: the return addresses on a stack.
 *
 * For use inside malloc, in signal handlers and on stacks of any size: a walk takes no lock, allocates nothing, calls
 * nothing of libc but _dl_find_object, which takes none either, needs less than 1 KiB of stack, and reads nothing
 * that it did not ask the kernel about.  A walk may interrupt a walk.
 */
#ifndef STACK_WALK_H
#define STACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct dl_find_object; /* <dlfcn.h> */

/* Where a walk begins: a frame whose function called (ip: where the callee returns to), or was interrupted at ip. */
struct frame {
	uintptr_t ip, sp, fp;
	bool is_interrupted;
};

enum walk_end {
	WALK_WHOLE,   /* up to the outermost frame */
	WALK_GUESSED, /* the same, but on the way frame pointers alone had to tell */
	WALK_CUT,     /* no more room */
	WALK_LOST     /* what is above the last one is not known */
};

/*
 * The frame that called this function, which must not be inlined and must have no locals aligned to
 * more than 16 bytes.
 */
#define frame_of_caller()                                                                          \
	((struct frame){.ip = (uintptr_t)__builtin_return_address(0),                              \
			.sp = (uintptr_t)__builtin_frame_address(0) + 16,                          \
			.fp = *(const uintptr_t *)__builtin_frame_address(0)})

/* Whether this machine and this libc allow walks; else they find the first ip alone. */
bool walk_available(void);

/* Return addresses, from.ip first.  Returns how many. */
unsigned walk(struct frame from, uintptr_t *ret_ips, unsigned room, enum walk_end *ret_end);

/* Makes the table that makes walks fast.  false: no memory; walks still work. */
bool steps_init(void);

/* A module was closed: another may come to its addresses. */
void steps_forget(void);

/* Called for each ip that was not known, with its module, in the middle of a walk.  NULL: nobody asks. */
extern void (*walk_met)(const struct dl_find_object *module);

#endif
