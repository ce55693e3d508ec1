/* SPDX-License-Identifier: MIT */
/* A handler that interrupts malloc now and then frees a block of the same class, until all it has are gone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { SPARE = 40000, HELD = 64, BYTES = 48 };

static void *spare[SPARE];
static volatile int left = SPARE;

static void free_one(int number)
{
	(void)number;
	if (left > 0)
		free(spare[--left]);
}

int main(void)
{
	struct sigaction action = {.sa_handler = free_one};
	struct itimerval interval = {{0, 20}, {0, 20}};
	void *held[HELD];
	for (int i = 0; i < SPARE; i++)
		spare[i] = malloc(BYTES);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &interval, NULL);
	while (left > 0) {
		for (int i = 0; i < HELD; i++)
			memset(held[i] = malloc(BYTES), i, BYTES);
		for (int i = 0; i < HELD; i++)
			free(held[i]);
	}
	return 0;
}
