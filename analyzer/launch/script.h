/* SPDX-License-Identifier: MIT */
/*
 * script.h: makes a process of a trace ready for poolmem-replay: replay/script.h says what a script is.
 *
 *   events in order --> blocks by address become slots --> a chain of chunks for each thread, in a temporary file
 *
 * Across threads a step waits for the one that dealt with its block or slot before, and threads stay within some thousand
 * events of each other.  Memory: a chunk for each thread that lives, a few words for each block that does.
 */
#ifndef POOLMEM_LAUNCH_SCRIPT_H
#define POOLMEM_LAUNCH_SCRIPT_H

#include "model/trace.h"
#include "text/progress.h"

#include <limits.h>

struct script_facts {
	uint64_t events;  /* allocations, frees, reallocs */
	uint64_t threads; /* that made any */
	uint64_t unknown; /* frees and reallocs of blocks whose allocation is not in the trace: left out */
	uint64_t implied;   /* frees that are not in the trace, told by what got the address next */
	uint64_t live_peak; /* bytes asked for that lived at a time */
	uint64_t live_end;
};

/* Writes to `fd`, an empty file that stays open. */
bool script_make(struct trace *trace, int fd, struct script_facts *ret, struct failure *why);

#endif
