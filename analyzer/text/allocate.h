/* SPDX-License-Identifier: MIT */
/* allocate.h: zeroed memory or the end of the program: a report half made helps nobody. */
#ifndef POOLMEM_TEXT_ALLOCATE_H
#define POOLMEM_TEXT_ALLOCATE_H

#include <stddef.h>

void *allocate(size_t count, size_t item_bytes);

/* The array, with room for at least one item more than `used`; new items are zero. */
void *allocate_more(void *array, size_t used, size_t *room, size_t item_bytes);

/* A copy of `bytes` bytes with a NUL behind. */
char *allocate_text(const void *bytes, size_t byte_count);

#endif
