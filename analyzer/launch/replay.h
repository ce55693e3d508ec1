/* SPDX-License-Identifier: MIT */
/* replay.h: poolmem-replay under one allocator after the other. */
#ifndef POOLMEM_LAUNCH_REPLAY_H
#define POOLMEM_LAUNCH_REPLAY_H

#include "launch/allocators.h"
#include "replay/script.h"
#include "study/compare.h"
#include "text/progress.h"

#include <stdbool.h>

struct replay_plan {
	const char *script;
	const char *mode; /* of replay/script.h */
	size_t runs; /* under each, in turn: what slows the machine down for a while is shared by all */
	uint64_t timeout_ns;                /* the most that a replay may take; 0: any time */
	const struct compare_replay *facts; /* of the trace */
	struct progress *progress;
};

/*
 * Those that are not here are rows that are missing.  A signal that would end this process ends it early
 * (comparison.interrupted): it then holds what was finished.  false: no replay came to its end.  `facts` and allocators must
 * stay.
 */
bool replay_run(const struct replay_plan *plan, const struct allocators *allocators,
		struct comparison *ret, struct failure *why);

#endif
