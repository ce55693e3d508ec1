/* SPDX-License-Identifier: MIT */
/* F26: what the misuse programs share. Pointers are volatile, so that the compiler cannot see the misuse. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char *volatile pointer;

/* The allocator still serves, and the program ends well. */
static int went_on(void)
{
	for (size_t bytes = 1; bytes < 200000; bytes = bytes * 2 + 1) {
		char *block = malloc(bytes);
		memset(block, 1, bytes);
		free(realloc(block, bytes * 2));
	}
	puts("went on");
	return 0;
}

static inline void *free_it(void *block)
{
	free(block);
	return NULL;
}

static inline void in_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	pthread_create(&thread, NULL, function, argument);
	pthread_join(thread, NULL);
}
