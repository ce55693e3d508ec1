/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F6: a child is told to end, and its handler calls exit(), wherever that interrupts its first calls: beside many
 * blocks these take a while.   usage: f06_exit FORKS
 */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 100000, CHILD_SECONDS = 5 };

static void leave(int signal)
{
	(void)signal;
	exit(0);
}

static void work(void)
{
	alarm(CHILD_SECONDS);
	for (;;) {
		free(malloc(100000));
		free(malloc(3000));
	}
}

int main(int argc, char **argv)
{
	int forks = argc > 1 ? atoi(argv[1]) : 20, bad = 0;
	static void *block[BLOCKS];
	for (int i = 0; i < BLOCKS; i++)
		block[i] = malloc(60000);
	signal(SIGTERM, leave);
	for (int i = 0; i < forks && bad < 3; i++) {
		int status = 0;
		pid_t child = fork();
		if (!child)
			work();
		usleep(200 + (useconds_t)i * 50);
		kill(child, SIGTERM);
		waitpid(child, &status, 0);
		bad += status != 0;
	}
	printf("%d children ended badly\n", bad);
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	return 0;
}
