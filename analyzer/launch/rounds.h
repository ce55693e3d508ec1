/* SPDX-License-Identifier: MIT */
/*
 * rounds.h: a command under each allocator, in turn: each round runs all of them once, beginning with another one each time,
 * so that what drifts meanwhile meets all alike.  Then each once more with its calls counted.
 */
#ifndef POOLMEM_LAUNCH_ROUNDS_H
#define POOLMEM_LAUNCH_ROUNDS_H

#include "launch/allocators.h"
#include "launch/bare.h"
#include "study/compare.h"
#include "text/progress.h"

struct rounds_plan {
	struct bare_plan bare; /* its environment is that of each allocator */
	const char *library;   /* libpoolmem.so, for counting */
	size_t runs;
	struct progress *progress;
};

/*
 * One run before, as the program is, does not count: it fills caches, and what it ends with is what others must end with.
 * false: it could not be run at all.  A signal ends it early (comparison.interrupted): it then holds the runs that were
 * finished.  allocators must stay until the comparison goes.
 */
bool rounds_run(const struct rounds_plan *plan, const struct allocators *allocators,
		struct comparison *ret, struct failure *why);

/* A row that has no run yet. */
void rounds_begin_row(struct compare_row *row, const struct allocator *allocator);

void rounds_free(struct comparison *comparison);

#endif
