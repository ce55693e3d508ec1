/* SPDX-License-Identifier: MIT */
/* settle.c: see settle.h. */
#include "source/settle.h"

#include "source/chunk.h"

#include <stddef.h>
#include <string.h>

enum { ROUNDS_MAX = 1000, FREES_ROUNDS = 20, TIMELINE_ROUNDS = 100 };

/* What of a tally is read together; of one class in four a line of the cache ends in it. */
struct countdown {
	int64_t left, limit[2];
};

static struct countdown countdown_in(const struct pm_header *header, const unsigned char *chunk,
				     uint32_t size_class)
{
	struct countdown countdown;
	memcpy(&countdown, chunk_tally(header, chunk, size_class), sizeof countdown);
	return countdown;
}

static uint64_t allocated(const struct countdown *countdown)
{
	return (uint64_t)countdown->limit[countdown->left & 1] - (uint64_t)(countdown->left >> 8);
}

static bool holds(const struct countdown *first, const struct countdown *second)
{
	int side = first->left & 1;
	uint8_t slow_calls = (uint8_t)((uint8_t)second->left - (uint8_t)first->left);

	return slow_calls <= 1 && first->limit[side] == second->limit[side] &&
	       (int64_t)(allocated(second) - allocated(first)) >= 0;
}

static void put(const struct countdown *countdown, struct pm_tally *copy)
{
	memcpy(copy, countdown, sizeof *countdown);
}

/*
 * What a thread has allocated is at most one more than the last limit it was given; where each allocation is a slow call
 * more, but there the limit seldom changes, and a reading of it holds.
 */
static struct countdown at_limit(struct countdown countdown)
{
	countdown.left = (countdown.limit[1] > countdown.limit[0]) - PM_LEFT_STEP;
	return countdown;
}

/* One class alone, until it holds still. */
static bool settle_class(const struct image_place *place, uint64_t offset, struct pm_tally *copy,
			 bool *ret_settled, struct failure *why)
{
	struct countdown first, second;

	*ret_settled = false;
	for (int round = 0; round < ROUNDS_MAX && !*ret_settled; round++) {
		if (!input_read(place->input, offset, &first, sizeof first, why) ||
		    !input_read(place->input, offset, &second, sizeof second, why))
			return false;
		*ret_settled = holds(&first, &second);
	}
	first = *ret_settled ? first : at_limit(first);
	put(&first, copy);
	return true;
}

static bool settle_classes(const struct image_place *place, const struct pm_header *header,
			   uint64_t offset, unsigned char *copy, unsigned char *const reading[],
			   uint32_t *ret_unsettled, struct failure *why)
{
	*ret_unsettled = 0;
	for (uint32_t c = 0; c < header->classes.count; c++) {
		struct countdown first = countdown_in(header, reading[0], c);
		struct countdown second = countdown_in(header, reading[1], c);
		struct pm_tally *tally = chunk_tally(header, copy, c);
		uint64_t at = offset + header->tally_offset + (uint64_t)c * header->tally_stride;
		bool settled = holds(&first, &second);
		if (settled)
			put(&first, tally);
		else if (!settle_class(place, at, tally, &settled, why))
			return false;
		*ret_unsettled += !settled;
	}
	return true;
}

bool settle_slot(const struct image_place *place, const struct pm_header *header, uint32_t number,
		 unsigned char *copy, unsigned char *scratch, bool *ret_gone,
		 uint32_t *ret_unsettled, struct failure *why)
{
	size_t bytes = header->chunk_bytes;
	uint64_t offset = place->offset + (uint64_t)number * bytes;
	unsigned char *const reading[SETTLE_CHUNKS] = {scratch, scratch + bytes};

	*ret_unsettled = 0;
	if (!input_read(place->input, offset, reading[0], bytes, why))
		return false;
	*ret_gone = !chunk_same_owner(copy, reading[0]);
	memcpy(reading[1], reading[0], bytes);
	chunk_fold_frees(header, reading[1]);
	if (*ret_gone || chunk_same_tallies(header, copy, reading[1]))
		return true;
	if (!input_read(place->input, offset, reading[1], bytes, why))
		return false;
	*ret_gone = !chunk_same_owner(copy, reading[1]);
	return *ret_gone || settle_classes(place, header, offset, copy, reading, ret_unsettled, why);
}

/* --- frees ------------------------------------------------------------------------------------------- */

static size_t freed_bytes(const struct pm_header *header)
{
	return header->ages.count * sizeof(uint64_t);
}

