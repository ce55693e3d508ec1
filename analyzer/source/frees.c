/* SPDX-License-Identifier: MIT */
/* frees.c: see frees.h. */
#include "source/frees.h"

#include "source/chunk.h"
#include "source/settle.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

/* What the frees of pass C may still take: blocks by process and class. */
struct frees_room {
	int64_t *left; /* image->chunk_count times classes.count */
};

/* scratch: another chunk. */
static bool read_chunk(const struct image_place *place, const struct image *image, uint32_t number,
		       unsigned char *chunk, unsigned char *scratch, struct failure *why)
{
	size_t bytes = image->header.chunk_bytes;
	return input_read(place->input, place->offset + (uint64_t)number * bytes, chunk, bytes,
			  why) &&
	       settle_frees(place, &image->header, number, chunk, scratch, why);
}

bool frees_before(const struct image_place *place, struct image *image, uint32_t number,
		  unsigned char *scratch, struct failure *why)
{
	unsigned char *copy = image->chunks[number];
	uint32_t offset = image->header.tally_offset;
	size_t bytes = (size_t)image->header.classes.count * image->header.tally_stride;

	if (!read_chunk(place, image, number, scratch, scratch + image->header.chunk_bytes, why))
		return false;
	if (!chunk_same_owner(copy, scratch))
		return true; /* pass B drops it */
	memcpy(copy + offset, scratch + offset, bytes);
	return true;
}

/* Not indexed by its type: the array may be longer than this program knows. */
static uint64_t *freed_at(struct pm_tally *tally, uint32_t age)
{
	return (uint64_t *)(void *)((char *)tally + offsetof(struct pm_tally, freed)) + age;
}

static uint64_t freed(const struct image *image, struct pm_tally *tally)
{
	uint64_t count = 0;
	for (uint32_t age = 0; age < image->header.ages.count; age++)
		count += *freed_at(tally, age);
	return count;
}

static const struct pm_slot *slot_in(const struct image *image, uint32_t number)
{
	const struct pm_slot *slot = (const void *)image->chunks[number];
	return slot && slot->chunk.kind == PM_CHUNK_SLOT ? slot : NULL;
}

/* A child frees what it inherited, of whichever class that was. */
static bool has_inherited(const struct image *image, uint32_t process)
{
	const struct pm_slot *leader = slot_in(image, process);
	return !leader || leader->process.inherited_blocks;
}

static int64_t *left_of(const struct frees_room *room, const struct image *image, uint32_t process)
{
	return room->left + (size_t)process * image->header.classes.count;
}

static void room_open(const struct image *image, struct frees_room *ret)
{
	ret->left = allocate((size_t)image->chunk_count * image->header.classes.count,
			     sizeof *ret->left);
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		const struct pm_slot *slot = slot_in(image, n);
		if (!slot || slot->chunk.process >= image->chunk_count)
			continue;
		int64_t *left = left_of(ret, image, slot->chunk.process);
		for (uint32_t c = 0; c < image->header.classes.count; c++) {
			struct pm_tally *tally = chunk_tally(&image->header, image->chunks[n], c);
			uint64_t live = (uint64_t)tally_allocated(tally) - freed(image, tally);
			left[c] = (int64_t)((uint64_t)left[c] + live);
		}
	}
}

/* Moves the frees of a class from A towards C, while there is room.  Returns by how many. */
static uint64_t move_on(const struct image *image, struct pm_tally *copy, struct pm_tally *now,
			bool is_limited, int64_t *left)
{
	uint64_t moved = 0;

	for (uint32_t age = 0; age < image->header.ages.count; age++) {
		uint64_t before = *freed_at(copy, age), after = *freed_at(now, age);
		uint64_t step = after > before ? after - before : 0;
		if (is_limited && *left < 0)
			step = 0;
		else if (is_limited && step > (uint64_t)*left)
			step = (uint64_t)*left;
		*freed_at(copy, age) += step;
		*left = (int64_t)((uint64_t)*left - step);
		moved += step;
	}
	return moved;
}

