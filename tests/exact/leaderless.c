/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * A forked child whose first thread ends while a second goes on, and more children than there are areas without
 * using those of the dead again.   usage: leaderless CHILDREN STEPS
 */
#include "mix.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mix m;
static int others_are_gone[2];
static unsigned long steps;

static void *outlive(void *unused)
{
	char byte;
	if (read(others_are_gone[0], &byte, 1) != 1)
		_exit(1);
	for (unsigned long i = 0; i < steps; i++) /* its fast paths alone: no area of its own yet */
		free(malloc(48));
	_exit(0);
	return unused;
}

static void child_without_leader(void)
{
	pthread_t thread;
	free(malloc(10));
	if (pthread_create(&thread, NULL, outlive, NULL))
		_exit(2);
	pthread_exit(NULL);
}

int main(int argc, char **argv)
{
	unsigned long children = mix_argument(argc, argv, 1, 200);
	int status;
	steps = mix_argument(argc, argv, 2, 1000);
	if (pipe(others_are_gone))
		return 1;
	pid_t leaderless = fork();
	if (!leaderless)
		child_without_leader();
	usleep(100000); /* its first thread ends */
	for (unsigned long i = 0; i < children; i++) {
		pid_t child = fork();
		if (!child) {
			mix_run(&m, 20);
			_exit(0);
		}
		mix_run(&m, 10);
		waitpid(child, NULL, 0);
	}
	if (write(others_are_gone[1], "x", 1) != 1 || waitpid(leaderless, &status, 0) != leaderless)
		return 1;
	return status != 0;
}
