/* SPDX-License-Identifier: MIT */
/* F1: constructor and destructor that allocate and start threads that do. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8 };

static char *kept[THREADS];

static void *allocate(void *at)
{
	for (size_t i = 1; i < 2000; i++) {
		char *block = malloc(i * 7);
		memset(block, 1, i * 7);
		free(block);
	}
	*(char **)at = strdup("kept by a thread");
	return NULL;
}

static void use_threads(void)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, allocate, &kept[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

__attribute__((constructor)) static void begin(void)
{
	use_threads();
}

__attribute__((destructor)) static void end(void)
{
	for (int i = 0; i < THREADS; i++) {
		puts(kept[i]);
		free(kept[i]);
	}
	use_threads();
	for (int i = 0; i < THREADS; i++)
		free(kept[i]);
}
