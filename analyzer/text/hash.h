/* SPDX-License-Identifier: MIT */
/* hash.h: mixing what something is told by into a number; and which item of an array is like a wanted one. */
#ifndef POOLMEM_TEXT_HASH_H
#define POOLMEM_TEXT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash that the word is mixed into; of nothing yet: 0. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

uint64_t hash_text(uint64_t hash, const char *text);

/* Numbers of items by their hashes, open addressing.  All zero: empty. */
struct hash_index {
	struct hash_slot {
		uint32_t hash, item; /* item: its number plus 1; 0: free */
	} * slots;
	size_t room, count;
};

/* Whether the item of that number is the wanted one. */
typedef bool hash_is_wanted(const void *wanted, uint32_t item);

/* True: *ret_item is the number of the one that is wanted; else there is none. */
bool hash_find(const struct hash_index *index, uint64_t hash, hash_is_wanted *is_wanted,
	       const void *wanted, uint32_t *ret_item);

/* Of an item that was not found. */
void hash_add(struct hash_index *index, uint64_t hash, uint32_t item);

void hash_index_free(struct hash_index *index);

#endif
