/* SPDX-License-Identifier: MIT */
/*
 * mapped.c: says where each block that it keeps lies, for the map to agree with:
 *
 *     block ADDRESS USABLE         of sizes that nobody else in the process asks for
 *     worker TID BLOCKS BYTES      of the thread that made blocks of a size of its own
 *
 * With an argument it forks, and the child, once it has filled arenas of its own, says where its blocks are.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SMALL = 9000,
	LARGE = 120,
	HUGE = 2,
	WORKED = 700,
	WORKER_BYTES = 1900,
	KEPT = SMALL + LARGE + HUGE
};

static void *kept[KEPT];
static size_t kept_count;

static uint32_t any(void)
{
	static uint32_t state = 1;
	state = state * 1664525 + 1013904223;
	return state >> 8;
}

static void keep(size_t bytes)
{
	void *block = malloc(bytes);
	memset(block, 1, bytes);
	kept[kept_count++] = block;
}

/* Sizes of pools of one unit and of four; with pools that get full, that get sparse, and some that get empty. */
static void fill(void)
{
	static const size_t sizes[] = {208, 400, 992, 5000, 12000, 30000};

	for (int i = 0; i < SMALL; i++)
		keep(sizes[(unsigned)i / 200 % 6]);
	for (int i = 0; i < LARGE; i++)
		keep(40000 + any() % 3000000);
	for (int i = 0; i < HUGE; i++)
		keep((36 << 20) + (size_t)i * 70000);
}

static void thin_out(void)
{
	for (size_t i = 0; i < SMALL; i++) {
		unsigned chance = (unsigned)(i / 1500) * 15 + 3;
		if (any() % 100 < chance) {
			free(kept[i]);
			kept[i] = NULL;
		}
	}
	for (size_t i = SMALL; i < SMALL + LARGE; i += 3) {
		free(kept[i]);
		kept[i] = NULL;
	}
	free(kept[KEPT - 1]);
	kept[KEPT - 1] = NULL;
	kept[SMALL] = aligned_alloc(1 << 20, 3 << 20); /* with units in front that it does not fill */
}

static void *worker_blocks[WORKED];
static volatile bool is_done;

static void *work(void *context)
{
	(void)context;
	for (int i = 0; i < WORKED; i++)
		worker_blocks[i] = malloc(WORKER_BYTES);
	for (int i = 0; i < WORKED; i += 4) {
		free(worker_blocks[i]);
		worker_blocks[i] = NULL;
	}
	return (void *)syscall(SYS_gettid);
}

/* What is said first makes the buffer of stdout: it is there when blocks are. */
static void say(void *tid)
{
	unsigned blocks = 0;

	for (size_t i = 0; i < KEPT; i++)
		if (kept[i])
			printf("block %p %zu\n", kept[i], malloc_usable_size(kept[i]));
	for (int i = 0; tid && i < WORKED; i++)
		if (worker_blocks[i]) {
			printf("block %p %zu\n", worker_blocks[i],
			       malloc_usable_size(worker_blocks[i]));
			blocks++;
		}
	if (tid)
		printf("worker %ld %u %zu\n", (long)tid, blocks,
		       blocks * malloc_usable_size(worker_blocks[1]));
}

int main(int argc, char **argv)
{
	pthread_t worker;
	void *tid = NULL;

	bool waits = argc > 1 && strcmp(argv[1], "wait") == 0;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	printf("begin\n");
	if (argc > 1 && !waits) {
		free(malloc(100000));
		pid_t child = fork();
		if (child) {
			waitpid(child, NULL, 0);
			return 0;
		}
	}
	fill();
	thin_out();
	pthread_create(&worker, NULL, work, NULL);
	pthread_join(worker, &tid);
	say(tid);
	fflush(stdout);
	while (waits)
		pause();
	return 0;
}
