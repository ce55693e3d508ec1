/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F6: one thread makes its heap, instruction by instruction; after each one another, which has no heap, forks, and
 * the child allocates.   usage: f06_making FORKS_MAX
 */
#define _GNU_SOURCE 1
#include "fault/step.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SECONDS = 20 };

static volatile int wanted, done; /* atomic */
static long forks, forks_max, bad;

static void wait_for_fork(int signal)
{
	(void)signal;
	if (__atomic_load_n(&done, __ATOMIC_SEQ_CST))
		return;
	__atomic_store_n(&wanted, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&wanted, __ATOMIC_SEQ_CST))
		;
}

static void fork_once(void)
{
	int status = 0;
	pid_t child = fork();
	if (!child) {
		alarm(CHILD_SECONDS);
		void *small = malloc(20), *large = malloc(200000);
		free(small);
		free(large);
		for (int i = 0; i < 2000; i++)
			free(malloc(48));
		_exit(0);
	}
	waitpid(child, &status, 0);
	forks++;
	bad += status != 0;
}

static void *fork_when_wanted(void *unused)
{
	while (!done) {
		if (!__atomic_load_n(&wanted, __ATOMIC_SEQ_CST))
			continue;
		fork_once();
		if (forks >= forks_max)
			__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&wanted, 0, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void *make_heap(void *unused)
{
	step(1);
	free(malloc(40));
	step(0);
	__atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
	return unused;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = wait_for_fork};
	pthread_t forker, maker;
	forks_max = argc > 1 ? atol(argv[1]) : 1000;
	sigaction(SIGTRAP, &action, NULL);
	pthread_create(&forker, NULL, fork_when_wanted, NULL);
	usleep(20000); /* it has begun, whatever it allocates for that */
	pthread_create(&maker, NULL, make_heap, NULL);
	pthread_join(maker, NULL);
	pthread_join(forker, NULL);
	printf("%s, %ld children ended badly\n", forks > 100 ? "stepped" : "not stepped", bad);
	return bad != 0;
}
