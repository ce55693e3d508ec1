/* SPDX-License-Identifier: MIT */
/* replay.h: poolmem-replay under one allocator after the other. */
#ifndef POOLMEM_LAUNCH_REPLAY_H
#define POOLMEM_LAUNCH_REPLAY_H

#include "replay/script.h"
#include "text/failure.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { REPLAY_ALLOCATORS_MAX = 16 };

struct replay_allocator {
	const char *name;
	char library[PATH_MAX]; /* preloaded; empty: none, the system's own */
};

/*
 * Of the names in `list`, by commas, or of all when it is NULL: those that are on this machine.  A name that is asked for
 * and is not there is a failure.  `library`: of poolmem, or NULL.
 */
bool replay_find(const char *list, const char *library, struct replay_allocator *ret,
		 size_t *ret_count, struct failure *why);

/* Runs a script once. */
bool replay_run(const struct replay_allocator *allocator, const char *script, bool touches,
		struct script_result *ret, struct failure *why);

#endif
