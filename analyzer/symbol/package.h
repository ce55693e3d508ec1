/* SPDX-License-Identifier: MIT */
/* package.h: which Debian package a file is of, and which has its debug symbols: from dpkg's own lists, no network. */
#ifndef POOLMEM_SYMBOL_PACKAGE_H
#define POOLMEM_SYMBOL_PACKAGE_H

#include "text/buffer.h"

#include <stdbool.h>

/* Begin with zero. */
struct packages {
	struct buffer files; /* of all packages: "\n*package\n/path\n/path\n..." */
	bool is_read;
};

/* dir: where dpkg keeps its lists; NULL: /var/lib/dpkg/info.  Freed by the caller; NULL: of none that is known. */
char *package_of(struct packages *packages, const char *dir, const char *path);

/* Whether there are packages at all. */
bool packages_known(const struct packages *packages);

/* What has the debug symbols of a package.  Freed by the caller. */
char *package_debug(const char *package);

void packages_free(struct packages *packages);

#endif
