/* SPDX-License-Identifier: MIT */
/* suppressed.h: which stacks were never meant to free what they left: from files, and what is known here. */
#ifndef POOLMEM_CMD_SUPPRESSED_H
#define POOLMEM_CMD_SUPPRESSED_H

#include "cmd/site_study.h"
#include "study/suppression.h"

#define SUPPRESSIONS_HELP                                                                          \
	{"--suppressions FILE", "lines leak:PATTERN, as LeakSanitizer has them; several times"},   \
	{                                                                                          \
		"--no-default-suppressions", "what libc and the loader keep, too"                  \
	}

/* Adds those of a file. */
bool suppressed_read(struct suppressions *suppressions, const char *path, struct failure *why);

/* As the command line says.  `ret` is to be freed, whether they could be read or not. */
bool suppressed_set(const struct reader *reader, struct suppressions *ret, struct failure *why);

/*
 * site_study_query() less what is suppressed of what was never freed.  is_told: whether that is told at all: names of all of it are
 * looked up only then.  `ret` is to be closed and *ret_suppressions freed, whether they could be read or not.
 */
bool suppressed_query(const struct reader *reader, const char *order, bool is_told,
		      struct suppressions *ret_suppressions, struct site_query *ret,
		      struct failure *why);

#endif
