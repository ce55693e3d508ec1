/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* A tree of processes by every way to fork; each frees some of what it inherited, allocates, and ends in its
   own way.   usage: forktree STEPS DEPTH */
#define _GNU_SOURCE 1
#include "mix.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mix m;
static unsigned long steps;

static pid_t by_fork(void)
{
	return fork();
}

static pid_t by_bare_fork(void)
{
	return _Fork();
}

static pid_t by_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The middle process counts nothing, the grandchild goes on. */
static pid_t by_double_fork(void)
{
	pid_t middle = fork();
	if (middle != 0)
		return middle;
	pid_t grandchild = fork();
	if (grandchild != 0) {
		waitpid(grandchild, NULL, 0);
		_exit(0);
	}
	return 0;
}

static void end_somehow(unsigned way)
{
	switch (way % 4) {
	case 0: exit(0);
	case 1: _exit(0);
	case 2: kill(getpid(), SIGKILL); break;
	default: abort();
	}
}

static void grow(unsigned depth)
{
	static pid_t (*const ways[])(void) = {by_fork, by_bare_fork, by_clone, by_double_fork};

	mix_run(&m, steps);
	for (unsigned i = 0; depth > 0 && i < sizeof ways / sizeof *ways; i++) {
		pid_t child = ways[i]();
		if (child == 0) {
			for (unsigned k = i; k < MIX_SLOTS; k += 5) {
				free(m.slots[k]);
				m.slots[k] = NULL;
			}
			grow(depth - 1);
			end_somehow(i + depth);
		}
		mix_run(&m, steps / 4);
		waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	m.random = 7;
	steps = mix_argument(argc, argv, 1, 1000);
	grow((unsigned)mix_argument(argc, argv, 2, 2));
	mix_free_all(&m);
	return 0;
}
