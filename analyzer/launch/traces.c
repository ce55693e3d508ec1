/* SPDX-License-Identifier: MIT */
/* traces.c: see traces.h. */
#define _GNU_SOURCE
#include "launch/traces.h"

#include "launch/say.h"
#include "launch/trace_pack.h"
#include "source/trace_file.h"
#include "text/allocate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- where ------------------------------------------------------------------------------------------ */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A percent sign in the name of the program is one. */
static void default_pattern(const char *command, char ret[PATH_MAX])
{
	size_t used = (size_t)snprintf(ret, PATH_MAX, "poolmem.");

	for (const char *at = base_name(command); *at && used < PATH_MAX - sizeof ".%p.pmt" - 2;
	     at++) {
		if (*at == '%')
			ret[used++] = '%';
		ret[used++] = *at == ',' ? '_' : *at;
	}
	memcpy(ret + used, ".%p.pmt", sizeof ".%p.pmt");
}

static bool make_absolute(const char *pattern, char ret[PATH_MAX], struct failure *why)
{
	char here[PATH_MAX] = "";

	if (pattern[0] != '/' && !getcwd(here, sizeof here))
		return fail(why, FAILURE_NOTHING, "where are we? %s", strerror(errno));
	int length = snprintf(ret, PATH_MAX, "%s%s%s", here, pattern[0] == '/' ? "" : "/", pattern);

	return length < PATH_MAX || fail(why, FAILURE_USAGE, "%s: too long", pattern);
}

/* The library would say so when the program runs: by then it is too late. */
static bool is_writable(const char *pattern, struct failure *why)
{
	char directory[PATH_MAX];
	size_t bytes = (size_t)(base_name(pattern) - pattern);

	snprintf(directory, sizeof directory, "%.*s", (int)bytes, pattern);
	return access(directory, W_OK | X_OK) == 0 ||
	       fail(why, FAILURE_WRITE, "no trace can be written to %.300s: %s", directory,
		    strerror(errno));
}

static bool is_same_directory(const char *pattern, const char *other)
{
	char directory[2][PATH_MAX];
	struct stat status[2];

	snprintf(directory[0], PATH_MAX, "%.*s.", (int)(base_name(pattern) - pattern), pattern);
	snprintf(directory[1], PATH_MAX, "%.*s.", (int)(base_name(other) - other), other);
	return stat(directory[0], &status[0]) == 0 && stat(directory[1], &status[1]) == 0 &&
	       status[0].st_dev == status[1].st_dev && status[0].st_ino == status[1].st_ino;
}

bool traces_has_name(const char *pattern, const char *capture)
{
	return pattern && strcmp(base_name(pattern), base_name(capture)) == 0 &&
	       is_same_directory(pattern, capture);
}

bool traces_place(const char *pattern, const char *command, bool overwrite, struct traces *ret,
		  struct failure *why)
{
	char made[PATH_MAX];
	struct stat status;

	*ret = (struct traces){.count = 0};
	if (!pattern)
		default_pattern(command, made);
	if (!make_absolute(pattern ? pattern : made, ret->pattern, why))
		return false;
	if (strchr(ret->pattern, ',') || strlen(ret->pattern) > 255)
		return fail(why, FAILURE_USAGE,
			    "%s: a trace's name has no comma, and 255 bytes at most", ret->pattern);
	if (lstat(ret->pattern, &status) != 0)
		return is_writable(ret->pattern, why);
	if (!overwrite || !S_ISREG(status.st_mode))
		return fail(why, FAILURE_WRITE, "%s is there already%s", ret->pattern,
			    overwrite ? ", and is no file" : ": -f replaces it");
	return unlink(ret->pattern) == 0 ||
	       fail(why, FAILURE_WRITE, "%s: %s", ret->pattern, strerror(errno));
}

/* --- packing ---------------------------------------------------------------------------------------- */

/* The packed one takes its name. */
static bool pack_in_place(struct traces *traces, const char *path, struct failure *why)
{
	char temporary[PATH_MAX];
	struct stat status;

	if (snprintf(temporary, sizeof temporary, "%s.packing", path) >= (int)sizeof temporary)
		return fail(why, FAILURE_WRITE, "%s: the name is too long", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(why, FAILURE_WRITE, "%s: %s", temporary, strerror(errno));
	if (!trace_pack(path, fd, why)) {
		unlink(temporary);
		return false;
	}
	if (rename(temporary, path) != 0 || stat(path, &status) != 0) {
		unlink(temporary);
		return fail(why, FAILURE_WRITE, "%s: %s", path, strerror(errno));
	}
	if ((uint64_t)status.st_size > traces->largest_bytes) {
		traces->largest_bytes = (uint64_t)status.st_size;
		free(traces->largest);
		traces->largest = allocate_text(path, strlen(path));
	}
	traces->bytes += (uint64_t)status.st_size;
	traces->count++;
	return true;
}

static bool is_of_run(const char *path, uint64_t run_id)
{
	struct failure ignored;
	struct pm_trace_header header;
	struct input input;

	if (!input_open(AT_FDCWD, path, &input, &ignored))
		return false;
	bool known = input_read(&input, 0, &header, sizeof header, &ignored) &&
		     memcmp(header.magic, PM_TRACE_MAGIC, sizeof header.magic) == 0 &&
		     header.run_id == run_id && !(header.flags & PM_TRACE_PACKED);

	input_close(&input);
	return known;
}

/* %p as *, %% as %, and what fnmatch() takes for more than itself as such. */
static void as_wildcard(const char *pattern, char ret[2 * PATH_MAX])
{
	for (; *pattern; pattern++) {
		if (pattern[0] == '%' && (pattern[1] == 'p' || pattern[1] == '%')) {
			*ret++ = *++pattern == 'p' ? '*' : '%';
			continue;
		}
		if (strchr("*?[\\", *pattern))
			*ret++ = '\\';
		*ret++ = *pattern;
	}
	*ret = 0;
}

bool traces_are_apart(const struct traces *traces)
{
	for (const char *at = traces->pattern; (at = strchr(at, '%')) && at[1]; at += 2)
		if (at[1] == 'p')
			return true;
	return false;
}

static void pack_or_say(struct traces *traces, const char *path)
{
	struct failure why;

	if (pack_in_place(traces, path, &why))
		return;
	traces->unpacked++;
	say("%s; it stays as it was recorded", why.text);
}

void traces_pack(struct traces *traces, uint64_t run_id)
{
	char wildcard[2 * PATH_MAX], path[2 * PATH_MAX];
	int directory_bytes = (int)(base_name(traces->pattern) - traces->pattern);
	struct dirent *entry;

	as_wildcard(base_name(traces->pattern), wildcard);
	snprintf(path, sizeof path, "%.*s", directory_bytes, traces->pattern);
	DIR *directory = opendir(path);

	while (directory && (entry = readdir(directory))) {
		if (fnmatch(wildcard, entry->d_name, 0) != 0)
			continue;
		snprintf(path, sizeof path, "%.*s%s", directory_bytes, traces->pattern,
			 entry->d_name);
		if (is_of_run(path, run_id))
			pack_or_say(traces, path);
	}
	if (directory)
		closedir(directory);
}
