/* SPDX-License-Identifier: MIT */
/* counted.h: what a run left behind whose calls libpoolmem.so counted: how much was live when so much was resident. */
#ifndef POOLMEM_LAUNCH_COUNTED_H
#define POOLMEM_LAUNCH_COUNTED_H

#include "launch/bare.h"
#include "launch/scratch.h"
#include "study/compare.h"

/* A directory of its own for the segments of such runs, in shared memory where there is some. */
struct counted {
	struct scratch scratch;
};

bool counted_open(struct counted *ret, struct failure *why);
void counted_clear(const struct counted *counted); /* of all in it */
void counted_close(const struct counted *counted); /* and all in it */

/* Reads what the run left, and removes it.  is_next: with heap=next.  false: nothing that can be read. */
bool counted_take(const struct counted *counted, const struct bare_run *run, bool is_next,
		  struct compare_heap *ret, struct failure *why);

#endif
