/* SPDX-License-Identifier: MIT */
/*
 * advice.h: patterns of call sites that a change of the program could do without, and what that would save at most.
 *
 * A rule applies to a site when the pattern is there: of a sample, when the lower ends of its intervals say so.  What
 * it says of several stacks that begin at the same line of the program is added up.
 */
#ifndef POOLMEM_STUDY_ADVICE_H
#define POOLMEM_STUDY_ADVICE_H

#include "study/own_call.h"

enum advice_unit { ADVICE_BYTES, ADVICE_CALLS };

/*
 * X(NAME, "json key", blocks of the pattern, of all blocks, least of the first, least share of the second, saving in)
 *
 * The least numbers: a thousand calls are an epoch of the default clock, and take some ten microseconds, less is not
 * worth a change.  Of moves each may copy much: a hundred.  Ten thousand tiny blocks take 100 KiB and more.  What was
 * allocated a hundred times and never freed is no table that is made once.  The least shares: half of a site's
 * blocks is what it mostly does; of blocks that never die nine tenths are, as for the verdict.
 */
#define ADVICE_RULES(X)                                                                            \
	X(TEMPORARY, "temporary", TEMPORARY, ALLOCATED, 1000, 0.5, CALLS)                          \
	X(GROWTH, "growth", MOVED, ALLOCATED, 100, 0.5, CALLS)                                     \
	X(SLACK, "slack", ALLOCATED, ALLOCATED, 1, 0, BYTES)                                       \
	X(TINY, "tiny", LIVE, ALLOCATED, 10000, 0.9, CALLS)                                        \
	X(REMOTE, "remote", REMOTE, FREED, 1000, 0.5, CALLS)                                       \
	X(LEAKED, "leaked", LEAKED, ALLOCATED, 100, 0, BYTES)

#define ADVICE_NAME(name, key, part, whole, least, share, unit) ADVICE_##name,
enum advice_rule { ADVICE_RULES(ADVICE_NAME) ADVICE_RULE_COUNT };
#undef ADVICE_NAME

enum {
	ADVICE_PERCENT_MIN = 1, /* of all calls, or of the bytes at the peak: less is hardly seen */
	ADVICE_RECORDED_MIN = 10, /* of a sample: of many sites with fewer some lie outside their intervals */
	ADVICE_TINY_BYTES = 64,      /* asked for, on the average: a line of the cache */
	ADVICE_BYTES_MIN = 64 << 10, /* saved: a pool */
	ADVICE_MISS_SHARE = 4, /* a size just misses a class by up to a fourth of the step to its own */
};

struct advice {
	enum advice_rule rule;
	struct own_call place;
	size_t stacks;
	struct site_sums sums;               /* of these; SLACK: of their blocks of the one size */
	uint32_t block_bytes, smaller_bytes; /* SLACK: of their class, and of the next smaller one */
	struct estimate saving, one;         /* one: as in estimate.h */
	double share;                        /* of all calls, or of the bytes at the peak */
};

struct advice_list {
	struct advice *list; /* what saves most first, by share */
	size_t count, room;
};

/* Of the sites in the list; none where they are of one thread.  Study and sites must stay until the advice goes. */
void advice_make(const struct study *study, struct sites *sites, struct advice_list *ret);
void advice_free(struct advice_list *advice);

const char *advice_key(enum advice_rule rule);
enum advice_unit advice_unit(enum advice_rule rule);

/* How many blocks are of the pattern, and of how many. */
double advice_part(const struct advice *advice);
double advice_whole(const struct advice *advice);

/* Where in 95 of 100 cases lies what it saves at most. */
struct interval advice_saving(const struct advice *advice);

#endif
