/* SPDX-License-Identifier: MIT */
/* source.h: a segment file or a capture: its images one after the other, and its RUN section. */
#ifndef POOLMEM_SOURCE_SOURCE_H
#define POOLMEM_SOURCE_SOURCE_H

#include "source/capture.h"
#include "source/image.h"
#include "source/life.h"

enum source_kind { SOURCE_SEGMENT, SOURCE_CAPTURE };

/* A process as it was seen from outside. */
struct source_survey {
	struct pm_survey_of of;
	void *stream; /* who takes it sets it to NULL */
	size_t bytes;
};

struct source {
	struct input input;
	enum source_kind kind;
	enum life life; /* of a segment's processes together; of a capture: ENDED */
	struct capture capture;
	bool is_spent; /* a segment: its one image was handed out */
	char *run;     /* text of the RUN section, once it was passed; NULL: none */
	size_t run_bytes;
	void *names; /* payload of the NAMES section, so, too */
	size_t names_bytes;
	struct source_survey *surveys; /* of SURVEY sections that were passed */
	size_t survey_count, survey_room;
};

bool source_open(const char *path, struct source *ret, struct failure *why);

/* Takes over the descriptor, whatever comes of it. */
bool source_take(int fd, const char *name, struct source *ret, struct failure *why);

void source_close(struct source *source);

enum source_step { SOURCE_IMAGE, SOURCE_END, SOURCE_FAILED };

/* The image is the caller's to free. */
enum source_step source_next(struct source *source, struct image *ret, struct failure *why);

#endif
