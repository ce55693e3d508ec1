/* SPDX-License-Identifier: MIT */
/* trace_blocks.c: a hash table, open, half full at most; what is taken is closed up. */
#include "model/trace_blocks.h"

#include "text/allocate.h"

#include <stdlib.h>

enum { PLACES_MIN = 1024 };

static size_t home_of(const struct trace_blocks *blocks, uint64_t address)
{
	uint64_t mixed = address * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(mixed ^ mixed >> 32) & (blocks->places - 1);
}

static size_t next_of(const struct trace_blocks *blocks, size_t place)
{
	return (place + 1) & (blocks->places - 1);
}

static struct traced_block *place_for(struct trace_blocks *blocks, uint64_t address)
{
	size_t at = home_of(blocks, address);

	while (blocks->place[at].address && blocks->place[at].address != address)
		at = next_of(blocks, at);
	return &blocks->place[at];
}

static void grow(struct trace_blocks *blocks)
{
	struct trace_blocks old = *blocks;

	blocks->places = old.places ? 2 * old.places : PLACES_MIN;
	blocks->place = allocate(blocks->places, sizeof *blocks->place);
	for (size_t i = 0; i < old.places; i++)
		if (old.place[i].address)
			*place_for(blocks, old.place[i].address) = old.place[i];
	free(old.place);
}

void trace_blocks_free(struct trace_blocks *blocks)
{
	free(blocks->place);
	*blocks = (struct trace_blocks){.count = 0};
}

struct traced_block *trace_blocks_find(struct trace_blocks *blocks, uint64_t address)
{
	struct traced_block *found = blocks->places ? place_for(blocks, address) : NULL;

	return found && found->address ? found : NULL;
}

struct traced_block *trace_blocks_put(struct trace_blocks *blocks, const struct traced_block *block)
{
	if (2 * (blocks->count + 1) > blocks->places)
		grow(blocks);
	struct traced_block *place = place_for(blocks, block->address);

	*place = *block;
	blocks->count++;
	return place;
}

void trace_blocks_take(struct trace_blocks *blocks, struct traced_block *block)
{
	size_t hole = (size_t)(block - blocks->place);

	for (size_t at = next_of(blocks, hole); blocks->place[at].address; at = next_of(blocks, at)) {
		size_t home = home_of(blocks, blocks->place[at].address);
		size_t from_home = (at - home) & (blocks->places - 1),
		       from_hole = (at - hole) & (blocks->places - 1);

		if (from_home < from_hole)
			continue;
		blocks->place[hole] = blocks->place[at];
		hole = at;
	}
	blocks->place[hole].address = 0;
	blocks->count--;
}
