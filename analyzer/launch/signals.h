/* SPDX-License-Identifier: MIT */
/* signals.h: while something runs below us, signals wait until they are asked for. */
#ifndef POOLMEM_LAUNCH_SIGNALS_H
#define POOLMEM_LAUNCH_SIGNALS_H

#include <signal.h>
#include <stdint.h>

struct signals {
	sigset_t taken;
	sigset_t former_mask; /* what runs below us has these again */
	struct sigaction former_chld;
};

/* Takes those that would end this process, and that of children. */
void signals_take(struct signals *ret);
void signals_give_back(const struct signals *signals);

/*
 * Waits so long, or until a child changed or somebody wants an end.  Returns SIGINT, SIGTERM or SIGHUP if one of these came,
 * else 0.
 */
int signals_wait(const struct signals *signals, uint64_t ns_max);

#endif
