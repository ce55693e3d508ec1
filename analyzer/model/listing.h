/* SPDX-License-Identifier: MIT */
/* listing.h: the segments of this user, one row each. */
#ifndef POOLMEM_MODEL_LISTING_H
#define POOLMEM_MODEL_LISTING_H

#include "model/process.h"
#include "source/directory.h"
#include "source/life.h"

struct listing_row {
	struct segment_name name;
	enum life life;           /* of its processes together */
	uint64_t age_ns;          /* since it was created */
	uint64_t allocated_bytes; /* of the file's blocks */
	bool is_blank;            /* empty, or without a whole header */
	bool is_readable;         /* what follows is known */
	struct failure why;       /* else */
	enum process_state state; /* of its leader */
	int64_t exit_status;
	char *exe;                           /* NULL: not recorded */
	uint64_t allocations, process_count; /* of all its processes */
};

struct listing {
	struct directory directory;
	struct listing_row *rows; /* newest first */
	size_t count;
};

/* is_deep: reads each segment; else rows tell name, life, age and size alone. */
bool listing_open(bool is_deep, struct listing *ret, struct failure *why);
void listing_close(struct listing *listing);

#endif
