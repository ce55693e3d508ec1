/* SPDX-License-Identifier: MIT */
/* rundir.c: see rundir.h. */
#define _GNU_SOURCE
#include "launch/rundir.h"

#include "launch/environment.h"
#include "source/directory.h"
#include "source/operand.h"
#include "text/allocate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define RUNDIR_PREFIX "run-"
enum {
	LOCK_TRIES = 100, /* a millisecond apart: whoever can read a `dir=` could hold the lock for ever */
	LIBRARY_PATH_MAX = 255, /* of `dir=` */
};

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

static bool make_parent(const char *path, mode_t forbidden, struct failure *why)
{
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return fail(why, FAILURE_WRITE, "cannot make %s: %s", path, strerror(errno));
	return check_owner(path, forbidden, why);
}

static bool make_parent_below(const char *place, char ret_path[PATH_MAX], struct failure *why)
{
	snprintf(ret_path, PATH_MAX, "%s/poolmem-%u", place, (unsigned)geteuid());
	return make_parent(ret_path, S_IRWXG | S_IRWXO, why);
}

/* The user's `dir=`. */
static bool make_set_parent(const char *set, char ret_path[PATH_MAX], struct failure *why)
{
	if (*set != '/')
		return fail(why, FAILURE_USAGE, "POOLMEM: dir=%s is not an absolute path", set);
	snprintf(ret_path, PATH_MAX, "%s", set);
	return make_parent(ret_path, S_IWGRP | S_IWOTH, why);
}

static bool find_parent(char ret_path[PATH_MAX], struct failure *why)
{
	const char *temporary = getenv("TMPDIR");
	char *set = environment_directory();

	if (set) {
		bool made = make_set_parent(set, ret_path, why);

		free(set);
		return made;
	}
	return make_parent_below("/dev/shm", ret_path, why) ||
	       make_parent_below(temporary && *temporary ? temporary : "/tmp", ret_path, why);
}

static int open_directory(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Names of a directory that `wanted` likes, sorted. */
static char **list(int directory_fd, bool (*wanted)(const char *name), size_t *ret_count)
{
	int fd = open_directory(directory_fd, ".");
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	size_t room = 0, count = 0;
	char **names = NULL;

	for (struct dirent *entry; stream && (entry = readdir(stream));) {
		if (!wanted(entry->d_name))
			continue;
		names = allocate_more(names, count, &room, sizeof(*names));
		names[count++] = allocate_text(entry->d_name, strlen(entry->d_name));
	}
	if (stream)
		closedir(stream);
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	*ret_count = count;
	return names;
}

static bool is_segment(const char *name)
{
	struct segment_name ignored;

	return segment_name_parse(name, &ignored);
}

static bool is_rundir(const char *name)
{
	return strncmp(name, RUNDIR_PREFIX, strlen(RUNDIR_PREFIX)) == 0;
}

/* Names are random enough that none is taken; if one is, the segment there stays. */
static size_t move_segments(int from, int to)
{
	size_t count, moved = 0;
	char **names = list(from, is_segment, &count);

	for (size_t i = 0; i < count; i++) {
		moved += renameat2(from, names[i], to, names[i], RENAME_NOREPLACE) == 0;
		free(names[i]);
	}
	free(names);
	return moved;
}

static bool is_abandoned(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Taken from before the run's directory is made until it is locked itself: else it looks abandoned. */
static bool lock_parent(int parent)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(parent, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void clear_abandoned(int parent)
{
	size_t count;
	char **names = list(parent, is_rundir, &count);

	for (size_t i = 0; i < count; i++) {
		int fd = open_directory(parent, names[i]);

		if (fd >= 0 && is_abandoned(fd)) {
			move_segments(fd, parent);
			unlinkat(parent, names[i], AT_REMOVEDIR);
		}
		if (fd >= 0)
			close(fd);
		free(names[i]);
	}
	free(names);
}

/* 0, where that is not known: the library's own default. */
static uint64_t eighth_of_disk(int fd)
{
	struct statvfs disk;

	return fstatvfs(fd, &disk) == 0 ? (uint64_t)disk.f_blocks * disk.f_frsize / 8 : 0;
}

static bool make_locked(struct rundir *rundir, struct failure *why)
{
	int length = snprintf(rundir->path, sizeof(rundir->path), "%s/" RUNDIR_PREFIX "XXXXXX",
			      rundir->parent);

	if (length > LIBRARY_PATH_MAX || strchr(rundir->path, ','))
		return fail(why, FAILURE_WRITE,
			    "%s: too long for a directory of segments, or with a comma in it",
			    rundir->parent);
	if (!mkdtemp(rundir->path))
		return fail(why, FAILURE_WRITE, "cannot make %s: %s", rundir->path, strerror(errno));
	rundir->fd = open_directory(AT_FDCWD, rundir->path);
	if (rundir->fd < 0 || flock(rundir->fd, LOCK_EX | LOCK_NB) != 0)
		return fail(why, FAILURE_WRITE, "%s: %s", rundir->path, strerror(errno));
	rundir->max_bytes = eighth_of_disk(rundir->fd);
	return true;
}

bool rundir_make(struct rundir *ret, struct failure *why)
{
	struct rundir rundir = {.fd = -1};

	if (!find_parent(rundir.parent, why))
		return false;
	int parent = open_directory(AT_FDCWD, rundir.parent);

	if (parent < 0)
		return fail(why, FAILURE_WRITE, "%s: %s", rundir.parent, strerror(errno));
	if (lock_parent(parent))
		clear_abandoned(parent);
	bool made = make_locked(&rundir, why);

	close(parent);
	if (made)
		*ret = rundir;
	return made;
}

char **rundir_names(const struct rundir *rundir, size_t *ret_count)
{
	return list(rundir->fd, is_segment, ret_count);
}

size_t rundir_hand_back(struct rundir *rundir)
{
	int parent = open_directory(AT_FDCWD, rundir->parent);
	size_t moved = 0;

	if (parent >= 0) {
		moved = move_segments(rundir->fd, parent);
		close(parent);
	}
	rmdir(rundir->path);
	rundir_leave(rundir);
	return moved;
}

void rundir_leave(struct rundir *rundir)
{
	close(rundir->fd);
	rundir->fd = -1;
}

static bool write_last(int fd, const char *capture_path)
{
	return dprintf(fd, "%s\n", capture_path) == (int)strlen(capture_path) + 1;
}

bool rundir_note_last(const struct rundir *rundir, const char *capture_path, struct failure *why)
{
	char temporary[PATH_MAX + 16], final[PATH_MAX + 16];

	snprintf(temporary, sizeof(temporary), "%s/." LAST_CAPTURE_NAME "-XXXXXX", rundir->parent);
	snprintf(final, sizeof(final), "%s/" LAST_CAPTURE_NAME, rundir->parent);
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