static bool same_frees(const struct pm_header *header, const struct pm_tally *left,
		       const struct pm_tally *right)
{
	return memcmp(left->freed, right->freed, freed_bytes(header)) == 0;
}

/* Words of a record that was changed, `recent` and then `moving`. */
static bool read_recent(const struct image_place *place, uint64_t at, uint64_t recent[2],
			struct failure *why)
{
	return input_read(place->input, at, &recent[0], sizeof *recent, why) &&
	       input_read(place->input, at + sizeof *recent, &recent[1], sizeof *recent, why);
}

/* One class alone.  `freed` is the newest; room: for its words. */
static bool settle_frees_of(const struct image_place *place, const struct pm_header *header,
			    uint64_t offset, struct pm_tally *tally, struct pm_tally *room,
			    struct failure *why)
{
	uint64_t *recent = chunk_recent(header, tally);
	uint64_t words = offset + offsetof(struct pm_tally, freed);
	bool settled = false;

	for (int round = 0; round < FREES_ROUNDS && !settled; round++) {
		if (!read_recent(place, words + freed_bytes(header), recent, why) ||
		    !input_read(place->input, words, room->freed, freed_bytes(header), why))
			return false;
		settled = same_frees(header, tally, room);
		memcpy(tally->freed, room->freed, freed_bytes(header));
	}
	if (!settled)
		recent[0] = recent[1] = 0;
	return true;
}

enum word { RECENT, MOVING };

static void take_word(const struct pm_header *header, unsigned char *chunk, unsigned char *reading,
		      enum word word)
{
	for (uint32_t c = 0; c < header->classes.count; c++)
		chunk_recent(header, chunk_tally(header, chunk, c))[word] = chunk_recent(
			header, chunk_tally(header, reading, c))[word];
}

static bool settle_frees_where_changed(const struct image_place *place,
				       const struct pm_header *header, uint64_t offset,
				       unsigned char *chunk, unsigned char *last,
				       struct failure *why)
{
	for (uint32_t c = 0; c < header->classes.count; c++) {
		struct pm_tally *tally = chunk_tally(header, chunk, c);
		struct pm_tally *room = chunk_tally(header, last, c);
		uint64_t at = offset + header->tally_offset + (uint64_t)c * header->tally_stride;
		if (same_frees(header, tally, room))
			continue;
		memcpy(tally->freed, room->freed, freed_bytes(header));
		if (!settle_frees_of(place, header, at, tally, room, why))
			return false;
	}
	return true;
}

/* What has changed since `chunk` was read, of which the second reading is in `scratch`. */
static bool settle_changed_frees(const struct image_place *place, const struct pm_header *header,
				 uint64_t offset, unsigned char *chunk, unsigned char *scratch,
				 struct failure *why)
{
	take_word(header, chunk, scratch, RECENT);
	if (!input_read(place->input, offset, scratch, header->chunk_bytes, why))
		return false;
	take_word(header, chunk, scratch, MOVING);
	return input_read(place->input, offset, scratch, header->chunk_bytes, why) &&
	       settle_frees_where_changed(place, header, offset, chunk, scratch, why);
}

bool settle_frees(const struct image_place *place, const struct pm_header *header, uint32_t number,
		  unsigned char *chunk, unsigned char *scratch, struct failure *why)
{
	uint64_t offset = place->offset + (uint64_t)number * header->chunk_bytes;

	if (!header->classes.count || !chunk_recent(header, chunk_tally(header, chunk, 0)))
		return true;
	if (!input_read(place->input, offset, scratch, header->chunk_bytes, why))
		return false;
	if (!chunk_same_tallies(header, chunk, scratch) &&
	    !settle_changed_frees(place, header, offset, chunk, scratch, why))
		return false;
	chunk_fold_frees(header, chunk);
	return true;
}

/* What a state names stays as long as it is in force. */
bool settle_timeline(const struct image_place *place, const struct pm_header *header,
		     uint32_t number, unsigned char *copy, struct failure *why)
{
	struct pm_timeline *timeline = (void *)copy;
	uint64_t offset = place->offset + (uint64_t)number * header->chunk_bytes;
	uint64_t now;

	if (timeline->chunk.kind != PM_CHUNK_TIMELINE)
		return true;
	for (int round = 0; round < TIMELINE_ROUNDS; round++) {
		if (!input_read(place->input, offset + offsetof(struct pm_timeline, state), &now,
				sizeof now, why))
			return false;
		if (now == timeline->state)
			return true;
		if (!input_read(place->input, offset, copy, header->chunk_bytes, why))
			return false;
	}
	timeline->state = 0;
	return true;
}
