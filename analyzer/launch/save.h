/* SPDX-License-Identifier: MIT */
/*
 * save.h: writes a capture.  The directory is opened before the program runs; the file appears in it
 * whole, after a sync, under its name or not at all.
 */
#ifndef POOLMEM_LAUNCH_SAVE_H
#define POOLMEM_LAUNCH_SAVE_H

#include "source/image.h"
#include "text/failure.h"

#include <limits.h>

struct save {
	int directory_fd;
	int fd; /* of the temporary; -1: none */
	bool overwrite;
	char path[PATH_MAX]; /* absolute */
	const char *name;    /* last part of path */
	char temporary[64];
	uint64_t at; /* bytes written or skipped */
	uint32_t section_crc;
};

/* Remembers the place; writes nothing yet. */
bool save_place(struct save *save, const char *path, bool overwrite, struct failure *why);

bool save_begin(struct save *save, struct failure *why);
bool save_segment(struct save *save, const struct input *input, const struct image *image,
		  struct failure *why);
bool save_run(struct save *save, const char *json, struct failure *why);
bool save_end(struct save *save, struct failure *why);

/* Removes the temporary, if there is one, and lets go of the directory. */
void save_close(struct save *save);

#endif
