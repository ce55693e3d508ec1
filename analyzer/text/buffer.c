/* SPDX-License-Identifier: MIT */
/* buffer.c: see buffer.h. */
#include "text/buffer.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 4096 };

static void make_room(struct buffer *buffer, size_t bytes)
{
	if (bytes < buffer->room - buffer->bytes)
		return;
	size_t room = 2 * (buffer->bytes + bytes) + LEAST_ROOM;
	char *more = allocate(room, 1);

	if (buffer->bytes)
		memcpy(more, buffer->data, buffer->bytes);
	free(buffer->data);
	buffer->data = more;
	buffer->room = room;
}

void buffer_add(struct buffer *buffer, const void *data, size_t bytes)
{
	if (!bytes)
		return;
	make_room(buffer, bytes);
	memcpy(buffer->data + buffer->bytes, data, bytes);
	buffer->bytes += bytes;
	buffer->data[buffer->bytes] = 0;
}

char *buffer_take(struct buffer *buffer, size_t *ret_bytes)
{
	char *data = buffer->data;

	*ret_bytes = buffer->bytes;
	*buffer = (struct buffer){.data = NULL};
	return data;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){.data = NULL};
}
