/* SPDX-License-Identifier: MIT */
/* segdir.c: see segdir.h. */
#define _GNU_SOURCE
#include "launch/segdir.h"

#include "launch/environment.h"
#include "source/operand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LIBRARY_PATH_MAX = 255 }; /* of `dir=` */

/* As the library wants it: ours, and without these rights for others. */
static bool check_owner(const char *path, mode_t forbidden, struct failure *why)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return fail(why, FAILURE_WRITE, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return fail(why, FAILURE_WRITE, "%s is not a directory", path);
	if (status.st_uid != geteuid())
		return fail(why, FAILURE_WRITE, "%s belongs to user %u", path, status.st_uid);
	if (status.st_mode & forbidden)
		return fail(why, FAILURE_WRITE, "%s is open to others (mode %03o)", path,
			    status.st_mode & 0777);
	return true;
}

static bool make(const char *path, mode_t forbidden, struct failure *why)
{
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return fail(why, FAILURE_WRITE, "cannot make %s: %s", path, strerror(errno));
	return check_owner(path, forbidden, why);
}

static bool make_below(const char *place, char ret_path[PATH_MAX], struct failure *why)
{
	snprintf(ret_path, PATH_MAX, "%s/poolmem-%u", place, (unsigned)geteuid());
	return make(ret_path, S_IRWXG | S_IRWXO, why);
}

/* The user's `dir=`. */
static bool make_set(const char *set, char ret_path[PATH_MAX], struct failure *why)
{
	if (*set != '/')
		return fail(why, FAILURE_USAGE, "POOLMEM: dir=%s is not an absolute path", set);
	snprintf(ret_path, PATH_MAX, "%s", set);
	return make(ret_path, S_IWGRP | S_IWOTH, why);
}

static bool find(char ret_path[PATH_MAX], struct failure *why)
{
	const char *temporary = getenv("TMPDIR");
	char *set = environment_directory();

	if (set) {
		bool made = make_set(set, ret_path, why);

		free(set);
		return made;
	}
	return make_below("/dev/shm", ret_path, why) ||
	       make_below(temporary && *temporary ? temporary : "/tmp", ret_path, why);
}

/* 0, where that is not known. */
static uint64_t eighth_of_disk(int fd)
{
	struct statvfs disk;

	return fstatvfs(fd, &disk) == 0 ? (uint64_t)disk.f_blocks * disk.f_frsize / 8 : 0;
}

bool segdir_open(struct segdir *ret, struct failure *why)
{
	struct segdir segdir;

	if (!find(segdir.path, why))
		return false;
	if (strlen(segdir.path) > LIBRARY_PATH_MAX || strchr(segdir.path, ','))
		return fail(why, FAILURE_WRITE,
			    "%s: too long for a directory of segments, or with a comma in it",
			    segdir.path);
	segdir.fd = open(segdir.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (segdir.fd < 0)
		return fail(why, FAILURE_WRITE, "%s: %s", segdir.path, strerror(errno));
	segdir.max_bytes = eighth_of_disk(segdir.fd);
	*ret = segdir;
	return true;
}

void segdir_close(struct segdir *segdir)
{
	close(segdir->fd);
	segdir->fd = -1;
}

static bool write_last(int fd, const char *capture_path)
{
	return dprintf(fd, "%s\n", capture_path) == (int)strlen(capture_path) + 1;
}

bool segdir_note_last(const struct segdir *segdir, const char *capture_path, struct failure *why)
{
	char temporary[PATH_MAX + 16], final[PATH_MAX + 16];

	snprintf(temporary, sizeof(temporary), "%s/." LAST_CAPTURE_NAME "-XXXXXX", segdir->path);
	snprintf(final, sizeof(final), "%s/" LAST_CAPTURE_NAME, segdir->path);
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return fail(why, FAILURE_WRITE, "cannot write %s: %s", temporary, strerror(errno));
	bool written = write_last(fd, capture_path);

	written = close(fd) == 0 && written && rename(temporary, final) == 0;
	if (!written) {
		fail(why, FAILURE_WRITE, "cannot write %s: %s", final, strerror(errno));
		unlink(temporary);
	}
	return written;
}
