/* SPDX-License-Identifier: MIT */
/* file.c: see file.h. */
#define _GNU_SOURCE 1

#include "symbol/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Behind the bytes, for those who look a little further. */
enum { PADDING = 64 };

/* Files there are doors to the kernel, whatever their mode says. */
static bool is_kernels(int fd)
{
	struct statfs system;

	if (fstatfs(fd, &system) != 0)
		return true;
	return system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC ||
	       system.f_type == DEBUGFS_MAGIC || system.f_type == TRACEFS_MAGIC ||
	       system.f_type == SECURITYFS_MAGIC;
}

/* Looked at before it is opened, because to open a device can do something; and after, because it counts. */
static int open_regular(const char *path, struct stat *status, enum symbol_lack *ret_lack)
{
	*ret_lack = SYMBOL_NO_FILE;
	if (stat(path, status) != 0)
		return -1;
	*ret_lack = SYMBOL_NOT_REGULAR;
	if (!S_ISREG(status->st_mode))
		return -1;
	*ret_lack = SYMBOL_UNREADABLE;
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool file_open(const char *path, struct file *ret, enum symbol_lack *ret_lack)
{
	struct stat status;
	int fd = open_regular(path, &status, ret_lack);

	if (fd < 0)
		return false;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || is_kernels(fd)) {
		close(fd);
		*ret_lack = SYMBOL_NOT_REGULAR;
		return false;
	}
	*ret = (struct file){fd, (uint64_t)status.st_size, status.st_uid};
	return true;
}

void file_close(struct file *file)
{
	close(file->fd);
	file->fd = -1;
}

static ssize_t read_at(int fd, void *buffer, size_t byte_count, uint64_t offset)
{
	ssize_t got;

	do
		got = pread(fd, buffer, byte_count, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got;
}

char *file_room(const struct file *file)
{
	return calloc(1, file->bytes + PADDING);
}

bool file_read_part(const struct file *file, char *room, uint64_t offset, uint64_t byte_count)
{
	if (offset > file->bytes || byte_count > file->bytes - offset)
		return false;
	while (byte_count) {
		ssize_t got = read_at(file->fd, room + offset, byte_count, offset);
		if (got <= 0)
			return false;
		offset += (uint64_t)got;
		byte_count -= (uint64_t)got;
	}
	return true;
}

bool file_read(const struct file *file, char **ret_bytes)
{
	char *bytes = file_room(file);

	if (!bytes || !file_read_part(file, bytes, 0, file->bytes)) {
		free(bytes);
		return false;
	}
	*ret_bytes = bytes;
	return true;
}
