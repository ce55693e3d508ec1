/* SPDX-License-Identifier: MIT */
/* replay.h: poolmem-replay under one allocator after the other. */
#ifndef POOLMEM_LAUNCH_REPLAY_H
#define POOLMEM_LAUNCH_REPLAY_H

#include "launch/allocators.h"
#include "replay/script.h"

#include <stdbool.h>

/*
 * Of the names in `list`, by commas, or of all that are known when it is NULL: those that are here, poolmem first.
 * NAME=PATH adds one.  What is asked for and is not here is a failure.  `library`: of poolmem, or NULL.
 */
bool replay_find(const char *list, const char *library, struct allocators *ret,
		 const struct allocator *ret_here[ALLOCATOR_MAX], size_t *ret_count,
		 struct failure *why);

/* Runs a script once.  mode: of replay/script.h. */
bool replay_run(const struct allocator *allocator, const char *script, const char *mode,
		struct script_result *ret, struct failure *why);

#endif
