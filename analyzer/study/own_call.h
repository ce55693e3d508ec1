/* SPDX-License-Identifier: MIT */
/* own_call.h: where in its own code a program makes a call that allocates, in libc say. */
#ifndef POOLMEM_STUDY_OWN_CALL_H
#define POOLMEM_STUDY_OWN_CALL_H

#include "study/sites.h"

struct own_call {
	const struct named_call *call; /* NULL: no stack is known */
	const struct named_call
		*through; /* libc's function, say, that it called; NULL: the allocation itself */
	uint32_t module;  /* in stacks.modules */
};

/*
 * The innermost call that neither passes an allocation on nor is in libc, the loader or libstdc++; where all are, the
 * one that names the site.
 */
struct own_call own_call_of(struct sites *sites, const struct site *site);

/* Below, above or 0, as strcmp(); 0: of the same line. */
int own_call_order(const struct own_call *a, const struct own_call *b);

#endif
