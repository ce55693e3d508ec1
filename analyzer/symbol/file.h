/* SPDX-License-Identifier: MIT */
/*
 * file.h: the only door to files whose names come out of a capture or out of another such file (F36).
 *
 * What is opened is a regular file on a file system that holds files: no device, no pipe, nothing of /proc.
 */
#ifndef POOLMEM_SYMBOL_FILE_H
#define POOLMEM_SYMBOL_FILE_H

#include "symbol/gap.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file {
	int fd;
	uint64_t bytes;
	uid_t owner;
};

/* ret_lack: why not. */
bool file_open(const char *path, struct file *ret, enum symbol_lack *ret_lack);
void file_close(struct file *file);

/*
 * Freed by the caller; false when it could not be read whole.  NULs stand behind.  By read, not mmap: a file that
 * is cut while it is read is no signal.
 */
bool file_read(const struct file *file, char **ret_bytes);

#endif
