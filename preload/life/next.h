/* SPDX-License-Identifier: MIT */
/* next.h: counting what the next allocator serves; see next.c. */
#ifndef LIFE_NEXT_H
#define LIFE_NEXT_H

#include "life/life.h"

#pragma GCC visibility push(hidden)

/* It gave that block for so many bytes; NULL: it did not. */
void next_count_alloc(void *block, size_t requested);

/* The block goes to it now; not NULL. */
void next_count_free(void *block);

/* It was asked to resize a block, NULL perhaps, that had `before` usable bytes, and gave `result`. */
void next_count_realloc(const void *block, size_t before, void *result, size_t requested);

#pragma GCC visibility pop

#endif
