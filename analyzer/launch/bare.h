/* SPDX-License-Identifier: MIT */
/*
 * bare.h: one run of a command under an allocator, looked at from outside: how long it took, what was resident, how it
 * ended.  Nothing of ours is in it, unless the environment says so.
 *
 * A server runs until what loads it is through:
 *
 *   program --> `ready` says 0 --> `load`, from start to end --> `stop` --> it ends
 */
#ifndef POOLMEM_LAUNCH_BARE_H
#define POOLMEM_LAUNCH_BARE_H

#include "launch/target.h"
#include "launch/timeline.h"
#include "text/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct bare_plan {
	char *const *argv; /* NULL at the end */
	const struct target *target;
	char *const *environment; /* of the program */
	uint64_t interval_ns;     /* between two looks at what is resident */
	bool shows_output;        /* of the program, on stderr; else nowhere */
	const char *load;         /* a shell command; NULL: no server */
	const char *ready;        /* the same; NULL: it is ready at once */
	int stop_signal;          /* of a server, when the load is through */
	uint64_t timeout_ns; /* the most that the program, `load` or `ready` may take; 0: none, but for `ready` READY_SECONDS */
	void (*tell)(void *context, const char *what,
		     uint64_t waited_ns); /* each second: what is waited for.  NULL: nobody asks */
	void *context;
};

enum { READY_SECONDS = 60 };

/* What is resident is that of the program and all below it, in bytes. */
struct bare_run {
	int wait_status;     /* of the program */
	uint64_t elapsed_ns; /* of a server: of its load */
	uint64_t cpu_ns;     /* user and system, of those that were waited for */
	uint64_t faults;     /* of pages, likewise */
	uint64_t rss_peak; /* as sampled, or of the largest process as the kernel saw it: what is more */
	uint64_t rss_end; /* last look; of a server: when the load was through.  0: nobody looked in time */
	uint64_t rss_mean;  /* over time */
	uint64_t heap_peak; /* highest of memory of no file */
	uint64_t heap_end,
		heap_end_ns; /* the same at the last look, and when that was: CLOCK_MONOTONIC */
	int interrupted;     /* SIGINT, SIGTERM or SIGHUP that came for this process; 0: none did */
	uint64_t processes;  /* that were seen: of the program and below it */
	struct timeline timeline; /* of what is resident, since it began */
};

/*
 * false: it could not be started, took too long, or its load failed, as `why` says.  However the program ended is no failure
 * here but that of a server before its load was through.  A signal that would end this process ends what runs.
 */
bool bare_run(const struct bare_plan *plan, struct bare_run *ret, struct failure *why);

#endif
