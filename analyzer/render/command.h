/* SPDX-License-Identifier: MIT */
/*
 * command.h: command lines as a reader would type them (text/quote.h).  The whole, byte for byte, is in the JSON.
 */
#ifndef POOLMEM_RENDER_COMMAND_H
#define POOLMEM_RENDER_COMMAND_H

#include "study/study.h"

/* Of a process: its arguments, or its executable where they were not recorded.  Freed by the caller. */
char *command_of(const struct study *study, const struct process *process);

/* A command line; NULL at the end.  Freed by the caller. */
char *command_line(char *const *argv);

/* What `poolmem run` was given, or the first process's.  Freed by the caller. */
char *command_of_all(const struct study *study);

#endif
