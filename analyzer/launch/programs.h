/* SPDX-License-Identifier: MIT */
/*
 * programs.h: which programs the processes of a run become, whether they load the library or not.
 *
 * Where the kernel lets us (perf_event_open(2)), it tells of each exec in the tree, however short the program lives, by rings of
 * events that all below the child inherit; nothing is different for them.  Elsewhere only those are known that live while the
 * tree is sampled.
 */
#ifndef POOLMEM_LAUNCH_PROGRAMS_H
#define POOLMEM_LAUNCH_PROGRAMS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROGRAMS_MAX = 1 << 16, PROGRAMS_RINGS_MAX = 256 };

struct program {
	pid_t pid;
	uint64_t began_ns; /* CLOCK_MONOTONIC: of its exec; of a sample: when it was seen first */
	char *path;        /* of the executable, or only the kernel's name of 15 letters */
	bool is_whole_path;
	bool has_library; /* the library was mapped into it */
};

struct programs_ring {
	int fd;
	void *pages;
};

/* What the kernel told, and what was not taken yet: another ring may still have an older one. */
struct programs_record {
	struct perf_event_header *header; /* the record, owned */
	uint64_t at_ns;                   /* CLOCK_MONOTONIC */
	size_t order;                     /* as it was read: of one ring as it was written */
};

struct programs {
	struct program *list; /* those of one pid in the order of time */
	size_t count, room;
	uint64_t dropped; /* by the kernel, or they found no room here */
	pid_t child;      /* the first of them; 0: nothing is asked for */
	int error;        /* errno of why the kernel tells of none, and samples do; 0: it tells */
	struct programs_ring ring[PROGRAMS_RINGS_MAX]; /* one for each processor */
	size_t ring_count, ring_bytes;
	struct programs_record *held;
	size_t held_count, held_room, read_count;
};

/* child: forked, and not yet a program of its own. */
void programs_open(struct programs *programs, pid_t child);

/* Takes what the kernel told since, in order of time over all processors; the newest may wait for the next look. */
void programs_look(struct programs *programs);

/* A sample found this process alive; where the kernel tells of programs that says nothing new. */
void programs_saw(struct programs *programs, pid_t pid, pid_t parent);

/* Takes all that waits.  No more is told; the list stays. */
void programs_close(struct programs *programs);
void programs_free(struct programs *programs);

#endif
