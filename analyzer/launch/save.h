/* SPDX-License-Identifier: MIT */
/*
 * save.h: writes a capture.  The directory is opened before the program runs.  The file grows under a
 * temporary name, `.poolmem-*.tmp`, by whole sections, and gets its own after a sync.
 */
#ifndef POOLMEM_LAUNCH_SAVE_H
#define POOLMEM_LAUNCH_SAVE_H

#include "source/source.h"
#include "text/failure.h"
#include "text/sink.h"

#include <limits.h>

struct save {
	int directory_fd;
	int fd; /* of the temporary; -1: none */
	bool overwrite;
	bool is_sole;        /* holds segments that are nowhere else: never removed */
	char path[PATH_MAX]; /* absolute */
	const char *name;    /* last part of path */
	char temporary[64];
	uint64_t at; /* bytes written or skipped */
	uint32_t section_crc;
};

/* Remembers the place; writes nothing yet. */
bool save_place(struct save *save, const char *path, bool overwrite, struct failure *why);

bool save_begin(struct save *save, struct failure *why);
bool save_is_begun(const struct save *save);

/* A section that cannot be written whole leaves nothing in the file. */
bool save_segment(struct save *save, const struct input *input, const struct image *image,
		  struct failure *why);
bool save_run(struct save *save, const char *json, struct failure *why);

bool save_survey(struct save *save, const struct pm_survey_of *of, const void *stream, size_t bytes,
		 struct failure *why);

/* A section of another capture, as it stands there. */
bool save_section(struct save *save, const struct input *input,
		  const struct capture_section *section, struct failure *why);
bool save_names(struct save *save, const void *payload, size_t bytes, struct failure *why);

/* What was written so far, to be read as a capture that is cut short. */
bool save_read_back(const struct save *save, struct source *ret, struct failure *why);

/* Closes the capture and gives it its name; without an END section readers take it for cut short. */
bool save_end(struct save *save, struct failure *why);
bool save_without_end(struct save *save, struct failure *why);

/* Sends what was written elsewhere instead, closed unless it is cut short. */
bool save_send(struct save *save, bool is_cut_short, struct sink *sink, struct failure *why);

/* Lets go of the directory, and removes a temporary that is no capture and not the sole place of a segment. */
void save_close(struct save *save);

#endif
