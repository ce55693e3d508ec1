/* SPDX-License-Identifier: MIT */
/* pack.h: a copy of a capture or a segment that holds the names of its code, too. */
#ifndef POOLMEM_LAUNCH_PACK_H
#define POOLMEM_LAUNCH_PACK_H

#include "model/naming.h"

#include <limits.h>

struct pack_request {
	const char *path;   /* segment or capture */
	const char *output; /* NULL: named after it, here */
	bool to_stdout;     /* instead */
	bool overwrite, ask_network;
	struct progress *progress; /* NULL: nobody watches */
};

struct pack {
	char path[PATH_MAX]; /* absolute; empty: it went to the standard output */
	uint64_t bytes;
	bool is_cut_short; /* as it was before */
	struct recording recording;
	struct naming *naming; /* knows what was missing */
	struct packing_sums names;
};

/* `ret` must stay where it is until it is closed. */
bool pack_make(const struct pack_request *request, struct pack *ret, struct failure *why);
void pack_close(struct pack *pack);

#endif
