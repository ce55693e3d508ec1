/* SPDX-License-Identifier: MIT */
/* chunk.c: see chunk.h. */
#include "source/chunk.h"

#include <stddef.h>
#include <string.h>

static bool damaged(struct failure *why, uint32_t number, const char *field, uint32_t value)
{
	return fail(why, FAILURE_UNREADABLE, "damaged: chunk %u says %s %u", number, field, value);
}

static bool verify_slot(uint32_t number, const unsigned char *chunk, struct failure *why)
{
	const struct pm_slot *slot = (const void *)chunk;
	if (slot->use > PM_SLOT_DEPARTED)
		return damaged(why, number, "use", slot->use);
	return true;
}

static bool verify_facts(const struct pm_header *header, uint32_t number,
			 const struct pm_chunk *chunk, struct failure *why)
{
	if (chunk->used_bytes > header->chunk_bytes - sizeof *chunk)
		return damaged(why, number, "used_bytes", chunk->used_bytes);
	return true;
}

/* Behind the opening: two tables of survivors, what the process began with, sweeps. */
static size_t table_bytes(const struct pm_survival *survival)
{
	return offsetof(struct pm_survivor_table, of) +
	       (size_t)survival->class_room * sizeof(struct pm_survivors);
}

static size_t began_offset(const struct pm_survival *survival)
{
	return offsetof(struct pm_survival, table) + 2 * table_bytes(survival);
}

static bool verify_survival(const struct pm_header *header, uint32_t number,
			    const unsigned char *chunk, struct failure *why)
{
	const struct pm_survival *survival = (const void *)chunk;
	uint64_t most = header->chunk_bytes, classes = survival->class_room;

	if (!classes)
		return true; /* emptied: its process is gone */
	if (classes < header->classes.count || classes > most)
		return damaged(why, number, "class_room", survival->class_room);
	if (survival->sweep_room > most ||
	    began_offset(survival) + classes * 3 * sizeof(uint64_t) +
			    (uint64_t)survival->sweep_room * sizeof(struct pm_sweep) >
		    most)
		return damaged(why, number, "sweep_room", survival->sweep_room);
	return true;
}

static size_t frozen_offset(const struct pm_survival *survival)
{
	return began_offset(survival) + (size_t)survival->class_room * 3 * sizeof(uint64_t) +
	       (size_t)survival->sweep_room * sizeof(struct pm_sweep);
}

static bool verify_marks(const struct pm_header *header, uint32_t number,
			 const unsigned char *chunk, struct failure *why)
{
	const struct pm_marks *marks = (const void *)chunk;
	size_t most = header->chunk_bytes - offsetof(struct pm_marks, mark);

	if (!marks->room)
		return true; /* emptied: its process is gone */
	if (marks->mark_stride < sizeof(struct pm_mark) || marks->mark_stride % 8 ||
	    marks->mark_stride > most)
		return damaged(why, number, "mark_stride", marks->mark_stride);
	if (marks->room > most / marks->mark_stride)
		return damaged(why, number, "room", marks->room);
	return true;
}

/* Records of `stride` bytes, `room` of them, behind `offset`. */
static bool verify_records(const struct pm_header *header, size_t offset, size_t known_bytes,
			   uint32_t stride, uint32_t room)
{
	size_t most = header->chunk_bytes - offset;
	return stride >= known_bytes && stride % 8 == 0 && stride <= most && room <= most / stride;
}

static bool verify_frames(const struct pm_header *header, uint32_t number,
			  const unsigned char *chunk, struct failure *why)
{
	const struct pm_frames *frames = (const void *)chunk;
	size_t offset = offsetof(struct pm_frames, frame), known = sizeof(struct pm_frame);

	if (!frames->frame_room)
		return true; /* not laid out yet */
	if (!verify_records(header, offset, known, frames->frame_stride, 1))
		return damaged(why, number, "frame_stride", frames->frame_stride);
	if (!verify_records(header, offset, known, frames->frame_stride, frames->frame_room) ||
	    frames->frame_room > PM_FRAME_IDS)
		return damaged(why, number, "frame_room", frames->frame_room);
	return true;
}

static bool verify_sites(const struct pm_header *header, uint32_t number,
			 const unsigned char *chunk, struct failure *why)
{
	const struct pm_sites *sites = (const void *)chunk;
	size_t offset = offsetof(struct pm_sites, row), known = offsetof(struct pm_site, then);

	if (!sites->row_room)
		return true; /* emptied: its process is gone */
	if (!verify_records(header, offset, known, sites->row_stride, 1))
		return damaged(why, number, "row_stride", sites->row_stride);
	if (!verify_records(header, offset, known, sites->row_stride, sites->row_room))
		return damaged(why, number, "row_room", sites->row_room);
	if (sites->chunk.used_bytes > header->chunk_bytes)
		return damaged(why, number, "used_bytes", sites->chunk.used_bytes);
	return true;
}

