/* SPDX-License-Identifier: MIT */
/* settle.c: see settle.h. */
#include "source/settle.h"

#include "source/chunk.h"

enum { ROUNDS_MAX = 100, READINGS = 3 };

struct readings {
	const struct pm_header *header;
	unsigned char *chunk[READINGS];
};

static bool read_thrice(const struct image_place *place, uint32_t number, struct readings *readings,
			struct failure *why)
{
	uint64_t bytes = readings->header->chunk_bytes;

	for (int i = 0; i < READINGS; i++)
		if (!input_read(place->input, place->offset + number * bytes, readings->chunk[i],
				bytes, why))
			return false;
	return true;
}

static bool same_owner(const unsigned char *copy, const unsigned char *chunk)
{
	const struct pm_chunk *before = (const void *)copy;
	const struct pm_chunk *now = (const void *)chunk;
	return before->kind == now->kind && before->process == now->process;
}

/* Takes the counts of a class when the three readings agree. */
static bool take_if_settled(const struct readings *readings, uint32_t size_class,
			    struct pm_tally *copy)
{
	const struct pm_tally *reading[READINGS];

	for (int i = 0; i < READINGS; i++)
		reading[i] = chunk_tally(readings->header, readings->chunk[i], size_class);
	int side = reading[0]->left & 1;
	if ((uint8_t)reading[0]->left != (uint8_t)reading[2]->left ||
	    reading[0]->limit[side] != reading[1]->limit[side] ||
	    reading[1]->limit[side] != reading[2]->limit[side])
		return false;
	copy->left = reading[2]->left;
	copy->limit[0] = reading[1]->limit[0];
	copy->limit[1] = reading[1]->limit[1];
	return true;
}

/* Marks what has settled in `done`; returns how many have not. */
static uint32_t take_settled(const struct readings *readings, unsigned char *copy, uint8_t *done)
{
	uint32_t open = 0;

	for (uint32_t c = 0; c < readings->header->classes.count; c++) {
		if (!done[c])
			done[c] = take_if_settled(readings, c, chunk_tally(readings->header, copy, c));
		open += !done[c];
	}
	return open;
}

bool settle_slot(const struct image_place *place, const struct pm_header *header, uint32_t number,
		 unsigned char *copy, unsigned char *scratch, bool *ret_gone, uint32_t *ret_unsettled,
		 struct failure *why)
{
	struct readings readings = { .header = header };
	uint8_t done[CLASS_COUNT_MAX] = { 0 };
	uint32_t open = 0;

	for (int i = 0; i < READINGS; i++)
		readings.chunk[i] = scratch + (size_t)i * header->chunk_bytes;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (!read_thrice(place, number, &readings, why))
			return false;
		*ret_gone = !same_owner(copy, readings.chunk[READINGS - 1]);
		open = *ret_gone ? 0 : take_settled(&readings, copy, done);
		if (!open)
			break;
	}
	*ret_unsettled = open;
	return true;
}
