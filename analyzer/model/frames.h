/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the return addresses that the stacks of a segment are made of, each with its caller.
 *
 * Here each chain ends: a caller that is nobody's number, a circle and what is deeper than FRAME_DEPTH_MAX were
 * cut, and counted.
 */
#ifndef POOLMEM_MODEL_FRAMES_H
#define POOLMEM_MODEL_FRAMES_H

#include "source/image.h"

enum { FRAME_DEPTH_MAX = 1024 };

struct frame {
	uint64_t address;    /* 0: not written yet */
	uint32_t caller;     /* index in `list`; 0: the outermost that is known */
	uint32_t generation; /* of the modules it was seen in */
};

struct frames {
	struct frame *list; /* 0 is nobody */
	uint32_t count;     /* with nobody */
	uint32_t torn;      /* callers that were cut */
	uint32_t *begin; /* by chunk: the index of its frame 0; it has those up to the next one's */
	uint32_t chunk_count;
};

void frames_read(const struct image *image, struct frames *ret);
void frames_free(struct frames *frames);

/* The number of the frame at an index; 0 of nobody. */
uint32_t frames_number(const struct frames *frames, uint32_t index);

/* The index of the frame with this number; 0 where none was written. */
uint32_t frames_find(const struct frames *frames, uint32_t number);

#endif
