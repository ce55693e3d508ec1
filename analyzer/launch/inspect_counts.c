/* SPDX-License-Identifier: MIT */
/* inspect_counts.c: what a process has counted so far, and what came and went meanwhile.  See inspected.h. */
#include "launch/inspected.h"

#include "model/saturate.h"
#include "source/chunk.h"
#include "source/image.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { READINGS_MAX = 8 };

/* Where the tallies of a slot are read to, twice: see settle.h. */
struct readings {
	unsigned char *first, *second;
	size_t bytes;
};

static struct pm_tally *tally_in(unsigned char *tallies, const struct pm_header *header,
				 uint32_t size_class)
{
	return (void *)(tallies + (size_t)size_class * header->tally_stride);
}

/* Of two readings in a row: nothing was moved from `recent` to `freed` meanwhile. */
static bool frees_agree(const struct pm_header *header, struct pm_tally *first,
			struct pm_tally *second)
{
	const uint64_t *before = chunk_recent(header, first), *after = chunk_recent(header, second);
	size_t bytes = header->ages.count * sizeof(uint64_t);

	return !before || (!((before[0] ^ after[0]) & 1) && before[1] == after[1] &&
			   memcmp(first->freed, second->freed, bytes) == 0);
}

/* Between the two readings of it at most one slow call has begun: the first one holds. */
static bool agree(const struct pm_header *header, struct pm_tally *first, struct pm_tally *second)
{
	uint8_t calls = (uint8_t)((uint64_t)second->left - (uint64_t)first->left);
	unsigned in_force = first->left & 1;

	return calls <= 1 && second->limit[in_force] == first->limit[in_force] &&
	       frees_agree(header, first, second);
}

static void add_tally(struct block_counts *counts, const struct process *process,
		      struct pm_tally *tally, uint32_t size_class)
{
	const struct layout *layout = process->layout;
	uint32_t ages = layout->age_count < PM_AGE_COUNT ? layout->age_count : PM_AGE_COUNT;

	chunk_fold_tally(process->header, tally);
	counts->allocated[size_class] += (uint64_t)tally_allocated(tally);
	for (uint32_t age = 0; age < ages; age++)
		counts->freed[size_class] += tally->freed[age];
}

/* One that never holds still: without what is recent, which may have been moved since. */
static void forget_recent(const struct pm_header *header, struct pm_tally *tally)
{
	uint64_t *recent = chunk_recent(header, tally);

	if (recent)
		recent[0] = recent[1] = 0;
}

/* Takes the classes that agree and were not taken before.  Returns how many are left. */
static uint32_t take_settled(const struct readings *readings, const struct process *process,
			     bool taken[PM_TALLY_COUNT], bool is_last, struct block_counts *counts)
{
	const struct pm_header *header = process->header;
	uint32_t left = 0;

	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		struct pm_tally *first = tally_in(readings->first, header, c);
		bool is_settled = agree(header, first, tally_in(readings->second, header, c));
		if (!is_settled && is_last)
			forget_recent(header, first);
		if (!taken[c] && (is_settled || is_last)) {
			add_tally(counts, process, first, c);
			taken[c] = true;
		}
		left += !taken[c];
	}
	return left;
}

static bool read_slot(const struct inspected *target, uint64_t slot,
		      const struct readings *readings, struct block_counts *counts)
{
	const struct process *process = target->process;
	uint64_t tallies = slot + process->header->tally_offset;
	bool taken[PM_TALLY_COUNT] = {false};
	struct failure ignored;
	uint32_t left = 1;

	for (unsigned turn = 1; turn <= READINGS_MAX && left; turn++) {
		if (!input_read(target->segment, tallies, readings->first, readings->bytes,
				&ignored) ||
		    !input_read(target->segment, tallies, readings->second, readings->bytes,
				&ignored))
			return false;
		left = take_settled(readings, process, taken, turn == READINGS_MAX, counts);
	}
	return true;
}

static bool is_slot_of(const struct pm_slot *slot, const struct process *process)
{
	return slot->chunk.kind == PM_CHUNK_SLOT && slot->chunk.process == process->chunk &&
	       slot->use != PM_SLOT_DEPARTED;
}

/* A chunk that was handed out since the segment was read: a thread may have begun. */
static bool read_new_chunk(const struct inspected *target, uint64_t at,
			   const struct readings *readings, struct block_counts *counts)
{
	struct pm_slot *opening = allocate(1, sizeof *opening);
	struct failure ignored;
	bool done = input_read(target->segment, at, opening, offsetof(struct pm_slot, tid),
			       &ignored);

	if (done && is_slot_of(opening, target->process))
		done = read_slot(target, at, readings, counts);
	free(opening);
	return done;
}

