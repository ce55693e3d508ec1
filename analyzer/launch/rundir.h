/* SPDX-License-Identifier: MIT */
/*
 * rundir.h: the directory of one run's segments, `run-XXXXXX` in the user's segment directory.  Locked
 * while the run lasts; what an ended run left behind is handed back to the user's directory by the next.
 */
#ifndef POOLMEM_LAUNCH_RUNDIR_H
#define POOLMEM_LAUNCH_RUNDIR_H

#include "text/failure.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct rundir {
	char parent[PATH_MAX]; /* the user's segment directory */
	char path[PATH_MAX];
	int fd;             /* of path; holds the lock */
	uint64_t max_bytes; /* for the segments: an eighth of the disk, as nothing of it stays */
};

bool rundir_make(struct rundir *ret, struct failure *why);

/* Names of the segments there, oldest first.  The array and each name are freed by the caller. */
char **rundir_names(const struct rundir *rundir, size_t *ret_count);

/* Moves what is still there to the user's directory and removes this one.  Returns how many moved. */
size_t rundir_hand_back(struct rundir *rundir);

/* Lets go of the directory and leaves it where it is. */
void rundir_leave(struct rundir *rundir);

/* Notes the newest capture for `poolmem report last`. */
bool rundir_note_last(const struct rundir *rundir, const char *capture_path, struct failure *why);

#endif
