/* SPDX-License-Identifier: MIT */
/* collect.c: see collect.h. */
#include "launch/collect.h"

#include "launch/say.h"
#include "source/facts.h"
#include "source/life.h"
#include "text/allocate.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What becomes of a segment file when the capture is safe. */
enum fate { KEEP, REMOVE };

/* The segments on their way into the capture. */
struct collecting {
	struct collect *collect;
	struct save *save;
	char **names;
	enum fate *fates;
	size_t count;
};

/* Path of the executable of the segment's leader.  Freed by the caller; NULL: unknown. */
static char *exe_of(const struct image *image)
{
	struct facts facts;
	struct fact fact;
	char *exe = NULL;

	facts_open(image, image->header.leader, &facts);
	while (!exe && facts_next(&facts, &fact))
		if (fact.tag == PM_FACT_EXE)
			exe = allocate_text(fact.payload, fact.byte_count);
	facts_close(&facts);
	return exe;
}

/* A pattern with a slash is matched against the whole path, else against the name. */
static bool is_wanted(const struct image *image, const char *only)
{
	if (!only)
		return true;
	char *exe = exe_of(image);
	const char *slash = exe && !strchr(only, '/') ? strrchr(exe, '/') : NULL;
	bool wanted = exe && fnmatch(only, slash ? slash + 1 : exe, 0) == 0;

	free(exe);
	return wanted;
}

static bool load(const struct input *input, enum life life, struct image *ret, struct failure *why)
{
	struct image_place place = {
		.input = input,
		.bytes = input->bytes,
		.is_moving = life != LIFE_ENDED,
	};

	return image_load(&place, ret, why);
}

/* False when the capture cannot be written. */
static bool save_loaded(struct collecting *collecting, const struct input *input,
			const struct image *image, struct failure *why)
{
	struct collect *collect = collecting->collect;

	if (!is_wanted(image, collect->only)) {
		collect->left_out++;
		return true;
	}
	if (collect->saved == 0 && !save_begin(collecting->save, why))
		return false;
	collect->saved++;
	return save_segment(collecting->save, input, image, why);
}

static bool save_input(struct collecting *collecting, size_t index, const struct input *input,
		       struct failure *why)
{
	enum life life = life_of_file(input);
	struct failure damage;
	struct image image;

	if (input->bytes == 0) { /* the library could not give it a size */
		collecting->fates[index] = life == LIFE_ENDED ? REMOVE : KEEP;
		return true;
	}
	if (!load(input, life, &image, &damage)) {
		say("segment %s: %s", collecting->names[index], damage.text);
		collecting->collect->damaged++;
		return true;
	}
	bool saved = save_loaded(collecting, input, &image, why);

	collecting->fates[index] = life == LIFE_ENDED ? REMOVE : KEEP;
	image_free(&image);
	return saved;
}

static bool save_all(struct collecting *collecting, struct failure *why)
{
	bool saved = true;

	for (size_t i = 0; saved && i < collecting->count; i++) {
		struct failure gone;
		struct input input;

		if (!input_open(collecting->collect->rundir->fd, collecting->names[i], &input, &gone))
			continue;
		saved = save_input(collecting, i, &input, why);
		input_close(&input);
	}
	return saved;
}

static void remove_saved(const struct collecting *collecting)
{
	for (size_t i = 0; i < collecting->count; i++)
		if (collecting->fates[i] == REMOVE)
			unlinkat(collecting->collect->rundir->fd, collecting->names[i], 0);
}

static bool save_whole(struct collecting *collecting, const char *run_json, struct failure *why)
{
	struct save *save = collecting->save;

	if (!save_all(collecting, why))
		return false;
	return collecting->collect->saved == 0 ||
	       (save_run(save, run_json, why) && save_end(save, why));
}

bool collect_save(struct collect *collect, struct save *save, const char *run_json,
		  struct failure *why)
{
	struct collecting collecting = {.collect = collect, .save = save};

	collecting.names = rundir_names(collect->rundir, &collecting.count);
	collecting.fates = allocate(collecting.count + 1, sizeof(*collecting.fates));
	bool saved = save_whole(&collecting, run_json, why);

	if (saved)
		remove_saved(&collecting);
	for (size_t i = 0; i < collecting.count; i++)
		free(collecting.names[i]);
	free(collecting.names);
	free(collecting.fates);
	return saved;
}
