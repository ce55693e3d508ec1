/* SPDX-License-Identifier: MIT */
/*
 * walk.h: the return addresses on a stack.
 *
 * For use inside malloc, in signal handlers and on stacks of any size: a walk takes no lock, allocates nothing, calls
 * nothing of libc but _dl_find_object, which takes none either, needs little more than 1 KiB of stack, and reads nothing
 * that it did not ask the kernel about.  A walk may interrupt a walk.
 */
#ifndef STACK_WALK_H
#define STACK_WALK_H

#include "stack/machine.h"
#include "stack/reuse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

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
 * x86-64: the frame that called a function, given __builtin_frame_address(0) there.  It must have no locals aligned to more
 * than 16 bytes.  Else `at` leads to the fp, ip and sp of a frame, see HOST_FRAME() in heap/host.h.
 */
static inline struct frame frame_of_caller(const void *frame)
{
	const uintptr_t *at = frame;
	return (struct frame){
		.ip = at[1], .sp = MACHINE_HAS_LINK ? at[2] : (uintptr_t)(at + 2), .fp = at[0]};
}

/* Whether this machine and this libc allow walks; else they find the first ip alone. */
bool walk_available(void);

/* Return addresses, from.ip first.  Returns how many. */
unsigned walk(struct frame from, uintptr_t *ret_ips, unsigned room, enum walk_end *ret_end);

enum { MEMO_ROOM = 160, MEMO_WORDS = 3 * MEMO_ROOM };

/* A word of the stack that a step read, or of other memory where no such word tells that a step would lead there again. */
struct memo_word {
	uintptr_t at, is;
};

struct memo_frames {
	uintptr_t ip[MEMO_ROOM], sp[MEMO_ROOM], fp[MEMO_ROOM];
	uint8_t how[MEMO_ROOM + 1];    /* of walk.c: what fp has to do with where it leads */
	uint32_t first[MEMO_ROOM + 1]; /* of its words; those of outer frames are behind them */
	struct memo_word word[MEMO_WORDS];
};

/*
 * For the next walk of the same thread, which ends where it meets a frame of the last one if every word that was read from
 * there on is what it was.  What is kept ends at the end of the arrays, the outermost frame last.
 */
struct walk_memo {
	struct memo_frames kept;
	uint64_t hash[MEMO_ROOM + 1]; /* of the addresses from here outwards */
	uint32_t number[MEMO_ROOM]; /* the caller's, of the frames from here outwards; 0 of a new one */
	uint32_t generation;        /* 0: nothing is kept */
	unsigned begin;             /* the innermost frame */
	uintptr_t known, known_bytes; /* of the stack: can be read */
	enum walk_end end;
};

/* Whether where the walk leads hangs on what fp was in the innermost frame. */
bool walk_used_fp(const struct walk_memo *memo);

/* Of a stack, from the outermost frame inwards: of one more, in the code that is there now. */
static inline uint64_t walk_hash(uint64_t outer, uintptr_t ip)
{
	if (reuse_is_any())
		ip ^= reuse_find(ip) * UINT64_C(0xd6e8feb86659fd93);
	uint64_t hash = (outer ^ ip) * UINT64_C(0x9fb21c651e98df25);
	return hash ^ hash >> 32;
}

/* Addresses are memo->kept.ip from memo->begin on; returns how many.  A memo is all zero at first; `fresh` is scratch. */
unsigned walk_again(const struct frame *from, struct walk_memo *memo, struct memo_frames *fresh);

/* Makes the table that makes walks fast.  false: no memory; walks still work. */
bool steps_init(void);

/* A module was closed: another may come to its addresses. */
void steps_forget(void);

/* Called for each ip that was not known, with its module, in the middle of a walk.  NULL: nobody asks. */
extern void (*walk_met)(const struct dl_find_object *module);

#pragma GCC visibility pop

#endif
