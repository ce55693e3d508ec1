/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* Starts a program by vfork and exec, fork and exec, posix_spawn, system, and allocates in between.
   usage: spawn ROUNDS PROGRAM ARGUMENT... */
#define _GNU_SOURCE 1
#include "mix.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mix m;

static void by_vfork(char **command)
{
	pid_t child = vfork();
	if (child == 0) {
		execv(command[0], command);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

/* The child counts its own calls, then those of the program it becomes. */
static void by_fork(char **command)
{
	pid_t child = fork();
	if (child == 0) {
		mix_run(&m, 333);
		execv(command[0], command);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

static void by_spawn(char **command)
{
	pid_t child;
	if (posix_spawn(&child, command[0], NULL, NULL, command, environ) == 0)
		waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	unsigned long rounds = mix_argument(argc, argv, 1, 1);
	if (argc < 3)
		return 2;
	for (unsigned long i = 0; i < rounds; i++) {
		mix_run(&m, 1000);
		by_vfork(argv + 2);
		mix_run(&m, 1000);
		by_fork(argv + 2);
		mix_run(&m, 1000);
		by_spawn(argv + 2);
		if (system("exit 3") == -1)
			return 1;
	}
	return 0;
}
