/* SPDX-License-Identifier: MIT */
/*
 * segdir.h: the user's segment directory, where the library is told to put segments: made when it is not
 * there, and checked as the library checks it.
 */
#ifndef POOLMEM_LAUNCH_SEGDIR_H
#define POOLMEM_LAUNCH_SEGDIR_H

#include "text/failure.h"

#include <limits.h>
#include <stdint.h>

struct segdir {
	char path[PATH_MAX];
	int fd;
	uint64_t max_bytes; /* for all segments: an eighth of the disk; 0: the library's default */
};

bool segdir_open(struct segdir *ret, struct failure *why);
void segdir_close(struct segdir *segdir);

/* Notes the newest capture for `poolmem report last`. */
bool segdir_note_last(const struct segdir *segdir, const char *capture_path, struct failure *why);

#endif
