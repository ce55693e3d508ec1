/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F27: after every single instruction of a call that gives up memory, a signal handler asks for a block of the
 * same kind, and keeps the one that it gets in the same place. That block must be whole afterwards.
 *
 * Prints how many calls were stepped, in how many of them the place was reused at once, and what was wrong.
 */
#define _GNU_SOURCE 1
#include "fault/step.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile watched_at, *volatile kept;
static volatile size_t watched_bytes, wanted_bytes;
static volatile long traps;
static int reused, wrong;

static void handle(int signal)
{
	(void)signal;
	traps++;
	if (kept)
		return;
	char *block = malloc(wanted_bytes);
	if (block >= watched_at && block < watched_at + watched_bytes)
		kept = block;
	else
		free(block);
}

static void expect(char *block, size_t bytes, size_t wanted)
{
	memset(block, 1, bytes < 100000 ? bytes : 100000);
	watched_at = block;
	watched_bytes = bytes;
	wanted_bytes = wanted;
	kept = NULL;
}

/* The next block in that place must not be the same one, and what was kept can be freed as any. */
static void settle(void)
{
	if (!kept)
		return;
	reused++;
	memset(kept, 2, wanted_bytes);
	char *other = malloc(wanted_bytes);
	wrong += other == kept;
	memset(other, 3, wanted_bytes);
	wrong += kept[0] != 2 || kept[wanted_bytes - 1] != 2;
	free(kept);
	free(other);
}

int main(void)
{
	struct sigaction action = {.sa_handler = handle};
	char *block;
	sigaction(SIGTRAP, &action, NULL);
	for (int round = 0; round < 2; round++) {
		expect(block = malloc(5000000), 5000000, 5000000); /* its pages move */
		void *behind = malloc(5000000);
		step(1);
		block = realloc(block, 30000000);
		step(0);
		settle();

		expect(block, 30000000, 6000000);
		step(1);
		free(block);
		step(0);
		settle();

		expect(block = malloc(300000), 300000, 300000);
		step(1);
		free(block);
		step(0);
		settle();

		expect(block = malloc(300000), 300000, 100000); /* its end is given back */
		step(1);
		block = realloc(block, 70000);
		step(0);
		settle();
		free(block);
		free(behind);
	}
	printf("%s, %d places reused at once, %d wrong\n", traps > 1000 ? "stepped" : "not stepped",
	       reused, wrong);
	return wrong != 0;
}