/* Two open moments, and two halves of `room`. */
static bool verify_timeline(const struct pm_header *header, uint32_t number,
			    const unsigned char *chunk, struct failure *why)
{
	const struct pm_timeline *timeline = (const void *)chunk;
	size_t offset = offsetof(struct pm_timeline, open), known = sizeof(struct pm_moment);

	if (!timeline->room)
		return true; /* emptied: its process is gone */
	if (!verify_records(header, offset, known, timeline->moment_stride, 2))
		return damaged(why, number, "moment_stride", timeline->moment_stride);
	if (timeline->room > header->chunk_bytes ||
	    !verify_records(header, offset, known, timeline->moment_stride, 2 + 2 * timeline->room))
		return damaged(why, number, "room", timeline->room);
	return true;
}

/* Not by its type: the arrays may be longer or shorter than those that this program knows. */
static const struct pm_survivor_table *newest_table(const unsigned char *chunk)
{
	const struct pm_survival *survival = (const void *)chunk;
	const unsigned char *first = chunk + offsetof(struct pm_survival, table);
	const struct pm_survivor_table *a = (const void *)first;
	const struct pm_survivor_table *b = (const void *)(first + table_bytes(survival));
	return b->epoch > a->epoch ? b : a;
}

/* Older libraries have no room for them, and freeze nothing. */
static struct pm_frozen frozen_of(const struct pm_header *header, const unsigned char *chunk,
				  uint32_t size_class)
{
	const struct pm_survival *survival = (const void *)chunk;
	size_t offset = frozen_offset(survival);
	struct pm_frozen frozen = {0};

	if (offset + (size_t)survival->class_room * sizeof frozen <= header->chunk_bytes)
		memcpy(&frozen, chunk + offset + (size_t)size_class * sizeof frozen, sizeof frozen);
	return frozen;
}

struct survivors chunk_survivors(const struct pm_header *header, const unsigned char *chunk,
				 uint32_t size_class)
{
	const unsigned char *table = (const void *)newest_table(chunk);
	const unsigned char *began = chunk + began_offset((const void *)chunk);
	struct survivors result;

	memcpy(&result.at_sweep,
	       table + offsetof(struct pm_survivor_table, of) +
		       (size_t)size_class * sizeof result.at_sweep,
	       sizeof result.at_sweep);
	memcpy(result.began, began + (size_t)size_class * sizeof result.began, sizeof result.began);
	result.frozen = frozen_of(header, chunk, size_class);
	return result;
}

uint64_t chunk_uncertain(const unsigned char *chunk)
{
	return ((const struct pm_survival *)(const void *)chunk)->uncertain;
}

uint32_t chunk_marks(const unsigned char *chunk, uint32_t *ret_made)
{
	const struct pm_marks *marks = (const void *)chunk;

	*ret_made = marks->made;
	return marks->made < marks->room ? marks->made : marks->room;
}

struct pm_mark chunk_mark(const unsigned char *chunk, uint32_t index)
{
	const struct pm_marks *marks = (const void *)chunk;
	struct pm_mark mark;

	memcpy(&mark, chunk + offsetof(struct pm_marks, mark) + (size_t)index * marks->mark_stride,
	       sizeof mark);
	mark.name[PM_MARK_NAME - 1] = 0;
	return mark;
}

static uint32_t points_of(const struct pm_timeline *timeline)
{
	uint32_t count = (uint32_t)(timeline->state & 0xffff);
	return count < timeline->room ? count : timeline->room;
}

uint32_t chunk_moments(const unsigned char *chunk)
{
	const struct pm_timeline *timeline = (const void *)chunk;
	return timeline->state && timeline->room ? points_of(timeline) + 1 : 0;
}

/* As struct pm_timeline has it: the open one is the last. */
struct pm_moment chunk_moment(const unsigned char *chunk, uint32_t index)
{
	const struct pm_timeline *timeline = (const void *)chunk;
	uint32_t half = timeline->state >> 16 & 1, open = timeline->state >> 17 & 1;
	uint32_t place = index < points_of(timeline) ? 2 + half * timeline->room + index : open;
	struct pm_moment moment;

	memcpy(&moment,
	       chunk + offsetof(struct pm_timeline, open) + (size_t)place * timeline->moment_stride,
	       sizeof moment);
	return moment;
}

uint32_t chunk_frames(const unsigned char *chunk)
{
	return ((const struct pm_frames *)(const void *)chunk)->frame_room;
}

struct pm_frame chunk_frame(const unsigned char *chunk, uint32_t index)
{
	const struct pm_frames *frames = (const void *)chunk;
	struct pm_frame frame;

