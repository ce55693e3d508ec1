/* SPDX-License-Identifier: MIT */
/* keep.h: memory of many pieces that goes all at once. */
#ifndef POOLMEM_TEXT_KEEP_H
#define POOLMEM_TEXT_KEEP_H

#include <stddef.h>

/* Begin with zero. */
struct keep {
	void **list;
	size_t count, room;
};

/* Zeroed, good until keep_free(). */
void *keep_items(struct keep *keep, size_t count, size_t item_bytes);
char *keep_text(struct keep *keep, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *keep_bytes(struct keep *keep, const void *bytes, size_t byte_count); /* a NUL behind */

/* Takes over what was allocated elsewhere; returns it. */
void *keep_taken(struct keep *keep, void *memory);
void keep_free(struct keep *keep);

#endif
