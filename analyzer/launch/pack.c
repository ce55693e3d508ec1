/* SPDX-License-Identifier: MIT */
/* pack.c: see pack.h. */
#include "launch/pack.h"

#include "launch/name.h"
#include "launch/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".packed.pm"

/* The capture is read back before it is whole: what it goes to need not be able to do that. */
static bool choose_temporary(char ret_path[PATH_MAX], struct failure *why)
{
	const char *directory = getenv("TMPDIR");
	int length = snprintf(ret_path, PATH_MAX, "%s/poolmem" SUFFIX,
			      directory && *directory ? directory : "/tmp");

	return length < PATH_MAX || fail(why, FAILURE_WRITE, "TMPDIR: too long");
}

/* "build.pm" becomes "build.packed.pm", in the directory that we are in. */
static bool choose_output(const struct pack_request *request, char ret_path[PATH_MAX],
			  struct failure *why)
{
	if (request->to_stdout)
		return choose_temporary(ret_path, why);
	const char *slash = strrchr(request->path, '/');
	const char *name = slash ? slash + 1 : request->path, *dot = strrchr(name, '.');
	int stem = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
	int length = request->output ? snprintf(ret_path, PATH_MAX, "%s", request->output)
				     : snprintf(ret_path, PATH_MAX, "%.*s" SUFFIX, stem, name);

	if (length >= PATH_MAX)
		return fail(why, FAILURE_WRITE, "-o '%.200s': too long", ret_path);
	return name_check_place(ret_path, request->overwrite, why);
}

static bool copy_sections(struct source *source, struct save *save, struct failure *why)
{
	struct capture_section section;
	enum capture_step step;

	while ((step = capture_next(&source->input, &source->capture, &section, why)) ==
	       CAPTURE_SECTION) {
		if (section.kind == PM_SECTION_NAMES)
			return fail(why, FAILURE_NOTHING,
				    "it is packed already, and read anywhere as it is; to look names "
				    "up anew pack the capture that it was made of");
		if (!save_section(save, &source->input, &section, why))
			return false;
	}
	return step == CAPTURE_END;
}

static bool copy_segment(struct source *source, struct save *save, struct failure *why)
{
	struct image image;

	if (source_next(source, &image, why) != SOURCE_IMAGE)
		return false;
	bool saved = save_segment(save, &source->input, &image, why);
	image_free(&image);
	return saved;
}

static bool copy(struct source *source, struct save *save, struct failure *why)
{
	return source->kind == SOURCE_CAPTURE ? copy_sections(source, save, why)
					      : copy_segment(source, save, why);
}

/* Of what was copied, not of the original: a program that runs has gone on. */
static bool read_copy(const struct save *save, struct pack *pack, struct failure *why)
{
	struct source source;

	if (!save_read_back(save, &source, why))
		return false;
	bool is_read = recording_read_source(&source, NULL, &pack->recording, why);
	source_close(&source);
	return is_read;
}

static bool add_names(const struct pack_request *request, struct save *save, struct pack *pack,
		      struct failure *why)
{
	size_t bytes;

	pack->naming = naming_open(&pack->recording, true);
	naming_watch(pack->naming, request->progress);
	if (request->ask_network)
		naming_ask_network(pack->naming);
	naming_prepare_all(pack->naming);
	void *payload = naming_pack(pack->naming, &bytes, &pack->names, why);
	bool saved = payload && save_names(save, payload, bytes, why);
	free(payload);
	return saved;
}

static bool send(struct save *save, bool is_cut_short, struct failure *why)
{
	struct sink sink;
	struct failure ignored;

	if (!sink_open(&sink, NULL, why))
		return false;
	bool is_read = save_send(save, is_cut_short, &sink, why);
	return sink_close(&sink, is_read ? why : &ignored) && is_read;
}

static bool finish(const struct pack_request *request, struct save *save, bool is_cut_short,
		   struct failure *why)
{
	if (request->to_stdout)
		return send(save, is_cut_short, why);
	return is_cut_short ? save_without_end(save, why) : save_end(save, why);
}

static bool write_all(const struct pack_request *request, struct source *source, struct save *save,
		      struct pack *pack, struct failure *why)
{
	if (!save_begin(save, why) || !copy(source, save, why) || !read_copy(save, pack, why))
		return false;
	pack->is_cut_short = source->capture.is_cut_short;
	if (!add_names(request, save, pack, why))
		return false;
	bool saved = finish(request, save, pack->is_cut_short, why);
	pack->bytes = save->at;
	return saved;
}

static bool name_path(const char *path, struct failure *why)
{
	struct failure inner = *why;

	if (inner.kind == FAILURE_WRITE || strstr(inner.text, path))
		return false;
	return fail(why, inner.kind, "%.120s: %.260s", path, inner.text);
}

bool pack_make(const struct pack_request *request, struct pack *ret, struct failure *why)
{
	char path[PATH_MAX];
	struct source source;
	struct save save;

	*ret = (struct pack){.bytes = 0};
	if (!choose_output(request, path, why) || !save_place(&save, path, request->overwrite, why))
		return false;
	if (!request->to_stdout)
		memcpy(ret->path, save.path, sizeof ret->path);
	bool is_open = source_open(request->path, &source, why);
	bool made = is_open && write_all(request, &source, &save, ret, why);

	if (is_open)
		source_close(&source);
	save_close(&save);
	if (made)
		return true;
	pack_close(ret);
	return name_path(request->path, why);
}

void pack_close(struct pack *pack)
{
	if (pack->naming)
		naming_close(pack->naming);
	recording_free(&pack->recording);
	pack->naming = NULL;
}
