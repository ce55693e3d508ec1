/* SPDX-License-Identifier: MIT */
/*
 * outside.h: what `poolmem run` saw from outside: the RUN section of a capture, JSON.
 *
 *   { "schema": 1,
 *     "command": ["./app", "args"],        as given
 *     "run_id": "hex",                     as in pm_header.run_id
 *     "began_real_ns": N,                  CLOCK_REALTIME
 *     "began_ns": N,                       CLOCK_MONOTONIC; missing: unknown
 *     "elapsed_ns": N,                     from start of the program to its end
 *     "exit": N, "signal": N,              of the program itself; -1: unknown; signal 0: none
 *     "rss_peak": bytes,                   highest sum over the tree, sampled
 *     "rss": [[ms, bytes], ...],           points of the sum over the tree
 *     "processes": [
 *       {"pid": N, "start_ticks": N,       start_ticks may be missing
 *        "exit": N, "signal": N,           missing or -1: unknown
 *        "elapsed_ns": N,                  missing: unknown
 *        "ended_ns": N,                    CLOCK_MONOTONIC; missing: unknown
 *        "running": true,                  still alive when the capture was written
 *        "rss_now": bytes, "rss_peak": bytes } ],
 *     "pid_namespace": N,                  inode of that of all pids here; missing: unknown
 *     "programs": [[pid, N, "path", true], ...],  that processes became, CLOCK_MONOTONIC; true: they loaded the library
 *     "programs_of": "kernel" or "samples", "programs_dropped": N,
 *     "programs_error": text,              why not of the kernel
 *     "threads": [[pid, tid, "name", N, N], ...] }   CLOCK_MONOTONIC: seen with that name first and last
 *
 * Every member may be missing.  Unknown members are kept: they reach `report --json` as they are.
 */
#ifndef POOLMEM_MODEL_OUTSIDE_H
#define POOLMEM_MODEL_OUTSIDE_H

#include "text/failure.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A figure that may not be known. */
struct known {
	bool is_known;
	int64_t value;
};

struct outside_process {
	int64_t pid;
	struct known start_ticks;
	bool running;
	struct known exit_status, signal, elapsed_ns, ended_ns, rss_now, rss_peak;
};

struct outside_thread {
	int64_t pid, tid, first_ns, last_ns;
	const char *name; /* of `json` */
};

struct outside_program {
	int64_t pid, began_ns;
	const char *path; /* of `json` */
	bool has_library;
};

struct outside_rss {
	uint64_t at_ns; /* since the run began */
	uint64_t bytes; /* of the tree */
};

struct outside {
	json_t *json; /* the section as it stands; NULL: the source has none */
	struct known exit_status, signal, elapsed_ns, rss_peak;
	struct known began_ns, began_real_ns;
	struct outside_rss *rss; /* in order of time */
	size_t rss_count;
	struct outside_process *processes; /* by pid */
	size_t process_count;
	struct outside_thread *threads;
	size_t thread_count;
	struct outside_program *programs; /* those of one pid in order of time */
	size_t program_count;
	bool has_programs, programs_of_kernel;
	uint64_t pid_namespace; /* inode of that of all pids here; 0: unknown */
	uint64_t programs_dropped;
	const char *programs_error; /* of `json`; NULL: none */
};

bool outside_parse(const char *text, size_t byte_count, struct outside *ret, struct failure *why);
void outside_free(struct outside *outside);

/* NULL when the run did not see this process.  start_ticks 0: unknown. */
const struct outside_process *outside_find(const struct outside *outside, uint32_t pid,
					   uint64_t start_ticks);

#endif
