/* SPDX-License-Identifier: MIT */
/* library.h: where libpoolmem.so is: beside poolmem (build tree), or in the lib of its prefix. */
#ifndef POOLMEM_LAUNCH_LIBRARY_H
#define POOLMEM_LAUNCH_LIBRARY_H

#include "text/failure.h"

#include <limits.h>

#define LIBRARY_NAME "libpoolmem.so"
#define LIBRARY_OPERATORS "libpoolmem-cxx.so"

/* `given` (--lib) or NULL.  The path is absolute and fit for LD_PRELOAD. */
bool library_find(const char *given, char ret_path[PATH_MAX], struct failure *why);

/*
 * What is preloaded of ours with heap=next: the library, a colon, and the one beside it that sends C++ new and delete through
 * malloc, as other allocators serve these past it.  Where that is missing, the library alone.
 */
void library_with_operators(const char *library, char ret_paths[2 * PATH_MAX]);

/* Whether it is a library that serves malloc. */
bool library_is_allocator(const char *path);

/* The same of another allocator's library. */
bool library_check(const char *given, char ret_path[PATH_MAX], struct failure *why);

#endif
