/* SPDX-License-Identifier: MIT */
/*
 * scratch.h: a directory for what nobody keeps: segments of runs, in shared memory where there is some, or captures.
 *
 * Who has it holds a lock on it, which goes with the process, however that ends.  What one without a lock holds is of nobody:
 * the next who needs a directory of its kind removes it.
 */
#ifndef POOLMEM_LAUNCH_SCRATCH_H
#define POOLMEM_LAUNCH_SCRATCH_H

#include "text/failure.h"

#include <limits.h>
#include <stdbool.h>

struct scratch {
	char directory[PATH_MAX];
	int fd; /* holds the lock; closed by exec */
};

/* kind: a word of its name, "poolmem-KIND-XXXXXX". */
bool scratch_open(const char *kind, struct scratch *ret, struct failure *why);

/* The same where TMPDIR says: of files that are large, and take no room from segments. */
bool scratch_open_on_disk(const char *kind, struct scratch *ret, struct failure *why);

/* Calls for each file in it, until `visit` says no; returns whether none did. */
bool scratch_each(const struct scratch *scratch, bool (*visit)(const char *path, void *context),
		  void *context);

void scratch_clear(const struct scratch *scratch); /* of all in it */
void scratch_close(const struct scratch *scratch); /* and all in it */

#endif
