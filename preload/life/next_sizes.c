/* SPDX-License-Identifier: MIT */
/* next_sizes.c: heap=next, which size a class stands for, agreed on by the processes of a segment. */
#include "life/next.h"

struct next_how next_how;
uint16_t next_tally_at[NEXT_PLACES];

/* Returns whether the class stands for that size. */
static bool claim(unsigned size_class, uint32_t bytes)
{
	uint32_t now = 0, *shared = NULL;
	if (life.recording) {
		const struct pm_header *header = segment.header;
		struct pm_class *classes = (struct pm_class *)((char *)header + sizeof *header);
		shared = &classes[size_class].block_bytes;
	}
	if (!shared || __atomic_compare_exchange_n(shared, &now, bytes, false, __ATOMIC_RELEASE,
						   __ATOMIC_RELAXED))
		now = bytes;
	__atomic_store_n(&life.block_bytes[size_class], now, __ATOMIC_RELAXED);
	return now == bytes;
}

static void note(size_t word, unsigned size_class)
{
	size_t place = next_place(word);
	if (place < NEXT_PLACES)
		__atomic_store_n(&next_tally_at[place], (uint16_t)next_at_class(size_class),
				 __ATOMIC_RELAXED);
}

__attribute__((noinline)) struct next_size next_look_at(void *block)
{
	struct next_size size = {foreign.usable(block), CLASS_LARGE};
	size_t word = size.usable + sizeof word;
	if (size.usable - 1 >= CLASS_MAX)
		return size;
	if (next_how.by_word && next_word(block, next_how) != word) {
		next_how.by_word = false;
		next_choose_calls();
	}
	unsigned size_class = class_of(size.usable);
	uint32_t bytes = __atomic_load_n(&life.block_bytes[size_class], __ATOMIC_RELAXED);
	if (bytes ? bytes == size.usable : claim(size_class, (uint32_t)size.usable))
		size.size_class = size_class;
	note(word, size.size_class);
	return size;
}
