/* SPDX-License-Identifier: MIT */
/* separate.h: the files that hold what was stripped from another one.  What is found fits, or is not found. */
#ifndef POOLMEM_SYMBOL_SEPARATE_H
#define POOLMEM_SYMBOL_SEPARATE_H

#include "symbol/binary.h"

/* dirs: as in options.  The debug information of `of`. */
bool separate_open(const struct binary *of, const char *dirs, struct binary *ret);

/* The same, from a server. */
bool separate_fetch(const struct binary *of, struct binary *ret);

/* What several files of debug information share (.gnu_debugaltlink).  ret_is_needed: it names such a file. */
bool separate_open_shared(const struct binary *of, const char *dirs, struct binary *ret,
			  bool *ret_is_needed);

#endif
