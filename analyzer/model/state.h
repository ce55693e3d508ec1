/* SPDX-License-Identifier: MIT */
/*
 * state.h: what became of each process of a recording, how long it lasted, what the kernel says of
 * it.
 */
#ifndef POOLMEM_MODEL_STATE_H
#define POOLMEM_MODEL_STATE_H

#include "model/recording.h"

/*
 * Fills in state, exit_status, signal, elapsed and rss.  path: of a segment; NULL: has no
 * neighbours.
 */
void tell_states(struct recording *recording, const struct source *source, const char *path);

#endif
