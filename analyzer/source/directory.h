/* SPDX-License-Identifier: MIT */
/*
 * directory.h: where segments lie, and which there are.
 *
 * `dir=` of the environment variable POOLMEM, else /dev/shm/poolmem-UID, else (no /dev/shm) the
 * same below $TMPDIR or /tmp.  Names are `<16 hex digits: CLOCK_REALTIME ns>-<pid>-<8 hex
 * digits>.pms`: their order is their age.  Only a directory that is ours and that nobody else can
 * write to is believed.
 */
#ifndef POOLMEM_SOURCE_DIRECTORY_H
#define POOLMEM_SOURCE_DIRECTORY_H

#include "text/failure.h"

#include <poolmem/format.h>
#include <stddef.h>
#include <stdint.h>

enum { SEGMENT_NAME_BYTES = 48 };

struct segment_name {
	char text[SEGMENT_NAME_BYTES];
	uint64_t created_ns; /* CLOCK_REALTIME */
	uint32_t pid;
};

struct directory {
	char *path;
	int fd;
	struct segment_name *names; /* newest first */
	size_t name_count;
};

/* The user's directory; a failure of kind NOTHING when there is none. */
bool directory_open(struct directory *ret, struct failure *why);

/* The directory that `file` is in. */
bool directory_open_of(const char *file, struct directory *ret, struct failure *why);

void directory_close(struct directory *directory);

/* Names of the segments in an open directory, newest first.  Freed by the caller. */
struct segment_name *directory_names(int directory_fd, size_t *ret_count);

bool segment_name_parse(const char *text, struct segment_name *ret);

/* A process of a segment. */
struct segment_process {
	struct pm_header header;
	uint32_t leader; /* its chunk */
	struct pm_process record;
};

struct input;

/* The one with this pid, before others the one that has not called exit().  false: there is none. */
bool segment_find_process(const struct input *input, uint32_t pid, struct segment_process *ret);

/* The newest segment in which a process has this pid, running ones first.  NULL: none. */
const struct segment_name *directory_find_pid(const struct directory *directory, uint32_t pid);

/* What tells an exec from another process with the same pid. */
struct exec_trace {
	const struct pm_header *header; /* of the segment that it may have left */
	uint32_t pid, ppid;
	uint64_t start_ticks; /* 0: unknown, a forked child */
	uint64_t began_ns, began_real_ns;
};

/* A later segment of a process that is the same one: what an exec leaves. */
bool is_exec_of(const struct exec_trace *before, const struct pm_header *header,
		const struct pm_process *leader);
bool directory_has_exec_of(const struct directory *directory, const struct exec_trace *before);

#endif
