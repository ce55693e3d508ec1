/* SPDX-License-Identifier: MIT */
/*
 * input.h: a regular file, read by pread into the caller's buffer, never mapped: a file that
 * shrinks under a mapping would kill the reader.
 */
#ifndef POOLMEM_SOURCE_INPUT_H
#define POOLMEM_SOURCE_INPUT_H

#include "text/failure.h"

#include <stddef.h>
#include <stdint.h>

struct input {
	int fd;
	uint64_t bytes;           /* size when it was opened */
	uint64_t allocated_bytes; /* of its blocks on the disk or in memory, then */
	uint64_t inode;
	int64_t modified_ns; /* CLOCK_REALTIME */
};

/* Opens `name` below directory_fd (AT_FDCWD: where we are).  Follows no link, waits for no pipe. */
bool input_open(int directory_fd, const char *name, struct input *ret, struct failure *why);

/* The same of a file that the user named: where it is a link, what that leads to. */
bool input_open_named(const char *path, struct input *ret, struct failure *why);

/* Takes over an open descriptor; closes it when false is returned. */
bool input_take(int fd, const char *name, struct input *ret, struct failure *why);

void input_close(struct input *input);

/* All bytes or false: a short file is a failure that says so. */
bool input_read(const struct input *input, uint64_t offset, void *buffer, size_t byte_count,
		struct failure *why);

#endif
