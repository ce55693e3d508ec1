/* SPDX-License-Identifier: MIT */
/*
 * child.h: the program as a child process.  It is forked first and waits, so that its pid is known while
 * it still can be called off; child_release lets it exec.
 */
#ifndef POOLMEM_LAUNCH_CHILD_H
#define POOLMEM_LAUNCH_CHILD_H

#include "text/failure.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int go;               /* a byte here lets it exec; closed without one: it leaves */
	int error;            /* errno of a failed exec comes out here */
	bool draws_addresses; /* when released: they could not be fixed */
};

struct child_plan {
	const char *path; /* exec'ed as it is; NULL: argv[0], found and shell scripts read as by execvp */
	char *const *argv, *const *environment; /* NULL at the end */
	const sigset_t *mask;                   /* signal mask of the program */
	const struct sigaction *chld; /* its disposition of SIGCHLD, which this process may have changed */
	const int *streams; /* descriptors that become 0, 1 and 2 there; NULL: those of this process */
	uint64_t *shared_peak; /* the most that was resident of the child when it execs: ru_maxrss begins with that.  NULL: not asked */
	bool has_fixed_addresses; /* the kernel draws none at random */
};

bool child_fork(const struct child_plan *plan, struct child *ret, struct failure *why);

/* 0 when the program runs, else the errno of exec, with the child gone. */
int child_release(struct child *child);

/* The program is not to run after all. */
void child_call_off(struct child *child);

#endif
