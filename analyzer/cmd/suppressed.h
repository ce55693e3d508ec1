/* SPDX-License-Identifier: MIT */
/* suppressed.h: which stacks were never meant to free what they left: from files, and what is known here. */
#ifndef POOLMEM_CMD_SUPPRESSED_H
#define POOLMEM_CMD_SUPPRESSED_H

#include "cmd/reader.h"
#include "study/suppression.h"

#define SUPPRESSIONS_HELP                                                                          \
	{"--suppressions FILE", "lines leak:PATTERN, as LeakSanitizer has them; several times"},   \
	{                                                                                          \
		"--no-default-suppressions", "what libc and the loader keep, too"                  \
	}

/* As the command line says.  `ret` is to be freed, whether they could be read or not. */
bool suppressed_set(const struct reader *reader, struct suppressions *ret, struct failure *why);

#endif
