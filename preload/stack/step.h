/* SPDX-License-Identifier: MIT */
/*
 * step.h: how to get from one frame to its caller's, in one word.
 *
 *   cfa = base + k, or *(base + k) + j      base: the frame's sp or fp
 *   caller's ip = *(cfa - 8), its sp = cfa, its fp as `fp` says
 *
 * Where calls leave the return address in a register (MACHINE_HAS_LINK) there is no second form of cfa, and
 *
 *   caller's ip = *(cfa + n + j)            AT_CFA: fp is at cfa + n, else j = 0
 */
#ifndef STACK_STEP_H
#define STACK_STEP_H

#include "stack/bytes.h"
#include "stack/machine.h"

#pragma GCC visibility push(hidden)

enum step_kind {
	STEP_NONE,        /* not asked yet */
	STEP_FRAME,       /* as above */
	STEP_INTERRUPTED, /* as above, and the caller did not call: its ip is exact */
	STEP_LINK,        /* as above, but the caller's ip is still in the register */
	STEP_SIGNAL,      /* the kernel left the registers at sp (struct ucontext) */
	STEP_OUTERMOST,   /* nobody called */
	STEP_ENTRY,       /* the first instruction of a function: no call before it */
	STEP_UNTOLD,      /* nothing describes the code there: the frame pointer may tell */
	STEP_UNKNOWN      /* it is described, in terms that we do not follow */
};

enum step_fp { FP_SAME, FP_LOST, FP_AT_CFA, FP_AT_SP, FP_AT_FP, FP_IS_CFA }; /* at or is: + n */

struct step {
	uint64_t kind : 4;
	uint64_t is_fp_based : 1;
	uint64_t is_read : 1;
	uint64_t fp : 3;
	int64_t k : 25;
	int64_t j : 10;
	int64_t n : 20;
};

_Static_assert(sizeof(struct step) == 8, "a step is read and written as one word");

/* Whether modules can be looked up: since glibc 2.35. */
bool step_can_find(void);

/*
 * From what the module of `ip` says.  An ip that is not exact is a return address: the call before it
 * counts.  `ret_has_module`: whether there is one.
 */
struct step step_compile(uintptr_t ip, bool is_exact, bool *ret_has_module);

/* The same in a module that lies in `bounds`, with .eh_frame_hdr at `header`, which may be NULL. */
struct step step_compile_in(struct bytes bounds, const uint8_t *header, uintptr_t ip, bool is_exact);

#pragma GCC visibility pop

#endif
