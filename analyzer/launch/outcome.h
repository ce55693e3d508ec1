/* SPDX-License-Identifier: MIT */
/*
 * outcome.h: what `poolmem run` saw from outside, as the RUN section of a capture.  model/outside.h says
 * what a reader makes of it; members beyond those are
 *
 *     "pid": N, "cwd": text,
 *     "interval_ms": N,                     between samples
 *     "rss_of": "tree" or "main",           main: this kernel does not list children
 *     "processes_dropped": N,               found no room in "processes"
 *     "rusage": {"max_rss", "user_ns", "system_ns", "minor_faults", "major_faults",
 *                "voluntary_switches", "involuntary_switches"},
 *     "host": {"kernel", "machine", "libc", "hostname", "page_bytes", "cpus"},
 *     "warnings": ["what was said before the run", ...]
 */
#ifndef POOLMEM_LAUNCH_OUTCOME_H
#define POOLMEM_LAUNCH_OUTCOME_H

#include "launch/target.h"
#include "launch/watch.h"

#include <jansson.h>

struct outcome {
	char *const *argv;
	const char *directory; /* where the program was started */
	uint64_t run_id;
	const struct target *target;
	const struct watch *watch;
};

/* NULL when there is no memory.  json_decref by the caller. */
json_t *outcome_json(const struct outcome *outcome);

/*
 * The highest resident sum that is known: sampled, or by one process according to the kernel.  0: none,
 * the program ended before it could be looked at.
 */
uint64_t outcome_rss_peak(const struct watch *watch);

#endif
