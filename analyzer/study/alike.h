/* SPDX-License-Identifier: MIT */
/*
 * alike.h: call sites of a check that are called the same: which are one to who reads of them, and which calls tell the others
 * apart.
 */
#ifndef POOLMEM_STUDY_ALIKE_H
#define POOLMEM_STUDY_ALIKE_H

#include "study/check.h"

/* For qsort: by all that is ever shown of them, stack and all. */
int alike_order(const void *left, const void *right);

/*
 * Those that nobody can tell apart become one, as places of one function whose lines are not known; one of which as much is left
 * as there was goes.  In another order then.  Returns how many there are.
 */
size_t alike_join(struct check_site *list, size_t count);

/*
 * The first call of a site's stack, from `from` on, where the stack of another one of the list that is called the same goes
 * another way; the number of its calls: there is none.
 */
size_t alike_next(const struct check_site *list, size_t count, size_t index, size_t from);

#endif
