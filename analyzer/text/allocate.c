/* SPDX-License-Identifier: MIT */
/* allocate.c: see allocate.h. */
#include "text/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_OUT_OF_MEMORY = 3, FIRST_ROOM = 8 };

static void *proven(void *memory)
{
	if (!memory) {
		fputs("poolmem: out of memory\n", stderr);
		exit(EXIT_OUT_OF_MEMORY);
	}
	return memory;
}

void *allocate(size_t count, size_t item_bytes)
{
	return proven(calloc(count ? count : 1, item_bytes));
}

void *allocate_more(void *array, size_t used, size_t *room, size_t item_bytes)
{
	if (used < *room)
		return array;
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	char *grown = proven(reallocarray(array, more, item_bytes));
	memset(grown + used * item_bytes, 0, (more - used) * item_bytes);
	*room = more;
	return grown;
}

char *allocate_text(const void *bytes, size_t byte_count)
{
	char *text = allocate(byte_count + 1, 1);
	if (byte_count)
		memcpy(text, bytes, byte_count);
	return text;
}
