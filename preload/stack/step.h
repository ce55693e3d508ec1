/* SPDX-License-Identifier: MIT */
/*
 * step.h: how to get from one frame to its caller's, in one word.
 *
 *   cfa = base + k, or *(base + k) + j      base: the frame's sp or fp
 *   caller's ip = *(cfa - 8), its sp = cfa, its fp as `fp` says
 */
#ifndef STACK_STEP_H
#define STACK_STEP_H

#include "stack/bytes.h"

/* The layouts of registers, frames and signals known here are those of x86-64. */
#if defined(__x86_64__)
enum { STEP_MACHINE_IS_KNOWN = 1 };
#else
enum { STEP_MACHINE_IS_KNOWN = 0 };
#endif

enum step_kind {
	STEP_NONE,        /* not asked yet */
	STEP_FRAME,       /* as above */
	STEP_INTERRUPTED, /* as above, and the caller did not call: its ip is exact */
	STEP_SIGNAL,      /* the kernel left the registers at sp (struct ucontext) */
	STEP_OUTERMOST,   /* nobody called */
	STEP_ENTRY,       /* the first instruction of a function: no call before it */
	STEP_UNTOLD,      /* nothing describes the code there: the frame pointer may tell */
	STEP_UNKNOWN      /* it is described, in terms that we do not follow */
};

enum step_fp { FP_SAME, FP_LOST, FP_AT_CFA, FP_AT_SP, FP_AT_FP, FP_IS_CFA }; /* at or is: + n */

struct step {
	uint64_t kind : 3;
	uint64_t is_fp_based : 1;
	uint64_t is_read : 1;
	uint64_t fp : 3;
	int64_t k : 26;
	int64_t j : 10;
	int64_t n : 20;
};

_Static_assert(sizeof(struct step) == 8, "a step is read and written as one word");

/* Where the kernel leaves registers, from sp in the function that a signal handler returns to. */
enum { SIGNAL_FP = 120, SIGNAL_SP = 160, SIGNAL_IP = 168 };

/* Whether modules can be looked up: since glibc 2.35. */
bool step_can_find(void);

/*
 * From what the module of `ip` says.  An ip that is not exact is a return address: the call before it
 * counts.  `ret_has_module`: whether there is one.
 */
struct step step_compile(uintptr_t ip, bool is_exact, bool *ret_has_module);

/* The same in a module that lies in `bounds`, with .eh_frame_hdr at `header`, which may be NULL. */
struct step step_compile_in(struct bytes bounds, const uint8_t *header, uintptr_t ip, bool is_exact);

#endif
