/* SPDX-License-Identifier: MIT */
/* source.c: see source.h. */
#include "source/source.h"

#include "text/allocate.h"

#include <fcntl.h>
#include <stdlib.h>

/* Sparse files may claim any size: beyond these, reading would never end. */
#define CAPTURE_BYTES_MAX (UINT64_C(16) << 30)
#define RUN_BYTES_MAX (UINT64_C(64) << 20)
#define SURVEY_BYTES_MAX (UINT64_C(4) << 30)
#define NAMES_BYTES_MAX (UINT64_C(1) << 30)

static bool open_kind(struct source *source, struct failure *why)
{
	if (!capture_begins(&source->input)) {
		source->kind = SOURCE_SEGMENT;
		source->life = life_of_file(&source->input);
		return true;
	}
	source->kind = SOURCE_CAPTURE;
	source->life = LIFE_ENDED;
	if (source->input.bytes > CAPTURE_BYTES_MAX)
		return fail(why, FAILURE_UNREADABLE, "%llu bytes are too many for a capture",
			    (unsigned long long)source->input.bytes);
	return capture_open(&source->input, &source->capture, why);
}

static bool begin(struct input input, struct source *ret, struct failure *why)
{
	struct source source = {.input = input};
	if (!open_kind(&source, why)) {
		input_close(&source.input);
		return false;
	}
	*ret = source;
	return true;
}

bool source_open(const char *path, struct source *ret, struct failure *why)
{
	struct input input;
	return input_open(AT_FDCWD, path, &input, why) && begin(input, ret, why);
}

bool source_take(int fd, const char *name, struct source *ret, struct failure *why)
{
	struct input input;
	return input_take(fd, name, &input, why) && begin(input, ret, why);
}

void source_close(struct source *source)
{
	input_close(&source->input);
	free(source->run);
	free(source->names);
	for (size_t i = 0; i < source->survey_count; i++)
		free(source->surveys[i].stream);
	free(source->surveys);
	source->surveys = NULL;
	source->survey_count = 0;
	source->run = source->names = NULL;
}

static enum source_step load(struct source *source, uint64_t offset, uint64_t bytes,
			     struct image *ret, struct failure *why)
{
	struct image_place place = {&source->input, offset, bytes, source->life != LIFE_ENDED};
	return image_load(&place, ret, why) ? SOURCE_IMAGE : SOURCE_FAILED;
}

static enum source_step next_of_segment(struct source *source, struct image *ret,
					struct failure *why)
{
	if (source->is_spent)
		return SOURCE_END;
	source->is_spent = true;
	return load(source, 0, source->input.bytes, ret, why);
}

static bool keep_run(struct source *source, const struct capture_section *section,
		     struct failure *why)
{
	if (section->bytes > RUN_BYTES_MAX)
		return fail(why, FAILURE_UNREADABLE, "damaged: a RUN section of %llu bytes",
			    (unsigned long long)section->bytes);
	free(source->run);
	source->run = allocate(section->bytes + 1, 1);
	source->run_bytes = section->bytes;
	return input_read(&source->input, section->offset, source->run, section->bytes, why);
}

static bool keep_names(struct source *source, const struct capture_section *section,
		       struct failure *why)
{
	if (section->bytes > NAMES_BYTES_MAX || source->names)
		return fail(why, FAILURE_UNREADABLE, "damaged: %s NAMES section of %llu bytes",
			    source->names ? "a second" : "a", (unsigned long long)section->bytes);
	source->names = allocate(section->bytes + 1, 1);
	source->names_bytes = section->bytes;
	return input_read(&source->input, section->offset, source->names, section->bytes, why);
}

static bool keep_survey(struct source *source, const struct capture_section *section,
			struct failure *why)
{
	struct source_survey survey;

	if (section->bytes < sizeof survey.of || section->bytes > SURVEY_BYTES_MAX)
		return fail(why, FAILURE_UNREADABLE, "damaged: a SURVEY section of %llu bytes",
			    (unsigned long long)section->bytes);
	if (!input_read(&source->input, section->offset, &survey.of, sizeof survey.of, why))
		return false;
	survey.bytes = section->bytes - sizeof survey.of;
	survey.stream = allocate(survey.bytes + 1, 1);
	source->surveys = allocate_more(source->surveys, source->survey_count, &source->survey_room,
					sizeof *source->surveys);
	source->surveys[source->survey_count++] = survey;
	return input_read(&source->input, section->offset + sizeof survey.of, survey.stream,
			  survey.bytes, why);
}

static enum source_step next_of_capture(struct source *source, struct image *ret,
					struct failure *why)
{
	struct capture_section section;

	for (;;) {
		switch (capture_next(&source->input, &source->capture, &section, why)) {
		case CAPTURE_END: return SOURCE_END;
		case CAPTURE_FAILED: return SOURCE_FAILED;
		case CAPTURE_SECTION: break;
		}
		if (section.kind == PM_SECTION_SEGMENT)
			return load(source, section.offset, section.bytes, ret, why);
		if (section.kind == PM_SECTION_RUN && !keep_run(source, &section, why))
			return SOURCE_FAILED;
		if (section.kind == PM_SECTION_SURVEY && !keep_survey(source, &section, why))
			return SOURCE_FAILED;
		if (section.kind == PM_SECTION_NAMES && !keep_names(source, &section, why))
			return SOURCE_FAILED;
	}
}

enum source_step source_next(struct source *source, struct image *ret, struct failure *why)
{
	return source->kind == SOURCE_SEGMENT ? next_of_segment(source, ret, why)
					      : next_of_capture(source, ret, why);
}
