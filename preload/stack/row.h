/* SPDX-License-Identifier: MIT */
/*
 * row.h: what the call frame instructions say about one instruction of the program.
 *
 * The frame's end (CFA: the stack pointer before the call) is told from the registers, and the caller's registers from
 * them and the CFA.  Three registers are followed, and a rule that needs others is OTHER.
 */
#ifndef STACK_ROW_H
#define STACK_ROW_H

#include "stack/fde.h"

#pragma GCC visibility push(hidden)

enum rule_base { BASE_OTHER, BASE_SP, BASE_FP, BASE_CFA, BASE_NUMBER };
enum rule_kind {
	RULE_SAME,      /* the register still holds it */
	RULE_UNDEFINED, /* it is lost; of the return address: nobody called */
	RULE_IS,        /* base + k */
	RULE_AT,        /* *(base + k) + j */
	RULE_OTHER      /* not in our terms */
};

struct rule {
	int32_t k;
	int16_t j;
	uint8_t base, kind;
};

struct row {
	struct rule cfa, sp, fp, ip;
};

/*
 * The row for the instruction at `pc` of fde's code; `ip` is the register's value: behind a call it is
 * one more.  false: the instructions cannot be read.
 */
bool row_find(const struct fde *fde, uintptr_t pc, uintptr_t ip, struct row *ret);

/* --- for row.c, from expression.c ------------------------------------------------------------------ */

/*
 * What a DWARF expression computes, as RULE_IS or RULE_AT, or OTHER.  An expression about a
 * register (`has_cfa`) begins with the CFA on its stack.
 */
struct rule expression_rule(struct bytes expression, uintptr_t ip, bool has_cfa);

/* base + k as a rule; OTHER when k does not fit. */
struct rule rule_of(enum rule_kind kind, enum rule_base base, int64_t k);

#pragma GCC visibility pop

#endif
