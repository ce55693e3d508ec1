/* SPDX-License-Identifier: MIT */
/*
 * Work with a known result: threads and forked children that allocate, fill, check and free blocks of
 * many sizes.  usage: f19_work THREADS CHILDREN STEPS [FIFO]
 * With FIFO: half of the threads and children come before the FIFO was opened for writing and closed
 * again, the other half after it.  Prints `ready` and a sum; the exit code is 7.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 200 };

struct block {
	unsigned char *bytes;
	size_t size;
};

static unsigned long steps;

static size_t some_size(uint64_t random)
{
	if (random % 500 == 0)
		return 40000 + random % 300000;
	return random % 10 == 0 ? random % 5000 : random % 300;
}

static uint64_t drop(struct block *block)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < block->size; i += 64)
		sum += block->bytes[i];
	free(block->bytes);
	block->bytes = NULL;
	return sum;
}

static uint64_t churn(uint64_t random)
{
	struct block kept[KEPT] = {{0}};
	uint64_t sum = 0;
	for (unsigned long i = 0; i < steps; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		struct block *block = &kept[(random >> 33) % KEPT];
		if (block->bytes)
			sum += drop(block);
		block->size = some_size(random >> 20);
		block->bytes = malloc(block->size);
		if (!block->bytes)
			return 0;
		memset(block->bytes, (int)(random >> 50), block->size);
	}
	for (unsigned i = 0; i < KEPT; i++)
		if (kept[i].bytes)
			sum += drop(&kept[i]);
	return sum;
}

/* All are there at a time, so that none takes over another's heap. */
static pthread_barrier_t all;

static void *thread(void *argument)
{
	pthread_barrier_wait(&all);
	uint64_t sum = churn((uintptr_t)argument);
	pthread_barrier_wait(&all);
	return (void *)(uintptr_t)sum;
}

static uint64_t run_threads(unsigned count)
{
	pthread_t threads[256];
	uint64_t sum = 0;
	void *result;
	pthread_barrier_init(&all, NULL, count ? count : 1);
	for (uintptr_t i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, thread, (void *)(i + 1));
	for (unsigned i = 0; i < count; i++) {
		pthread_join(threads[i], &result);
		sum += (uintptr_t)result;
	}
	return sum;
}

static uint64_t run_children(unsigned count)
{
	uint64_t sum = 0;
	int status;
	for (unsigned i = 0; i < count; i++)
		if (!fork())
			_exit((int)(churn(i + 1000) & 63));
	for (unsigned i = 0; i < count; i++)
		sum += wait(&status) > 0 && WIFEXITED(status) ? 1000 + (uint64_t)WEXITSTATUS(status)
							      : 0;
	return sum;
}

int main(int argc, char **argv)
{
	unsigned threads = (unsigned)atoi(argv[1]), children = (unsigned)atoi(argv[2]);
	char byte;
	steps = strtoul(argv[3], NULL, 10);
	setvbuf(stdout, NULL, _IONBF, 0);
	uint64_t sum = 0;
	if (argc > 4) {
		sum += run_threads(threads / 2) + run_children(children / 2);
		printf("ready\n");
		int fifo = open(argv[4], O_RDONLY);
		while (read(fifo, &byte, 1) > 0)
			;
		close(fifo);
	}
	sum += run_threads(threads) + run_children(children);
	printf("sum %llu\n", (unsigned long long)sum);
	return 7;
}
