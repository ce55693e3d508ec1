/* SPDX-License-Identifier: MIT */
/*
 * brief.c THREADS: so many threads, eight at a time, each of which lives for a few allocations.  What it leaves, another
 * frees.  Prints resident KiB, mappings and KiB of address space after a tenth of them, and at the end.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_A_TIME = 8, BLOCKS = 20, LEFT = 64 };

static void *left[LEFT]; /* by threads that are gone */

static void *live_briefly(void *number)
{
	uint64_t state = (uintptr_t)number * 2654435761u + 1;
	void *block[BLOCKS];
	for (unsigned i = 0; i < BLOCKS; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		block[i] = malloc((state >> 33) % (i ? 2000 : 100000) + 1);
		memset(block[i], 1, 8);
	}
	free(__atomic_exchange_n(&left[(uintptr_t)number % LEFT], block[0], __ATOMIC_ACQ_REL));
	for (unsigned i = 1; i < BLOCKS; i++)
		free(block[i]);
	return NULL;
}

static void run(uintptr_t from, uintptr_t to)
{
	pthread_t thread[AT_A_TIME];
	for (uintptr_t at = from; at < to; at += AT_A_TIME) {
		for (unsigned i = 0; i < AT_A_TIME; i++)
			if (pthread_create(&thread[i], NULL, live_briefly, (void *)(at + i)))
				abort();
		for (unsigned i = 0; i < AT_A_TIME; i++)
			pthread_join(thread[i], NULL);
	}
}

static unsigned count_lines(const char *path)
{
	unsigned lines = 0;
	FILE *file = fopen(path, "r");
	for (int c; file && (c = fgetc(file)) != EOF;)
		lines += c == '\n';
	if (file)
		fclose(file);
	return lines;
}

static void tell(void)
{
	unsigned long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		abort();
	fclose(file);
	printf("%lu %u %lu\n", resident * 4, count_lines("/proc/self/maps"), size * 4);
}

int main(int argc, char **argv)
{
	uintptr_t threads = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	run(0, threads / 10);
	tell();
	run(threads / 10, threads);
	tell();
	return 0;
}
