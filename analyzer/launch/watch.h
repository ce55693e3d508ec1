/* SPDX-License-Identifier: MIT */
/*
 * watch.h: stays with a running program: passes signals on, samples what is resident, has finished segments
 * collected, waits.
 *
 * watch_prepare comes before the fork: it blocks the signals that watch_run then takes one by one, so no
 * handler exists and nothing is lost between two looks.
 */
#ifndef POOLMEM_LAUNCH_WATCH_H
#define POOLMEM_LAUNCH_WATCH_H

#include "launch/collect.h"
#include "launch/family.h"
#include "launch/peak.h"
#include "launch/programs.h"
#include "launch/timeline.h"

#include <signal.h>
#include <sys/resource.h>

struct watch {
	pid_t child;
	uint64_t interval_ns;        /* between samples; longer when a sample itself takes long */
	uint64_t began_real_ns;      /* CLOCK_REALTIME */
	uint64_t began_ns, ended_ns; /* CLOCK_MONOTONIC, of the child */
	uint64_t used_before_ns;     /* processor time of poolmem when it began */
	uint64_t timeout_ns;         /* from the beginning on; 0: none */
	bool timed_out;              /* so the child and all below it were killed */
	bool ends_all;               /* what runs on when the child has ended is killed, too */
	size_t outlived;             /* processes that ran on when the child had ended */
	bool has_forked;             /* it had children of its own: known when it has ended */
	int interrupted; /* SIGINT, SIGTERM, SIGHUP or SIGQUIT that came for this process; 0: none did */
	bool ended;
	int wait_status;     /* of the child */
	struct rusage usage; /* of the child and what it waited for */
	uint64_t rss_peak;   /* highest sum over the tree */
	uint64_t rss_floor; /* ru_maxrss counts poolmem's own pages before exec: up to here it says nothing */
	sigset_t signals, former_mask;
	struct sigaction former_chld;
	struct timeline timeline;
	struct peak peak;
	struct programs programs;
	struct family family;
};

void watch_prepare(struct watch *watch);

/* Begins the clock.  To be called when the program is let go. */
void watch_begin(struct watch *watch, pid_t child);

/* Collects meanwhile.  Returns when the child has ended and what ended with it is waited for. */
void watch_run(struct watch *watch, struct collect *collect);

uint64_t watch_elapsed_ns(const struct watch *watch);

#endif
