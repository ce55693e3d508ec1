/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/*
 * A thread frees small blocks of main's, too few to be handed over at once, and then ticks, trims, ends or falls idle for
 * good.  Main looks whether it is given one of them again; or forks, and its child frees another.
 *
 * usage: waiting tick|trim|end|idle|fork
 */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 64, BLOCKS = 10, FREED = 5, TICKING = 20000, POOLS = 3000 };

static void *block[BLOCKS];
static atomic_int freed;

static void *free_some(void *argument)
{
	const char *then = argument;
	free(malloc(BYTES));
	for (int i = 0; i < FREED; i++)
		free(block[i]);
	for (int i = 0; i < TICKING && strcmp(then, "tick") == 0; i++)
		free(malloc(32));
	if (strcmp(then, "trim") == 0)
		malloc_trim(0);
	freed = 1;
	while (strcmp(then, "end") != 0)
		pause(); /* until main has ended */
	return NULL;
}

static int comes_back(void)
{
	for (int i = 0; i < POOLS; i++)
		if (malloc(BYTES) == block[FREED - 1])
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char *then = argc > 1 ? argv[1] : "idle";
	for (int i = 0; i < BLOCKS; i++)
		block[i] = malloc(BYTES);
	pthread_create(&thread, NULL, free_some, then);
	while (!freed)
		sched_yield();
	if (strcmp(then, "end") == 0)
		pthread_join(thread, NULL);
	if (strcmp(then, "fork") == 0 && fork() == 0) {
		free(block[BLOCKS - 1]);
		return 0;
	}
	int back = comes_back();
	while (wait(NULL) > 0)
		;
	printf("%s\n", back ? "came back" : "did not come back");
	fflush(stdout);
	return 0;
}
