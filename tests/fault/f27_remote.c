/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F27: another thread frees a block of an exhausted pool; after the k-th instruction of that free, for every
 * k, the owner allocates from that pool.  When it gets the block it must be the owner's for good.
 *
 * Blocks of 32 KiB are handed over singly; of 1 KiB the first too, then two at a time, and the free that is stepped
 * through is the second of those.
 * Prints whether the block came back before the other's call was over, and what was wrong.
 *
 * usage: f27_remote BYTES
 */
#define _GNU_SOURCE 1
#include "fault/step.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRED = 1024, A_POOL_MAX = 64, STEPS_MAX = 1000 };
enum turn { IDLE, FREER, OWNER, OVER };

static atomic_int turn = IDLE;
static size_t bytes;
static char *volatile watched;
static volatile int traps, stop_at;

static void handle(int signal)
{
	(void)signal;
	if (++traps != stop_at)
		return;
	turn = OWNER;
	while (turn == OWNER)
		sched_yield();
}

static void *free_watched(void *first)
{
	free(first); /* a thread's first call does more; that is not looked at here */
	for (;;) {
		while (turn == IDLE)
			sched_yield();
		if (turn == OVER)
			return NULL;
		for (unsigned before = bytes == PAIRED ? 2 : 0; before; before--)
			free(watched - before * bytes);
		step(1);
		free(watched);
		step(0);
		turn = IDLE;
	}
}

/* The last block of a pool all of whose blocks are live: pools are cut from their start. */
static char *exhaust_a_pool(void)
{
	static char *last;
	size_t a_pool = bytes == PAIRED ? A_POOL_MAX : 8;
	for (size_t in_a_row = 1; in_a_row < a_pool;) {
		char *block = malloc(bytes);
		in_a_row = block == last + bytes ? in_a_row + 1 : 1;
		last = block;
	}
	return last;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handle};
	pthread_t thread;
	int during = 0, wrong = 0;
	bytes = argc > 1 ? (size_t)atol(argv[1]) : PAIRED;
	sigaction(SIGTRAP, &action, NULL);
	pthread_create(&thread, NULL, free_watched, malloc(100));
	do {
		char *again = NULL;
		watched = exhaust_a_pool();
		traps = 0;
		stop_at++;
		turn = FREER;
		while (turn == FREER)
			sched_yield();
		if (turn == OWNER) {
			for (unsigned i = 0; i < 3 && again != watched; i++)
				again = malloc(bytes);
			turn = FREER;
		}
		while (turn != IDLE)
			sched_yield();
		if (again == watched) {
			during++;
			memset(again, 2, bytes);
			char *other = malloc(bytes);
			wrong += other == again;
			free(again);
		}
	} while (traps >= stop_at && stop_at < STEPS_MAX);
	turn = OVER;
	pthread_join(thread, NULL);
	printf("%s, %d wrong\n", during ? "came back during the call" : "did not come back", wrong);
	return wrong != 0;
}
