/* SPDX-License-Identifier: MIT */
/*
 * family.h: the processes below this one, as /proc shows them: who lives, how much is resident, how they
 * ended.  This process is their subreaper, so orphans stay in the tree until they are waited for.
 */
#ifndef POOLMEM_LAUNCH_FAMILY_H
#define POOLMEM_LAUNCH_FAMILY_H

#include "launch/threads.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAMILY_MEMBER_MAX = 4096, FAMILY_BUCKETS = 1024 };

struct family_member {
	pid_t pid;
	pid_t parent;         /* by the last sample */
	uint64_t start_ticks; /* 0: unknown */
	uint64_t rss_now, rss_peak;
	uint64_t seen_in; /* number of the last sample that found it */
	bool was_below;   /* seen as a child of another, or the first */
	bool ended;
	int wait_status; /* when ended */
	uint16_t next;   /* in its bucket, plus 1 */
};

struct family {
	size_t count;
	uint64_t dropped; /* processes that found no room */
	uint64_t samples;
	pid_t first; /* what was started */
	bool whole;  /* false: this kernel does not list children, only the first one is seen */
	uint16_t bucket[FAMILY_BUCKETS]; /* index plus 1 */
	struct family_member member[FAMILY_MEMBER_MAX];
	struct threads threads;
};

/* Looks at every process below this one, and its threads; `child` is the first.  The sum of their resident bytes. */
uint64_t family_sample(struct family *family, pid_t child);

/* The same of one process and those below it alone. */
uint64_t family_sample_of(struct family *family, pid_t first);

/*
 * Children that this process has now are not of any family: to be called before the first program is started, later calls do
 * nothing.  A shell that has started something in the background may become poolmem by exec.
 */
void family_leave_out_others(void);

/* True for a child of those, and only while it is not waited for. */
bool family_is_stranger(pid_t pid);

/* True while there are children that are none of those, alive or not waited for. */
bool family_has_children(void);

/* Sends a signal to a process that was seen; not to another that has its pid by now. */
void family_kill(const struct family_member *member, int number);

/* The same to all that the last sample found alive. */
void family_kill_running(const struct family *family, int number);

/* Notes how a process ended.  To be called before it is waited for, while /proc still has it. */
void family_note_end(struct family *family, pid_t pid, int wait_status);

/* True when the last sample found it alive. */
bool family_is_running(const struct family *family, const struct family_member *process);

/* What is resident of a process, by the last sample, bytes; 0: it did not find it. */
uint64_t family_rss_of(const struct family *family, pid_t pid);

/* True when `pid` is this process's child, or a child of one, ... */
bool family_is_below_us(pid_t pid);

/* True when it has waited for a child: each has had page faults. */
bool family_had_children(pid_t pid);

/* The state letter of /proc/PID/stat, 0 when there is none. */
char family_state_of(pid_t pid);

#endif
