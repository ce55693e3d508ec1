/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F27: another thread frees a block of an exhausted pool; after the k-th instruction of that free, for every
 * k, the owner allocates from that pool.  When it gets the block it must be the owner's for good.
 *
 * Prints whether the block came back before the other's call was over, and what was wrong.
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

enum { BYTES = 32768, A_POOL = 8, STEPS_MAX = 1000 };
enum turn { IDLE, FREER, OWNER, OVER };

static atomic_int turn = IDLE;
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
		step(1);
		free(watched);
		step(0);
		turn = IDLE;
	}
}

/* The last block of a pool all of whose blocks are live: pools are cut from their start. */
static char *exhaust_a_pool(void)
{
	for (int in_a_row = 1; in_a_row < A_POOL;) {
		static char *last;
		char *block = malloc(BYTES);
		in_a_row = block == last + BYTES ? in_a_row + 1 : 1;
		last = block;
		if (in_a_row == A_POOL)
			return block;
	}
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle};
	pthread_t thread;
	int during = 0, wrong = 0;
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
			again = malloc(BYTES);
			turn = FREER;
		}
		while (turn != IDLE)
			sched_yield();
		if (again == watched) {
			during++;
			memset(again, 2, BYTES);
			char *other = malloc(BYTES);
			wrong += other == again;
			free(again);
		}
	} while (traps >= stop_at && stop_at < STEPS_MAX);
	turn = OVER;
	pthread_join(thread, NULL);
	printf("%s, %d wrong\n", during ? "came back during the call" : "did not come back", wrong);
	return wrong != 0;
}
