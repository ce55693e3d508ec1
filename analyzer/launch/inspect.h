/* SPDX-License-Identifier: MIT */
/*
 * inspect.h: surveys a process that runs, from outside: see PM_INSIDE.
 *
 * Its memory is read as a debugger would, which needs the same rights; it is not stopped and does not notice.
 */
#ifndef POOLMEM_LAUNCH_INSPECT_H
#define POOLMEM_LAUNCH_INSPECT_H

#include "model/recording.h"

/*
 * Gives the process a survey, taken again while RSS or live blocks change by more than half a per cent meanwhile, a few
 * times; the one that drifted least.  false: it has ended, may not be read, or its library does not say where to look.
 */
bool inspect(const struct recording *recording, struct process *process, struct failure *why);

/* A survey as in SURVEY chunks. */
struct inspection {
	void *stream; /* freed by who asked for it */
	size_t bytes;
	uint64_t rss, live_bytes; /* when it was taken; live_bytes: 0: not known */
};

/* The same, taken so many times at most, and not read. */
bool inspect_stream(const struct recording *recording, const struct process *process,
		    unsigned tries, struct inspection *ret, struct failure *why);

/*
 * For who shows surveys of a moment: each process of a segment that runs gets one, of now; of those that cannot be
 * looked at it is said why.
 */
void inspect_running(struct recording *recording, enum moment moment);

#endif
