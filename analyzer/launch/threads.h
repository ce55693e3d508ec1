/* SPDX-License-Identifier: MIT */
/*
 * threads.h: the names of threads, as /proc shows them from outside, and when each was seen.
 *
 * A number may be another thread's later, and a thread may take another name: each name of a number stands by itself.
 */
#ifndef POOLMEM_LAUNCH_THREADS_H
#define POOLMEM_LAUNCH_THREADS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { THREAD_NAME_BYTES = 16, THREADS_MAX = 65536, THREAD_BUCKETS = 4096 };

struct seen_thread {
	pid_t pid, tid;
	char name[THREAD_NAME_BYTES];
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC */
	uint32_t next;              /* in its bucket, plus 1: the one that was added before */
};

/* All zero at first. */
struct threads {
	struct seen_thread *list;
	size_t count, room;
	uint64_t dropped; /* that found no room */
	uint32_t bucket[THREAD_BUCKETS];
};

/* The name of the process is that of its first thread. */
void threads_saw(struct threads *threads, pid_t pid, pid_t tid, const char *name, uint64_t now_ns);

/* Looks at all other threads of the process. */
void threads_look(struct threads *threads, pid_t pid, uint64_t now_ns);

void threads_free(struct threads *threads);

#endif
