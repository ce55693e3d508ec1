/* SPDX-License-Identifier: MIT */
/*
 * allocators.h: the allocators that a program can run under here: which there are, where their libraries lie, and the
 * package that brings those that are missing.
 */
#ifndef POOLMEM_LAUNCH_ALLOCATORS_H
#define POOLMEM_LAUNCH_ALLOCATORS_H

#include "text/failure.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * In the order in which they are shown.  X("name", KIND, "libraries, the first that is found", "variable", "package")
 * Names of libraries are those that the loader knows; a variable is set as well.
 */
#define ALLOCATORS(X)                                                                              \
	X("glibc", GLIBC, "libc.so.6", NULL, "libc6")                                              \
	X("glibc-1-arena", GLIBC, "libc.so.6", "MALLOC_ARENA_MAX=1", "libc6")                      \
	X("jemalloc", LIBRARY, "libjemalloc.so.2", NULL, "libjemalloc2")                           \
	X("mimalloc", LIBRARY, "libmimalloc.so.3 libmimalloc.so.2 libmimalloc.so.2.0", NULL,       \
	  "libmimalloc2.0")                                                                        \
	X("tcmalloc", LIBRARY, "libtcmalloc_minimal.so.4 libtcmalloc.so.4", NULL,                  \
	  "libtcmalloc-minimal4")                                                                  \
	X("tbbmalloc", LIBRARY, "libtbbmalloc_proxy.so.2", NULL, "libtbbmalloc2")                  \
	X("poolmem", POOLMEM, "", NULL, NULL)

enum allocator_kind {
	ALLOCATOR_GLIBC, /* libc's own: preloaded only where the program is linked with another */
	ALLOCATOR_LIBRARY,
	ALLOCATOR_POOLMEM, /* libpoolmem.so */
};

struct allocator {
	const char *name;
	enum allocator_kind kind;
	const char *variable;   /* NAME=VALUE to be set as well; NULL: none */
	const char *package;    /* that brings it; NULL: none is known */
	char path[PATH_MAX];    /* of the library; empty: it is missing */
	struct failure missing; /* why */
};

enum { ALLOCATOR_MAX = 32 };

struct allocators {
	struct allocator list[ALLOCATOR_MAX];
	size_t count;
};

/* Where the loader finds the library of that name.  false: nowhere. */
bool allocators_locate(const char *name, char ret_path[PATH_MAX]);

/* Looks for all that are known.  libpoolmem: its path, of the caller. */
void allocators_find(const char *libpoolmem, struct allocators *ret);

/*
 * Adds one given as NAME=PATH, or puts it in the place of the one of that name.  false: not of that form, or too many.  One
 * whose file is no use is added as missing.
 */
bool allocators_add(struct allocators *allocators, const char *given, struct failure *why);

/* NULL: there is none of that name. */
struct allocator *allocators_named(struct allocators *allocators, const char *name);

/* Keeps those alone that are wanted, by their places in the list. */
void allocators_keep(struct allocators *allocators, const bool wanted[ALLOCATOR_MAX]);

/* Lets go of the names that were given. */
void allocators_free(struct allocators *allocators);

#endif
