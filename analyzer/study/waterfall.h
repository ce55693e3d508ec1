/* SPDX-License-Identifier: MIT */
/*
 * waterfall.h: each resident byte of a process in exactly one part.
 *
 *   blocks and pages of the survey --> heap parts      mappings of the kernel --> what is not heap, and the sum
 *
 * Heap parts come from descriptors and pages alone, never from what the kernel's sums leave over; that is `residual`.
 */
#ifndef POOLMEM_STUDY_WATERFALL_H
#define POOLMEM_STUDY_WATERFALL_H

#include "model/process.h"

/* X(NAME, "json key", "name in tables", "meaning") */
#define WATERFALL_PARTS(X)                                                                         \
	X(REQUESTED, "requested", "requested", "asked for, in live blocks")                        \
	X(SLACK, "slack", "slack", "rounding up to block sizes")                                   \
	X(PINNED, "pinned", "pinned free", "free, beside live blocks")                             \
	X(RETAINED, "retained", "retained", "free pools, kept for a while")                        \
	X(CACHED, "cached", "thread caches", "free large blocks, kept")                            \
	X(TAIL, "tail", "tails", "ends that hold no block")                                        \
	X(META, "meta", "metadata", "descriptors and stamps")                                      \
	X(TELEMETRY, "telemetry", "telemetry", "segment, records, library")                        \
	X(OTHER, "other", "not heap", "mappings not poolmem's")

#define WATERFALL_NAME(name, key, text, meaning) WATERFALL_##name,
enum waterfall_part { WATERFALL_PARTS(WATERFALL_NAME) WATERFALL_COUNT };
#undef WATERFALL_NAME

/* Where the figures come from. */
enum waterfall_basis {
	WATERFALL_SURVEY, /* each block and each page */
	WATERFALL_MAP,    /* what was published of pools last: pages that were ever written to */
};

/* How requested bytes were told from slack. */
enum waterfall_split {
	SPLIT_EXACT,     /* each block was recorded */
	SPLIT_ESTIMATED, /* by what was recorded of blocks of the same size */
	SPLIT_NONE,      /* slack is with the requested */
};

struct waterfall_other {
	const char *name; /* of a file, or what the kernel calls it; borrowed */
	uint64_t rss;
};

struct waterfall {
	enum waterfall_basis basis;
	enum waterfall_split split;
	bool knows_rss;
	uint64_t part[WATERFALL_COUNT]; /* bytes */
	uint64_t rss, swap, huge;       /* bytes: sums over the mappings */
	int64_t residual;               /* rss less all parts */
	uint64_t absent; /* bytes of live blocks on pages that are not resident; in no part */
	struct waterfall_other *others; /* WATERFALL_OTHER by name, largest first */
	size_t other_count;
};

/* survey: NULL: there is none.  Both must stay until it goes. */
void waterfall_make(const struct process *process, const struct survey *survey,
		    struct waterfall *ret);
void waterfall_free(struct waterfall *waterfall);

/* In heap parts: all but what is not heap. */
uint64_t waterfall_heap(const struct waterfall *waterfall);

/* What the parts are parts of: what is resident, or, where that is not known, the heap. */
uint64_t waterfall_whole(const struct waterfall *waterfall);

const char *waterfall_key(enum waterfall_part part);
const char *waterfall_name(enum waterfall_part part);
const char *waterfall_meaning(enum waterfall_part part);

#endif
