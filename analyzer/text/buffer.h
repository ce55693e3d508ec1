/* SPDX-License-Identifier: MIT */
/* buffer.h: bytes that become more, one behind the other. */
#ifndef POOLMEM_TEXT_BUFFER_H
#define POOLMEM_TEXT_BUFFER_H

#include <stddef.h>

/* All zero: empty.  `data` is NULL as long as it is, and then ends in a NUL that is not counted. */
struct buffer {
	char *data;
	size_t bytes, room;
};

void buffer_add(struct buffer *buffer, const void *data, size_t bytes);

/* The bytes, freed by the caller; the buffer is empty then. */
char *buffer_take(struct buffer *buffer, size_t *ret_bytes);

void buffer_free(struct buffer *buffer);

#endif
