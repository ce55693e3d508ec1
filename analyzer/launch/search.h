/* SPDX-License-Identifier: MIT */
/* search.h: which file a command is, as execvp looks for it; and which one a script is read by. */
#ifndef POOLMEM_LAUNCH_SEARCH_H
#define POOLMEM_LAUNCH_SEARCH_H

#include <limits.h>
#include <stdbool.h>

/* 0, or the error with which execvp would fail.  ret_path is set on success alone. */
int search_command(const char *command, const char *search_path, char ret_path[PATH_MAX]);

enum { SCRIPT_LINE_MAX = 256 }; /* what Linux reads of a #! line */

struct script {
	char interpreter[SCRIPT_LINE_MAX];
	char argument[SCRIPT_LINE_MAX]; /* the rest of the line; may be empty */
};

/* True when the file begins with "#!" and a path. */
bool script_read(int fd, struct script *ret_script);

/* For `env [options] [NAME=VALUE] COMMAND ...`: copies COMMAND out of the argument. */
bool script_env_command(const struct script *script, char ret_command[SCRIPT_LINE_MAX]);

#endif
