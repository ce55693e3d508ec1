/* SPDX-License-Identifier: MIT */
/* scratch.c: see scratch.h. */
#define _GNU_SOURCE
#include "launch/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE_END "XXXXXX"

/* --- what is in it ---------------------------------------------------------------------------------- */

bool scratch_each(const struct scratch *scratch, bool (*visit)(const char *path, void *context),
		  void *context)
{
	char path[PATH_MAX + NAME_MAX + 2];
	DIR *directory = opendir(scratch->directory);
	bool goes_on = directory;

	for (struct dirent *entry; goes_on && (entry = readdir(directory));) {
		snprintf(path, sizeof path, "%s/%s", scratch->directory, entry->d_name);
		goes_on = entry->d_name[0] == '.' || visit(path, context);
	}
	if (directory)
		closedir(directory);
	return goes_on;
}

static bool remove_file(const char *path, void *unused)
{
	(void)unused;
	unlink(path);
	return true;
}

void scratch_clear(const struct scratch *scratch)
{
	scratch_each(scratch, remove_file, NULL);
}

void scratch_close(const struct scratch *scratch)
{
	scratch_clear(scratch);
	rmdir(scratch->directory);
	close(scratch->fd);
}

/* --- those of the dead -------------------------------------------------------------------------------- */

/* Nobody else has it, from here on. */
static bool lock(struct scratch *scratch)
{
	struct stat status;

	scratch->fd = open(scratch->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (scratch->fd >= 0 && fstat(scratch->fd, &status) == 0 && status.st_uid == geteuid() &&
	    flock(scratch->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (scratch->fd >= 0)
		close(scratch->fd);
	return false;
}

static bool is_of_kind(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name) == length + strlen(TEMPLATE_END);
}

static void remove_dead(const char *parent, const char *prefix)
{
	DIR *directory = opendir(parent);
	struct scratch dead;

	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		if (!is_of_kind(entry->d_name, prefix))
			continue;
		snprintf(dead.directory, sizeof dead.directory, "%s/%s", parent, entry->d_name);
		if (lock(&dead))
			scratch_close(&dead);
	}
	if (directory)
		closedir(directory);
}

/* --- one's own ---------------------------------------------------------------------------------------- */

/* Somebody who cleans up may have taken it before it was locked, or may hold it now. */
static bool is_kept(const struct scratch *scratch)
{
	struct stat ours, there;

	return fstat(scratch->fd, &ours) == 0 && stat(scratch->directory, &there) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

static bool make_in(const char *parent, const char *prefix, struct scratch *ret)
{
	enum { TRIES = 8 };

	remove_dead(parent, prefix);
	for (int i = 0; i < TRIES; i++) {
		snprintf(ret->directory, sizeof ret->directory, "%s/%s" TEMPLATE_END, parent,
			 prefix);
		if (!mkdtemp(ret->directory))
			return false;
		if (!lock(ret))
			continue;
		if (is_kept(ret))
			return true;
		close(ret->fd);
	}
	return false;
}

bool scratch_open(const char *kind, struct scratch *ret, struct failure *why)
{
	const char *temporary = getenv("TMPDIR");
	char prefix[NAME_MAX];

	snprintf(prefix, sizeof prefix, "poolmem-%s-", kind);
	return make_in("/dev/shm", prefix, ret) ||
	       make_in(temporary && *temporary ? temporary : "/tmp", prefix, ret) ||
	       fail(why, FAILURE_WRITE, "%s: %s", ret->directory, strerror(errno));
}
