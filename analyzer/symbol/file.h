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

/* Room for the file, freed by the caller; zero until it is read, and behind its end.  NULL: there is not as much. */
char *file_room(const struct file *file);

/*
 * Reads a part of the file to where it belongs in its room.  False: it could not be read, or is not in the file.  By
 * read, not mmap: a file that is cut while it is read is no signal.
 */
bool file_read_part(const struct file *file, char *room, uint64_t offset, uint64_t byte_count);

/* All of it, freed by the caller; false when it could not be read whole.  NULs stand behind. */
bool file_read(const struct file *file, char **ret_bytes);

#endif
