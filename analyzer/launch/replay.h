/* SPDX-License-Identifier: MIT */
/* replay.h: poolmem-replay under one allocator after the other. */
#ifndef POOLMEM_LAUNCH_REPLAY_H
#define POOLMEM_LAUNCH_REPLAY_H

#include "launch/allocators.h"
#include "study/replay_rows.h"
#include "text/progress.h"

#include <stdbool.h>

/*
 * Of the names in `list`, by commas, or of all that are known when it is NULL: those that are here, poolmem first.
 * NAME=PATH adds one.  What is asked for and is not here is a failure.  `library`: of poolmem, or NULL.
 */
bool replay_find(const char *list, const char *library, struct allocators *ret,
		 const struct allocator *ret_here[ALLOCATOR_MAX], size_t *ret_count,
		 struct failure *why);

struct replay_plan {
	const char *script, *mode; /* of replay/script.h */
	size_t runs;
	struct progress *progress; /* NULL: nobody watches */
};

/*
 * Runs a script so often under each, in turn, so that what slows the machine down for a while is shared by all.  `rows`: all
 * zero, one for each; summed up then.
 */
bool replay_run_all(const struct replay_plan *plan, const struct allocator *const *allocator,
		    struct replay_row *rows, size_t count, struct failure *why);

#endif
