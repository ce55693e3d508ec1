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
#define MARK ".poolmem-scratch" /* a file in each of ours */

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

static bool is_of_holder(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, MARK) != 0;
}

/* By the directory that is locked, whatever stands at its path by now. */
void scratch_clear(const struct scratch *scratch)
{
	int fd = openat(scratch->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (is_of_holder(entry->d_name))
			unlinkat(scratch->fd, entry->d_name, 0);
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
}

void scratch_close(const struct scratch *scratch)
{
	scratch_clear(scratch);
	unlinkat(scratch->fd, MARK, 0);
	rmdir(scratch->directory);
	close(scratch->fd);
}

/* --- whose it is ---------------------------------------------------------------------------------------- */

/* Somebody who cleans up may have taken it before it was locked, or may hold it now. */
static bool is_kept(const struct scratch *scratch)
{
	struct stat ours, there;

	return fstat(scratch->fd, &ours) == 0 && lstat(scratch->directory, &there) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

/* Nobody else has it, from here on. */
static bool lock(struct scratch *scratch)
{
	struct stat status;

	scratch->fd = open(scratch->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (scratch->fd >= 0 && fstat(scratch->fd, &status) == 0 && status.st_uid == geteuid() &&
	    flock(scratch->fd, LOCK_EX | LOCK_NB) == 0 && is_kept(scratch))
		return true;
	if (scratch->fd >= 0)
		close(scratch->fd);
	return false;
}

/* That we have made it, and nobody else who likes the name. */
static bool is_marked(const struct scratch *scratch)
{
	struct stat status;

	return fstatat(scratch->fd, MARK, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode) && status.st_uid == geteuid();
}

static bool mark(const struct scratch *scratch)
{
	int fd = openat(scratch->fd, MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* --- those of the dead -------------------------------------------------------------------------------- */

static bool is_of_kind(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 && strlen(name) == length + strlen(TEMPLATE_END);
}

/* One that its maker did not come to mark stays: it cannot be told from somebody else's. */
static void remove_one(struct scratch *dead)
{
	if (!lock(dead))
		return;
	if (is_marked(dead))
		scratch_close(dead);
	else
		close(dead->fd);
}

static bool set_path(struct scratch *scratch, const char *parent, const char *first,
		     const char *second)
{
	size_t room = sizeof scratch->directory;
	int length = snprintf(scratch->directory, room, "%s/%s%s", parent, first, second);

	return (size_t)length < room || ((errno = ENAMETOOLONG), false);
}

static void remove_dead(const char *parent, const char *prefix)
{
	DIR *directory = opendir(parent);
	struct scratch dead;

	for (struct dirent *entry; directory && (entry = readdir(directory));)
		if (is_of_kind(entry->d_name, prefix) && set_path(&dead, parent, entry->d_name, ""))
			remove_one(&dead);
	if (directory)
		closedir(directory);
}

/* --- one's own ---------------------------------------------------------------------------------------- */

static bool make_in(const char *parent, const char *prefix, struct scratch *ret)
{
	enum { TRIES = 8 };

	remove_dead(parent, prefix);
	for (int i = 0; i < TRIES; i++) {
		if (!set_path(ret, parent, prefix, TEMPLATE_END) || !mkdtemp(ret->directory))
			return false;
		if (!lock(ret))
			continue;
		if (mark(ret))
			return true;
		close(ret->fd);
	}
	return false;
}

enum { PREFIX_BYTES = 64 };

static const char *set_prefix(const char *kind, char prefix[PREFIX_BYTES])
{
	snprintf(prefix, PREFIX_BYTES, "poolmem-%s-", kind);
	return prefix;
}

bool scratch_open_on_disk(const char *kind, struct scratch *ret, struct failure *why)
{
	const char *temporary = getenv("TMPDIR");
	bool is_absolute = temporary && *temporary == '/';
	char prefix[PREFIX_BYTES];

	return make_in(is_absolute ? temporary : "/tmp", set_prefix(kind, prefix), ret) ||
	       fail(why, FAILURE_WRITE, "%s: %s", ret->directory, strerror(errno));
}

bool scratch_open(const char *kind, struct scratch *ret, struct failure *why)
{
	char prefix[PREFIX_BYTES];

	return make_in("/dev/shm", set_prefix(kind, prefix), ret) ||
	       scratch_open_on_disk(kind, ret, why);
}
