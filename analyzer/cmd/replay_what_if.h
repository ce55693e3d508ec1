/* SPDX-License-Identifier: MIT */
/* replay_what_if.h: `poolmem replay --what-if`: under our own allocator, with other values of its parameters. */
#ifndef POOLMEM_CMD_REPLAY_WHAT_IF_H
#define POOLMEM_CMD_REPLAY_WHAT_IF_H

#include "launch/replay.h"
#include "launch/variants.h"

struct replay_what_if {
	const struct variant_choice *choice;
	const char *library, *output; /* NULL: as usual */
	bool json;
};

/* Replays and shows.  plan: all but who watches is as for any replay. */
bool replay_what_if(const struct replay_what_if *asked, const struct replay_plan *plan,
		    struct failure *why);

#endif
