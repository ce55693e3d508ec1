/* SPDX-License-Identifier: MIT */
/*
 * sites.c: room for frames and for rows of sites, in the first half of the segment.  Its callers see to it that they
 * come one at a time.
 */
#include "segment/segment.h"

#include "sys/memory.h"

/* The first page of a chunk is present from the start; each further one when the first record reaches into it. */
static bool make_room(void *chunk, const void *record, size_t bytes)
{
	size_t begin = (size_t)((const char *)record - (char *)chunk), end = begin + bytes;
	return (begin - 1) / MEMORY_PAGE == (end - 1) / MEMORY_PAGE || segment_present(chunk, end);
}

/* The chunk that frames of this process go to; a forked child does not write to its parent's. */
static struct {
	uint32_t process, number, used;
} frames;

static bool begin_frames(uint32_t process)
{
	uint32_t number = segment_is_half_full() ? 0 : segment_add(process, 0, MEMORY_PAGE);
	if (!number)
		return false;
	struct pm_frames *chunk = segment_chunk(number);
	chunk->frame_stride = sizeof chunk->frame[0];
	chunk->frame_room = PM_FRAME_ROOM;
	segment_commit(number, PM_CHUNK_FRAMES);
	frames.process = process;
	frames.number = number;
	frames.used = 0;
	return true;
}

uint32_t segment_add_frame(uint32_t process, const struct pm_frame *frame)
{
	if ((frames.process != process || frames.used == PM_FRAME_ROOM) && !begin_frames(process))
		return 0;
	struct pm_frames *chunk = segment_chunk(frames.number);
	struct pm_frame *to = &chunk->frame[frames.used];
	if (!make_room(chunk, to, sizeof *to))
		return 0;
	to->caller = frame->caller;
	to->generation = frame->generation;
	__atomic_store_n(&to->address, frame->address, __ATOMIC_RELEASE);
	return frames.number * PM_FRAME_IDS + frames.used++;
}

/* What was emptied was so when the process began, and what is half full stays so: that is looked through once. */
static bool begin_rows(uint32_t process, struct segment_rows *rows)
{
	bool is_first = rows->process != process;
	uint32_t number = is_first ? segment_emptied(process, PM_CHUNK_SITES) : 0;
	if (!number && !segment_is_half_full())
		number = segment_add(process, 0, MEMORY_PAGE);
	rows->process = process;
	rows->used = PM_SITE_ROOM;
	if (!number)
		return false;
	struct pm_sites *chunk = segment_chunk(number);
	chunk->row_stride = sizeof chunk->row[0];
	chunk->row_room = PM_SITE_ROOM;
	__atomic_store_n(&chunk->chunk.used_bytes, (uint32_t)offsetof(struct pm_sites, row),
			 __ATOMIC_RELEASE);
	segment_commit(number, PM_CHUNK_SITES);
	rows->number = number;
	rows->used = 0;
	return true;
}

struct pm_site *segment_add_row(uint32_t process, struct segment_rows *rows,
				const struct pm_site *row)
{
	if ((rows->process != process || rows->used == PM_SITE_ROOM) && !begin_rows(process, rows))
		return NULL;
	struct pm_sites *chunk = segment_chunk(rows->number);
	struct pm_site *to = &chunk->row[rows->used];
	uint32_t end = (uint32_t)((char *)(to + 1) - (char *)chunk);
	if (!make_room(chunk, to, sizeof *to))
		return NULL;
	*to = *row;
	rows->used++;
	__atomic_store_n(&chunk->chunk.used_bytes, end, __ATOMIC_RELEASE);
	return to;
}

struct rows_visit {
	uint32_t process;
	void (*visit)(struct pm_site *, void *);
	void *context;
};

static void visit_rows(struct pm_sites *chunk, const struct rows_visit *visit)
{
	uint32_t used = __atomic_load_n(&chunk->chunk.used_bytes, __ATOMIC_ACQUIRE);
	for (struct pm_site *row = chunk->row;
	     (uint32_t)((char *)(row + 1) - (char *)chunk) <= used; row++)
		visit->visit(row, visit->context);
}

static bool visit_chunk(struct pm_chunk *chunk, void *context)
{
	const struct rows_visit *visit = context;
	if (chunk->process == visit->process)
		visit_rows((struct pm_sites *)chunk, visit);
	return false;
}

void segment_each_row(uint32_t process, void (*visit)(struct pm_site *, void *), void *context)
{
	struct rows_visit rows = {process, visit, context};
	segment_find(PM_CHUNK_SITES, visit_chunk, &rows);
}
