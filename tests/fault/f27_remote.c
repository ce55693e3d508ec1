/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F27: another thread frees a block; after every single instruction of that free the owner allocates in the
 * same class until it has the block again, or not yet.  What it got must be whole afterwards.
 *
 * Prints whether the block came back before the other's call was over, and what was wrong.
 */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 32768, A_POOL = 8, TURNS_MAX = 2000 };
enum turn { FREER, OWNER, OVER };

static atomic_int turn = FREER;
static char *watched, *again;
static int traps, during;

static void step(int on)
{
#if defined(__x86_64__)
	if (on)
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	else
		__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
#else
	(void)on;
#endif
}

static void handle(int signal)
{
	(void)signal;
	if (again || ++traps > TURNS_MAX)
		return;
	turn = OWNER;
	while (turn == OWNER)
		sched_yield();
	during = again != NULL;
}

static void *free_watched(void *first)
{
	free(first); /* a thread's first call does more; not what is looked at here */
	step(1);
	free(watched);
	step(0);
	turn = OVER;
	return NULL;
}

/* One more block than a pool has: the owner looks for what others freed. */
static void look_again(void)
{
	for (int i = 0; i <= A_POOL && !again; i++) {
		char *block = malloc(BYTES);
		if (block == watched)
			again = memset(block, 2, BYTES);
	}
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle};
	pthread_t thread;
	int state;
	sigaction(SIGTRAP, &action, NULL);
	for (int i = 0; i < 4 * A_POOL; i++) {
		char *block = malloc(BYTES);
		if (i == A_POOL)
			watched = block;
	}
	look_again(); /* full pools are retired; what is freed there is told to the owner */
	pthread_create(&thread, NULL, free_watched, malloc(100));
	while ((state = turn) != OVER)
		if (state == OWNER) {
			look_again();
			turn = FREER;
		} else {
			sched_yield();
		}
	pthread_join(thread, NULL);
	int wrong = 0;
	if (again) {
		wrong = again[0] != 2 || again[BYTES - 1] != 2;
		free(again);
	}
	printf("%s, %d wrong\n", during ? "came back during the call" : "did not come back", wrong);
	return wrong;
}