	memcpy(&frame,
	       chunk + offsetof(struct pm_frames, frame) + (size_t)index * frames->frame_stride,
	       sizeof frame);
	return frame;
}

uint32_t chunk_sites(const unsigned char *chunk)
{
	const struct pm_sites *sites = (const void *)chunk;
	size_t begin = offsetof(struct pm_sites, row), end = sites->chunk.used_bytes;
	size_t rows = end > begin ? (end - begin) / sites->row_stride : 0;

	return rows < sites->row_room ? (uint32_t)rows : sites->row_room;
}

struct pm_site chunk_site(const unsigned char *chunk, uint32_t index)
{
	const struct pm_sites *sites = (const void *)chunk;
	struct pm_site site = {.frame = 0};
	size_t bytes = sites->row_stride < sizeof site ? sites->row_stride : sizeof site;

	memcpy(&site, chunk + offsetof(struct pm_sites, row) + (size_t)index * sites->row_stride,
	       bytes);
	return site;
}

bool chunk_verify(const struct pm_header *header, uint32_t number, const unsigned char *chunk,
		  struct failure *why)
{
	const struct pm_chunk *opening = (const void *)chunk;
	uint64_t chunk_limit = header->file_bytes / header->chunk_bytes;

	if (opening->kind == PM_CHUNK_EMPTY || opening->kind == PM_CHUNK_SPARE)
		return true;
	if (opening->kind > PM_CHUNK_SURVEY)
		return damaged(why, number, "kind", opening->kind);
	if (!opening->process || opening->process >= chunk_limit)
		return damaged(why, number, "process", opening->process);
	if (opening->kind == PM_CHUNK_SLOT || opening->kind == PM_CHUNK_DYING)
		return verify_slot(number, chunk, why);
	if (opening->kind == PM_CHUNK_FACTS || opening->kind == PM_CHUNK_SURVEY)
		return verify_facts(header, number, opening, why);
	if (opening->kind == PM_CHUNK_SURVIVAL)
		return verify_survival(header, number, chunk, why);
	if (opening->kind == PM_CHUNK_MARKS)
		return verify_marks(header, number, chunk, why);
	if (opening->kind == PM_CHUNK_FRAMES)
		return verify_frames(header, number, chunk, why);
	if (opening->kind == PM_CHUNK_SITES)
		return verify_sites(header, number, chunk, why);
	if (opening->kind == PM_CHUNK_TIMELINE)
		return verify_timeline(header, number, chunk, why);
	return true;
}

struct pm_tally *chunk_tally(const struct pm_header *header, const unsigned char *chunk,
			     uint32_t size_class)
{
	return (struct pm_tally *)(chunk + header->tally_offset +
				   (size_t)size_class * header->tally_stride);
}

uint64_t *chunk_recent(const struct pm_header *header, struct pm_tally *tally)
{
	size_t at = offsetof(struct pm_tally, freed) + header->ages.count * sizeof(uint64_t);

	if (header->tally_stride < at + 2 * sizeof(uint64_t))
		return NULL;
	return (uint64_t *)(void *)((char *)tally + at);
}

/* Ages beyond what this program knows are counted one by one. */
void chunk_fold_tally(const struct pm_header *header, struct pm_tally *tally)
{
	uint64_t *recent = chunk_recent(header, tally);
	uint32_t ages = header->ages.count < PM_RECENT_AGES ? header->ages.count : PM_RECENT_AGES;
	struct pm_tally copy = {.left = 0};

	if (!recent)
		return;
	memcpy(copy.freed, tally->freed, ages * sizeof *copy.freed);
	copy.recent = recent[0];
	copy.moving = recent[1];
	for (uint32_t age = 0; age < ages; age++)
		tally->freed[age] = pm_tally_freed(&copy, age);
	recent[0] = recent[1] = 0;
}

void chunk_fold_frees(const struct pm_header *header, unsigned char *chunk)
{
	for (uint32_t c = 0; c < header->classes.count; c++)
		chunk_fold_tally(header, chunk_tally(header, chunk, c));
}

bool chunk_same_owner(const unsigned char *copy, const unsigned char *chunk)
{
	const struct pm_chunk *before = (const void *)copy;
	const struct pm_chunk *now = (const void *)chunk;
	bool is_dying = before->kind == PM_CHUNK_SLOT && now->kind == PM_CHUNK_DYING;
	return (before->kind == now->kind || is_dying) && before->process == now->process;
}

bool chunk_same_tallies(const struct pm_header *header, const unsigned char *copy,
			const unsigned char *chunk)
{
	size_t bytes = (size_t)header->classes.count * header->tally_stride;
	return memcmp(copy + header->tally_offset, chunk + header->tally_offset, bytes) == 0;
}
