/* SPDX-License-Identifier: MIT */
/*
 * shrinks.c: one thread asks for blocks, another makes them smaller, where they are.
 *
 *   shrinks SIZE TO [free|fork|age] [COUNT]    free: and gives them back; fork: a child, not a thread, does both; age: both, when
 *                                              they are old
 *
 * Prints how many stayed where they were, and the usable bytes of those that live.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 10000 };
static void *block[MOST];
static size_t to, stayed, count = 100;
static bool frees, ages;

static void *shrink(void *unused)
{
	(void)unused;
	for (unsigned i = 0; ages && i < 3000000; i++) {
		void *volatile passing = malloc(40);
		free(passing);
	}
	for (unsigned i = 0; i < count; i++) {
		void *before = block[i];
		block[i] = realloc(before, to);
		stayed += block[i] == before;
	}
	for (unsigned i = 0; frees && i < count; i++) {
		free(block[i]);
		block[i] = NULL;
	}
	return NULL;
}

static void tell(void)
{
	size_t usable = 0;
	char line[64];
	for (unsigned i = 0; i < count; i++)
		usable += block[i] ? malloc_usable_size(block[i]) : 0;
	int length = snprintf(line, sizeof line, "%zu %zu\n", stayed, usable);
	if (write(1, line, (size_t)length) != length)
		_exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	bool forks = argc > 3 && !strcmp(argv[3], "fork");
	pthread_t thread;
	to = strtoul(argv[2], NULL, 10);
	frees = argc > 3;
	ages = argc > 3 && !strcmp(argv[3], "age");
	if (argc > 4)
		count = strtoul(argv[4], NULL, 10);
	if (count > MOST)
		return 2;
	for (unsigned i = 0; i < count; i++)
		block[i] = malloc(strtoul(argv[1], NULL, 10));
	if (!forks) {
		if (pthread_create(&thread, NULL, shrink, NULL) || pthread_join(thread, NULL))
			return 2;
		tell();
		return 0;
	}
	if (fork() == 0) {
		shrink(NULL);
		tell();
		exit(0);
	}
	wait(NULL);
	return 0;
}
