/* SPDX-License-Identifier: MIT */
/* input.c: see input.h. */
#define _GNU_SOURCE 1

#include "source/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool input_take(int fd, const char *name, struct input *ret, struct failure *why)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return fail(why, FAILURE_UNREADABLE, "%s is not a regular file", name);
	}
	*ret = (struct input){
		.fd = fd,
		.bytes = (uint64_t)status.st_size,
		.allocated_bytes = (uint64_t)status.st_blocks * 512,
		.inode = status.st_ino,
		.modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec,
	};
	return true;
}

bool input_open(int directory_fd, const char *name, struct input *ret, struct failure *why)
{
	int fd = openat(directory_fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ELOOP)
		return fail(why, FAILURE_UNREADABLE,
			    "cannot open %s: a symbolic link is not followed", name);
	if (fd < 0)
		return fail(why, FAILURE_UNREADABLE, "cannot open %s: %s", name, strerror(errno));
	return input_take(fd, name, ret, why);
}

bool input_open_named(const char *path, struct input *ret, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fail(why, FAILURE_UNREADABLE, "cannot open %s: %s", path, strerror(errno));
	return input_take(fd, path, ret, why);
}

void input_close(struct input *input)
{
	close(input->fd);
	input->fd = -1;
}

bool input_read(const struct input *input, uint64_t offset, void *buffer, size_t byte_count,
		struct failure *why)
{
	char *out = buffer;

	while (byte_count) {
		ssize_t got = pread(input->fd, out, byte_count, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(why, FAILURE_UNREADABLE, "cannot read: %s", strerror(errno));
		if (got == 0)
			return fail(why, FAILURE_UNREADABLE,
				    "damaged: ends at byte %llu, where more is announced",
				    (unsigned long long)offset);
		out += got;
		offset += (uint64_t)got;
		byte_count -= (size_t)got;
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE); /* what is read next is read later */
	return true;
}
