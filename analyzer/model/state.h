/* SPDX-License-Identifier: MIT */
/*
 * state.h: what became of each process of a recording, how long it lasted, what the kernel says of
 * it.
 */
#ifndef POOLMEM_MODEL_STATE_H
#define POOLMEM_MODEL_STATE_H

#include "model/recording.h"

/* Where a segment may have neighbours: beside `path`, or among names that were read already; NULL: nowhere. */
struct vicinity {
	const char *path;
	const struct directory *directory;
};

/* Fills in state, exit_status, signal, elapsed and rss. */
void tell_states(struct recording *recording, const struct source *source,
		 const struct vicinity *vicinity);

#endif
