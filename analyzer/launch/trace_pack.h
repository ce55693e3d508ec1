/* SPDX-License-Identifier: MIT */
/* trace_pack.h: a copy of a trace, packed; of one that a killed program left as well. */
#ifndef POOLMEM_LAUNCH_TRACE_PACK_H
#define POOLMEM_LAUNCH_TRACE_PACK_H

#include "launch/pack.h"

struct packed_trace {
	char path[PATH_MAX];            /* empty: it went to the standard output */
	uint64_t bytes, unpacked_bytes; /* the first: 0: it went there */
};

/* Writes to `fd`, which it closes.  Says so when recording ended before the program did. */
bool trace_pack(const char *path, int fd, struct failure *why);

bool trace_pack_takes(const char *path);

/* As pack_make() does of what is no trace. */
bool trace_pack_make(const struct pack_request *request, struct packed_trace *ret,
		     struct failure *why);

#endif
