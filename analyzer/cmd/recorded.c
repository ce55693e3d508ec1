/* SPDX-License-Identifier: MIT */
/* recorded.c: see recorded.h. */
#include "cmd/recorded.h"

#include "source/operand.h"

#include <stdlib.h>

/* A capture that was cut before its first process ends is no capture of nothing. */
static bool is_cut_short(const char *path)
{
	struct failure ignored;
	struct source source;
	struct image image;

	if (!source_open(path, &source, &ignored))
		return false;
	while (source_next(&source, &image, &ignored) == SOURCE_IMAGE)
		image_free(&image);
	bool is_cut = source.capture.is_cut_short;
	source_close(&source);
	return is_cut;
}

bool recorded_read(const char *operand, struct recording *ret, struct failure *why)
{
	char *path = operand_path(operand ? operand : "last", why);

	if (!path)
		return false;
	bool done = recording_read(path, ret, why);
	if (!done && why->kind == FAILURE_NOTHING && is_cut_short(path))
		fail(why, FAILURE_UNREADABLE, "%s is cut short: no whole process is in it", path);
	free(path);
	return done;
}
