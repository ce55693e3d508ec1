/* SPDX-License-Identifier: MIT */
/* frames.c: see frames.h. */
#include "model/frames.h"

#include "source/chunk.h"
#include "text/allocate.h"
#include "text/partition.h"

#include <stdlib.h>

static bool has_frames(const struct image *image, uint32_t number)
{
	const struct pm_chunk *chunk = (const void *)image->chunks[number];
	return chunk && chunk->kind == PM_CHUNK_FRAMES;
}

static void place_chunks(const struct image *image, struct frames *frames)
{
	frames->begin = allocate((size_t)image->chunk_count + 1, sizeof *frames->begin);
	frames->chunk_count = image->chunk_count;
	frames->count = 1;
	for (uint32_t n = 0; n < image->chunk_count; n++) {
		frames->begin[n] = frames->count;
		frames->count += has_frames(image, n) ? chunk_frames(image->chunks[n]) : 0;
	}
	frames->begin[image->chunk_count] = frames->count;
}

static void copy_frames(const struct image *image, struct frames *frames)
{
	frames->list = allocate(frames->count, sizeof *frames->list);
	for (uint32_t n = 0; n < image->chunk_count; n++)
		for (uint32_t i = 0; i < frames->begin[n + 1] - frames->begin[n]; i++) {
			struct pm_frame frame = chunk_frame(image->chunks[n], i);
			frames->list[frames->begin[n] + i] = (struct frame){
				frame.address, frame.caller, frame.generation};
		}
}

uint32_t frames_find(const struct frames *frames, uint32_t number)
{
	uint32_t chunk = number / PM_FRAME_IDS, index = number % PM_FRAME_IDS;

	if (chunk >= frames->chunk_count || index >= frames->begin[chunk + 1] - frames->begin[chunk])
		return 0;
	uint32_t at = frames->begin[chunk] + index;
	return frames->list[at].address ? at : 0;
}

uint32_t frames_number(const struct frames *frames, uint32_t index)
{
	if (!index || index >= frames->count)
		return 0;
	/* The last chunk that begins at or before it has it. */
	uint32_t chunk = (uint32_t)PARTITION_POINT(1, frames->chunk_count, middle,
						   frames->begin[middle] <= index) -
			 1;
	return chunk * PM_FRAME_IDS + (index - frames->begin[chunk]);
}

/* Callers by index instead of by number. */
static void link_callers(struct frames *frames)
{
	for (uint32_t i = 1; i < frames->count; i++) {
		struct frame *frame = &frames->list[i];
		uint32_t caller = frame->caller ? frames_find(frames, frame->caller) : 0;
		frames->torn += frame->address && frame->caller && !caller;
		frame->caller = caller;
	}
}

static void cut(struct frames *frames, uint32_t index)
{
	frames->list[index].caller = 0;
	frames->torn++;
}

/*
 * From `from` outwards to a frame whose depth is known, or to the outermost: what was passed on the way gets its
 * depth on the way back.  path: room for all frames.
 */
static void find_depths(struct frames *frames, uint32_t from, uint32_t *depth, uint32_t *path)
{
	enum { ON_PATH = UINT32_MAX };
	uint32_t count = 0, at = from;

	while (at && !depth[at]) {
		depth[at] = ON_PATH;
		path[count++] = at;
		at = frames->list[at].caller;
	}
	if (at && depth[at] == ON_PATH) {
		cut(frames, path[count - 1]);
		at = 0;
	}
	for (uint32_t deep = at ? depth[at] : 0; count; deep = depth[at]) {
		at = path[--count];
		if (deep == FRAME_DEPTH_MAX) {
			cut(frames, at);
			deep = 0;
		}
		depth[at] = deep + 1;
	}
}

static void bound_depths(struct frames *frames)
{
	uint32_t *depth = allocate(frames->count, sizeof *depth);
	uint32_t *path = allocate(frames->count, sizeof *path);

	for (uint32_t i = 1; i < frames->count; i++)
		find_depths(frames, i, depth, path);
	free(path);
	free(depth);
}

void frames_read(const struct image *image, struct frames *ret)
{
	struct frames frames = {.list = NULL};

	place_chunks(image, &frames);
	copy_frames(image, &frames);
	link_callers(&frames);
	bound_depths(&frames);
	*ret = frames;
}

void frames_free(struct frames *frames)
{
	free(frames->list);
	free(frames->begin);
}
