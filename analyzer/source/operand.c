/* SPDX-License-Identifier: MIT */
/* operand.c: see operand.h. */
#define _GNU_SOURCE 1

#include "source/operand.h"

#include "source/directory.h"
#include "source/input.h"
#include "text/allocate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
	char *path; /* NULL: none */
	int64_t modified_ns;
};

static char *join(const char *directory, const char *name)
{
	size_t bytes = strlen(directory) + strlen(name) + 2;
	char *path = allocate(bytes, 1);
	snprintf(path, bytes, "%s/%s", directory, name);
	return path;
}

/* The capture that the file `last` names, when it is still there. */
static struct candidate last_capture(const struct directory *directory)
{
	struct candidate none = {NULL, 0};
	struct failure ignored;
	struct input note, capture;
	char path[PATH_MAX] = "";

	if (!input_open(directory->fd, LAST_CAPTURE_NAME, &note, &ignored))
		return none;
	bool read = note.bytes < sizeof path && input_read(&note, 0, path, note.bytes, &ignored);
	input_close(&note);
	path[strcspn(path, "\n")] = '\0';
	if (!read || path[0] != '/' || !input_open(AT_FDCWD, path, &capture, &ignored))
		return none;
	input_close(&capture);
	return (struct candidate){allocate_text(path, strlen(path)), note.modified_ns};
}

static struct candidate last_segment(const struct directory *directory)
{
	struct candidate found = {NULL, 0};
	struct failure ignored;
	struct input input;

	for (size_t i = 0; i < directory->name_count && !found.path; i++) {
		const char *name = directory->names[i].text;
		if (!input_open(directory->fd, name, &input, &ignored))
			continue;
		found = (struct candidate){join(directory->path, name), input.modified_ns};
		input_close(&input);
	}
	return found;
}

static char *find_last(const struct directory *directory, struct failure *why)
{
	struct candidate capture = last_capture(directory);
	struct candidate segment = last_segment(directory);
	bool takes_capture = capture.path &&
			     (!segment.path || capture.modified_ns >= segment.modified_ns);

	if (!capture.path && !segment.path)
		fail(why, FAILURE_NOTHING,
		     "nothing recorded yet: %s holds no segment and no capture", directory->path);
	free(takes_capture ? segment.path : capture.path);
	return takes_capture ? capture.path : segment.path;
}

static char *find_pid(const struct directory *directory, const char *digits, struct failure *why)
{
	unsigned long long pid = strtoull(digits, NULL, 10);
	const struct segment_name *name = pid <= UINT32_MAX
						  ? directory_find_pid(directory, (uint32_t)pid)
						  : NULL;

	if (name)
		return join(directory->path, name->text);
	fail(why, FAILURE_NOTHING, "no segment of process %s in %s", digits, directory->path);
	return NULL;
}

/* The segment in a line of /proc/PID/maps; NULL: none. */
static const char *mapped_segment(char *line)
{
	struct segment_name ignored;
	const char *path = strchr(line, '/');
	const char *name = path ? strrchr(path, '/') + 1 : NULL;

	line[strcspn(line, "\n")] = '\0';
	return name && segment_name_parse(name, &ignored) ? path : NULL;
}

/* A process of another user, or with another dir=, has its segment elsewhere: said, not opened. */
static void tell_elsewhere(const char *digits, struct failure *why)
{
	struct failure inner = *why;
	const char *found = NULL;
	char *line = NULL, *path;
	size_t room = 0;
	FILE *maps = NULL;

	if (asprintf(&path, "/proc/%s/maps", digits) >= 0) {
		maps = fopen(path, "re");
		free(path);
	}
	while (maps && !found && getline(&line, &room, maps) > 0)
		found = mapped_segment(line);
	if (found)
		fail(why, inner.kind, "%.140s; it counts in %.260s", inner.text, found);
	if (maps)
		fclose(maps);
	free(line);
}

static char *path_of_pid(const char *digits, struct failure *why)
{
	struct directory directory;
	char *path = NULL;

	if (directory_open(&directory, why)) {
		path = find_pid(&directory, digits, why);
		directory_close(&directory);
	}
	if (!path && why->kind == FAILURE_NOTHING)
		tell_elsewhere(digits, why);
	return path;
}

char *operand_path(const char *operand, struct failure *why)
{
	bool is_pid = *operand && operand[strspn(operand, "0123456789")] == '\0';
	struct directory directory;

	if (!*operand) {
		fail(why, FAILURE_USAGE, "a FILE, a PID or 'last' is wanted, not an empty word");
		return NULL;
	}
	if (is_pid)
		return path_of_pid(operand, why);
	if (strcmp(operand, "last") != 0)
		return allocate_text(operand, strlen(operand));
	if (!directory_open(&directory, why))
		return NULL;
	char *path = find_last(&directory, why);
	directory_close(&directory);
	return path;
}
