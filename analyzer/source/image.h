/* SPDX-License-Identifier: MIT */
/*
 * image.h: one segment, copied chunk by chunk and verified; what is in here may be trusted.
 *
 * A segment whose program runs is read so that its counts agree (see frees.h, settle.h), and again, a
 * bounded number of times, while they are far apart.  A copy takes little more memory than the chunks in
 * use take in the file; there are at most two.
 */
#ifndef POOLMEM_SOURCE_IMAGE_H
#define POOLMEM_SOURCE_IMAGE_H

#include "source/header.h"
#include "source/input.h"

/* Where a chunk is, for walks by kind and process. */
struct image_entry {
	uint32_t kind, process, sequence, number;
};

struct image_amount {
	uint64_t blocks, bytes;
};

struct image {
	struct pm_header header;
	struct pm_class *classes; /* header.classes.count */
	struct pm_age *ages;      /* header.ages.count */
	uint32_t chunk_count;
	unsigned char **chunks;      /* copies of chunks worth keeping by number; NULL: others */
	struct image_entry *entries; /* the copies, sorted by kind, process, sequence, number */
	uint32_t entry_count;
	/* By number: frees in a copy that may have come after the allocations were read. */
	struct image_amount *drift;
	uint32_t unsettled; /* tallies that did not hold still: their counts may be off */
};

/* The bytes of a file that hold a segment. */
struct image_place {
	const struct input *input;
	uint64_t offset, bytes;
	bool is_moving; /* its program may be running */
};

bool image_load(const struct image_place *place, struct image *ret, struct failure *why);
void image_free(struct image *image);

/* The entries of a kind and process: a run of *ret_count from the one returned. */
const struct image_entry *image_entries(const struct image *image, enum pm_chunk_kind kind,
					uint32_t process, uint32_t *ret_count);

/* Copies header and leader's process record alone: enough to know whose a segment is. */
bool image_peek(const struct input *input, struct pm_header *ret_header,
		struct pm_process *ret_leader, struct failure *why);

/* Empty, or without a whole header: its program is starting, or died while it did. */
bool image_is_blank(const struct input *input);

/*
 * allocations = limit[left & 1] - (left >> 8).  Below 0 of a thread that has given blocks of others another size: the sum over
 * slots counts.
 */
static inline int64_t tally_allocated(const struct pm_tally *tally)
{
	return (int64_t)((uint64_t)tally->limit[tally->left & 1] - (uint64_t)(tally->left >> 8));
}

#endif
