/* SPDX-License-Identifier: MIT */
/* hash.c: see hash.h. */
#include "text/hash.h"

#include "text/allocate.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 }; /* a power of two, as is each after it */

uint64_t hash_text(uint64_t hash, const char *text)
{
	hash ^= UINT64_C(0xcbf29ce484222325);
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

bool hash_find(const struct hash_index *index, uint64_t hash, hash_is_wanted *is_wanted,
	       const void *wanted, uint32_t *ret_item)
{
	if (!index->room)
		return false;
	for (size_t at = hash & (index->room - 1); index->slots[at].item;
	     at = (at + 1) & (index->room - 1)) {
		uint32_t item = index->slots[at].item - 1;
		if (index->slots[at].hash == (uint32_t)hash && is_wanted(wanted, item)) {
			*ret_item = item;
			return true;
		}
	}
	return false;
}

static void put(struct hash_index *index, uint32_t hash, uint32_t item)
{
	size_t at = hash & (index->room - 1);

	while (index->slots[at].item)
		at = (at + 1) & (index->room - 1);
	index->slots[at] = (struct hash_slot){hash, item};
}

/* At least half of the slots stay free: a search ends soon. */
static void grow(struct hash_index *index)
{
	struct hash_index more = {.room = index->room ? 2 * index->room : FIRST_ROOM,
				  .count = index->count};

	more.slots = allocate(more.room, sizeof *more.slots);
	for (size_t i = 0; i < index->room; i++)
		if (index->slots[i].item)
			put(&more, index->slots[i].hash, index->slots[i].item);
	free(index->slots);
	*index = more;
}

void hash_add(struct hash_index *index, uint64_t hash, uint32_t item)
{
	if (2 * (index->count + 1) > index->room)
		grow(index);
	put(index, (uint32_t)hash, item + 1);
	index->count++;
}

void hash_index_free(struct hash_index *index)
{
	free(index->slots);
	*index = (struct hash_index){.slots = NULL};
}
