/* SPDX-License-Identifier: MIT */
/* traces.h: the traces of a run: where they go, and how they are packed when it has ended. */
#ifndef POOLMEM_LAUNCH_TRACES_H
#define POOLMEM_LAUNCH_TRACES_H

#include "text/failure.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct traces {
	char pattern[PATH_MAX]; /* absolute; %p stands for the id of a process */
	size_t count;           /* of files packed */
	size_t unpacked;        /* that stay as they were recorded */
	uint64_t bytes;         /* of these */
	uint64_t largest_bytes;
	char *largest; /* path of the largest; freed by the caller */
};

/*
 * `pattern` as given, or NULL: poolmem.NAME.%p.pmt, with the name of the command.  A file that is there is removed when
 * `overwrite` is set.
 */
bool traces_place(const char *pattern, const char *command, bool overwrite, struct traces *ret,
		  struct failure *why);

/* Whether a path or pattern of a capture and that of the traces, NULL for the default, are the same file of one directory. */
bool traces_has_name(const char *pattern, const char *capture);

/* Whether each program has a file of its own; else the first one has it alone. */
bool traces_are_apart(const struct traces *traces);

/* Packs each file of the run; says of which it cannot. */
void traces_pack(struct traces *traces, uint64_t run_id);

#endif