static bool read_slots_of(const struct inspected *target, uint32_t chunks,
			  const struct readings *readings, struct block_counts *counts)
{
	const struct process *process = target->process;
	uint64_t chunk_bytes = process->header->chunk_bytes;
	bool done = true;

	for (size_t i = 0; done && i < process->slot_count; i++)
		if (process->slots[i].use != PM_SLOT_DEPARTED)
			done = read_slot(target, process->slots[i].chunk * chunk_bytes, readings,
					 counts);
	for (uint32_t n = process->header->chunks; done && n < chunks; n++)
		done = read_new_chunk(target, n * chunk_bytes, readings, counts);
	return done;
}

/* Chunks handed out by now. */
static uint32_t chunks_now(const struct inspected *target)
{
	const struct pm_header *header = target->process->header;
	uint64_t most = header->file_bytes / header->chunk_bytes;
	uint32_t chunks = 0;
	struct failure ignored;

	input_read(target->segment, offsetof(struct pm_header, chunks), &chunks, sizeof chunks,
		   &ignored);
	return chunks < most ? chunks : (uint32_t)most;
}

/*
 * From the file, not from the memory of the process: that would give it pages of the segment that it has never touched,
 * and more RSS than it has of its own.
 */
bool read_counts_of(const struct inspected *target, struct block_counts *ret)
{
	const struct process *process = target->process;
	size_t classes = process->layout->class_count;

	if (!process->header || !target->segment || classes > PM_TALLY_COUNT)
		return false;
	size_t stride = process->header->tally_stride;
	struct readings readings = {.bytes = classes * stride};
	readings.first = allocate(classes + 1, stride + sizeof(struct pm_tally));
	readings.second = allocate(classes + 1, stride + sizeof(struct pm_tally));
	*ret = (struct block_counts){{0}, {0}};
	bool done = read_slots_of(target, chunks_now(target), &readings, ret);
	free(readings.first);
	free(readings.second);
	return done;
}

/* --- two of them ------------------------------------------------------------------------------------------- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What a forked child began with, of a class; where that is not known, of all. */
static uint64_t inherited_in(const struct process *process, uint32_t c)
{
	const struct survivors *of = process->survivors ? &process->survivors[c] : NULL;

	if (of)
		return sum(sum(of->began[0], of->began[1]), of->began[2]);
	return process->layout->classes[c].kind == PM_CLASS_LARGE_BYTES
		       ? process->record.inherited_bytes
		       : process->record.inherited_blocks;
}

/*
 * Who has gone was live before and was freed since; who has come was allocated since and is live after.  So a block that
 * comes and goes all the time weighs no more than its class has live blocks.
 */
static uint64_t changed(const struct process *process, const struct block_counts *before,
			const struct block_counts *after, uint32_t c)
{
	uint64_t inherited = inherited_in(process, c);
	uint64_t live_before = excess(sum(inherited, before->allocated[c]), before->freed[c]);
	uint64_t live_after = excess(sum(inherited, after->allocated[c]), after->freed[c]);

	return sum(smaller(excess(after->freed[c], before->freed[c]), live_before),
		   smaller(excess(after->allocated[c], before->allocated[c]), live_after));
}

static void add_class(const struct pm_class *of, uint64_t blocks, uint64_t *to_blocks,
		      uint64_t *to_bytes)
{
	if (of->kind != PM_CLASS_LARGE_BYTES)
		*to_blocks = sum(*to_blocks, blocks);
	*to_bytes = sum(*to_bytes, of->kind == PM_CLASS_LARGE_BYTES
					   ? blocks
					   : product(blocks, of->block_bytes));
}

/* allocated less freed, of all classes: inherited ones that were freed make it less, so these are added once. */
void compare_counts(const struct process *process, const struct block_counts *before,
		    const struct block_counts *after, struct pm_survey_counts *ret)
{
	struct pm_survey_counts counts = {.live_blocks = 0};
	uint64_t allocated[2] = {process->record.inherited_blocks, process->record.inherited_bytes};
	uint64_t freed[2] = {0, 0};

	for (uint32_t c = 0; c < process->layout->class_count; c++) {
		const struct pm_class *of = &process->layout->classes[c];
		add_class(of, after->allocated[c], &allocated[0], &allocated[1]);
		add_class(of, after->freed[c], &freed[0], &freed[1]);
		add_class(of, changed(process, before, after, c), &counts.drift_blocks,
			  &counts.drift_bytes);
	}
	counts.live_blocks = excess(allocated[0], freed[0]);
	counts.live_bytes = excess(allocated[1], freed[1]);
	*ret = counts;
}
