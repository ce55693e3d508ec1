/* SPDX-License-Identifier: MIT */
/* library.h: where libpoolmem.so is: beside poolmem (build tree), or in the lib of its prefix. */
#ifndef POOLMEM_LAUNCH_LIBRARY_H
#define POOLMEM_LAUNCH_LIBRARY_H

#include "text/failure.h"

#include <limits.h>

#define LIBRARY_NAME "libpoolmem.so"

/* `given` (--lib) or NULL.  The path is absolute and fit for LD_PRELOAD. */
bool library_find(const char *given, char ret_path[PATH_MAX], struct failure *why);

/* The same of another allocator's library. */
bool library_check(const char *given, char ret_path[PATH_MAX], struct failure *why);

#endif