static void add(struct image_amount *amount, const struct pm_class *size_class, uint64_t count)
{
	bool counts_bytes = size_class->kind == PM_CLASS_LARGE_BYTES;
	uint64_t unit = counts_bytes ? 1 : size_class->block_bytes;

	amount->blocks += counts_bytes || !size_class->kind ? 0 : count;
	amount->bytes += size_class->kind ? count * unit : 0;
}

static void raise_to(uint64_t *peak, uint64_t now)
{
	*peak = now > *peak ? now : *peak;
}

/* What is bounded by the peaks must not be newer than they are. */
static void raise_peaks(struct pm_process *record, const struct pm_process *now)
{
	raise_to(&record->live_peak_bytes, now->live_peak_bytes);
	raise_to(&record->peak_bound_bytes, now->peak_bound_bytes);
	record->peak_excess_bytes = now->peak_excess_bytes;
	raise_to(&record->committed_peak_bytes, now->committed_peak_bytes);
}

static void take_slot(struct image *image, uint32_t number, const unsigned char *now,
		      const struct frees_room *room)
{
	unsigned char *copy = image->chunks[number];
	struct pm_slot *slot = (void *)copy;
	bool is_limited = !has_inherited(image, slot->chunk.process);
	int64_t *left = left_of(room, image, slot->chunk.process);

	for (uint32_t c = 0; c < image->header.classes.count; c++)
		add(&image->drift[number], &image->classes[c],
		    move_on(image, chunk_tally(&image->header, copy, c),
			    chunk_tally(&image->header, now, c), is_limited, &left[c]));
	raise_peaks(&slot->process, &((const struct pm_slot *)(const void *)now)->process);
}

bool frees_after(const struct image_place *place, const struct image *image, uint32_t number,
		 struct frees_later *later, bool *ret_gone, struct failure *why)
{
	const unsigned char *copy = image->chunks[number];
	unsigned char *now = later->spare;

	if (!read_chunk(place, image, number, now, later->scratch, why))
		return false;
	*ret_gone = !chunk_same_owner(copy, now) ||
		    ((const struct pm_chunk *)(const void *)now)->process >= image->chunk_count;
	if (*ret_gone || chunk_same_tallies(&image->header, copy, now))
		return true;
	later->chunks[number] = now;
	later->spare = allocate(1, image->header.chunk_bytes);
	return true;
}

void frees_later_begin(const struct image *image, struct frees_later *ret)
{
	ret->chunks = allocate(image->chunk_count, sizeof *ret->chunks);
	ret->spare = allocate(1, image->header.chunk_bytes);
	ret->scratch = allocate(1, image->header.chunk_bytes);
}

void frees_later_end(struct frees_later *later, struct image *image)
{
	struct frees_room room;

	room_open(image, &room);
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		if (later->chunks[n] && image->chunks[n])
			take_slot(image, n, later->chunks[n], &room);
		free(later->chunks[n]);
	}
	free(room.left);
	free(later->chunks);
	free(later->spare);
	free(later->scratch);
}

struct image_amount frees_drift(const struct image *image)
{
	struct image_amount drift = {0, 0};
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		drift.blocks += image->drift[n].blocks;
		drift.bytes += image->drift[n].bytes;
	}
	return drift;
}

/* Of a slot that frees other threads' blocks it is below zero: the sum counts. */
struct image_amount frees_live(const struct image *image)
{
	struct image_amount live = {0, 0};
	for (uint32_t n = 1; n < image->chunk_count; n++) {
		for (uint32_t c = 0; slot_in(image, n) && c < image->header.classes.count; c++) {
			struct pm_tally *tally = chunk_tally(&image->header, image->chunks[n], c);
			add(&live, &image->classes[c],
			    (uint64_t)tally_allocated(tally) - freed(image, tally));
		}
	}
	return live;
}
