/* SPDX-License-Identifier: MIT */
/*
 * name.h: the name of a capture, from a pattern.
 *
 *   %e name of the program   %p its pid   %h host   %t seconds since 1970   %n first number not taken
 *   %% a percent sign
 */
#ifndef POOLMEM_LAUNCH_NAME_H
#define POOLMEM_LAUNCH_NAME_H

#include "text/failure.h"

#include <limits.h>
#include <sys/types.h>

#define NAME_DEFAULT "poolmem.%e.%p.pm"

struct name_facts {
	const char *command; /* as given */
	pid_t pid;
};

/* False for a pattern that holds another letter after %, or ends in a slash or %. */
bool name_check(const char *pattern, struct failure *why);

/*
 * Expands a checked pattern.  Fails when the file is there already and `overwrite` is not set, when it is
 * no regular file, or when its directory cannot be written to.
 */
bool name_make(const char *pattern, const struct name_facts *facts, bool overwrite,
	       char ret_path[PATH_MAX], struct failure *why);

/* The same of a path that is no pattern. */
bool name_check_place(const char *path, bool overwrite, struct failure *why);

#endif
