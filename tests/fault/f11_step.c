/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F11: a signal handler that allocates and frees after every single instruction of a call: each gap between
 * two instructions of the slow paths is met.
 *
 * The handler keeps to classes of its own, also in the last of 20 rounds.   usage: f11_step ROUNDS
 */
#define _GNU_SOURCE 1
#include "fault/step.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALONE = 10, HELD = 16, HANDED = 64 };

/* Few places in one trim can be met by a handler at the wrong time: three were too few to see the fault. */
enum { TRIMS = 16 };

static volatile long traps, wrong;
static void *handed[HANDED];

static void *take(size_t bytes)
{
	unsigned char *block = malloc(bytes);
	if (!block)
		abort();
	memset(block, (int)(bytes % 251), bytes < 2000 ? bytes : 2000);
	memcpy(block, &bytes, sizeof bytes);
	return block;
}

static void give(void *block)
{
	size_t bytes;
	if (!block)
		return;
	memcpy(&bytes, block, sizeof bytes);
	size_t last = (bytes < 2000 ? bytes : 2000) - 1;
	wrong += ((unsigned char *)block)[last] != bytes % 251;
	free(block);
}

/*
 * Each alone in its pool; empty for some 8 traps, not for 120: trimming meets both. By chance, as a rhythm
 * could keep a compare-and-swap of the interrupted call from ever succeeding.
 */
static void renew_alone(uint32_t turn)
{
	static void *alone[ALONE];
	alone[turn % ALONE] = take(832 + (size_t)(turn % ALONE) * 16);
	turn++;
	give(alone[turn % ALONE]);
	alone[turn % ALONE] = NULL;
}

/* Small ones of 48 and 1,008 bytes, a pooled one above the fine classes, and now and then a large one. */
static void handle(int signal)
{
	static void *held[HELD];
	static const size_t bytes[] = {48, 1008, 1500, 48};
	static uint32_t random, turn;
	long n = traps++;
	(void)signal;
	give(held[n % HELD]);
	held[n % HELD] = take(n % 64 == 63 ? 100000 : bytes[n % 4]);
	if ((random = random * 1103515245 + 12345) >> 29 == 0)
		renew_alone(turn++);
}

/* Blocks of the handler's classes that another thread frees: the owner collects them on a slow path. */
static void *free_handed(void *unused)
{
	for (int i = 0; i < HANDED; i++) {
		give(handed[i]);
		handed[i] = NULL;
	}
	return unused;
}

static void hand_over(void)
{
	pthread_t thread;
	for (int i = 0; i < HANDED; i++)
		handed[i] = take(48);
	pthread_create(&thread, NULL, free_handed, NULL);
	pthread_join(thread, NULL);
}

#define STEP(call)                                                                                 \
	do {                                                                                       \
		step(1);                                                                           \
		call;                                                                              \
		step(0);                                                                           \
	} while (0)

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handle};
	void *blocks[400];
	sigaction(SIGTRAP, &action, NULL);
	size_t rounds = argc > 1 ? (size_t)atol(argv[1]) : 1;
	for (size_t round = 0; round < rounds; round++) {
		char *block = NULL;
		for (size_t bytes = 64; bytes <= 32768; bytes *= 8) {
			STEP(block = malloc(bytes + round * 16)); /* first of its class: a new pool */
			STEP(free(block));
		}
		hand_over();
		for (int i = 0; i < 400; i++) /* pools extended, filled, retired */
			if (i % 20 == 0)
				STEP(blocks[i] = malloc(32));
			else
				blocks[i] = malloc(32);
		for (int i = 0; i < 400; i++)
			if (i % 20 == 0)
				STEP(free(blocks[i]));
			else
				free(blocks[i]);
		STEP(block = malloc(70000));
		STEP(block = realloc(block, 130000));
		STEP(free(block));
		STEP(block = malloc(5000000)); /* spans arenas; its pages move */
		STEP(block = realloc(block, 30000000));
		STEP(block = realloc(block, 40000000)); /* has arenas of its own */
		STEP(block = realloc(block, 60000000));
		STEP(free(block));
		STEP(block = aligned_alloc(4096, 100));
		STEP(free(block));
		for (int i = 0; i < TRIMS; i++)
			STEP(malloc_trim(0));
	}
	printf("%s, %ld blocks wrong\n", traps > 10000 ? "stepped" : "not stepped", wrong);
	return wrong != 0;
}
