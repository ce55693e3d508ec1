/* SPDX-License-Identifier: MIT */
/* intern.c: see intern.h. */
#include "text/intern.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_ROOM_MIN = 64 };

static size_t slot_of(const struct interned *interned, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	size_t slot = (hash ^ hash >> 32) & (interned->index_room - 1);
	while (interned->index[slot] && strcmp(interned->list[interned->index[slot] - 1], text) != 0)
		slot = (slot + 1) & (interned->index_room - 1);
	return slot;
}

static void grow_index(struct interned *interned)
{
	free(interned->index);
	interned->index_room = interned->index_room ? interned->index_room * 2 : INDEX_ROOM_MIN;
	interned->index = allocate(interned->index_room, sizeof *interned->index);
	for (size_t i = 0; i < interned->count; i++)
		interned->index[slot_of(interned, interned->list[i])] = (uint32_t)i + 1;
}

uint32_t intern(struct interned *interned, const char *text)
{
	if (interned->count * 2 >= interned->index_room)
		grow_index(interned);
	size_t slot = slot_of(interned, text);
	if (!interned->index[slot]) {
		interned->list = allocate_more(interned->list, interned->count, &interned->room,
					       sizeof *interned->list);
		interned->list[interned->count++] = allocate_text(text, strlen(text));
		interned->index[slot] = (uint32_t)interned->count;
	}
	return interned->index[slot] - 1;
}

void interned_free(struct interned *interned)
{
	for (size_t i = 0; i < interned->count; i++)
		free(interned->list[i]);
	free(interned->list);
	free(interned->index);
}
