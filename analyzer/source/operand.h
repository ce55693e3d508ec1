/* SPDX-License-Identifier: MIT */
/*
 * operand.h: what a reader was asked to read.
 *
 *   12345   the newest segment in which a process has this pid, running ones first
 *   last    the newest segment, or the newest capture that `poolmem run` wrote: whichever is newer
 *   else    a path: segment or capture
 */
#ifndef POOLMEM_SOURCE_OPERAND_H
#define POOLMEM_SOURCE_OPERAND_H

#include "text/failure.h"

/*
 * File in the segment directory that holds the path of the newest capture; written by `poolmem
 * run`.
 */
#define LAST_CAPTURE_NAME "last"

/* The path meant, freed by the caller; NULL on failure. */
char *operand_path(const char *operand, struct failure *why);

#endif
