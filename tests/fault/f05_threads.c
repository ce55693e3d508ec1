/* SPDX-License-Identifier: MIT */
/* F5: short threads whose destructors of thread-specific data allocate in every round, or in the last one
   only, or free what others allocated.  Prints by how many KiB the process grew after the first tenth.
   usage: f05_threads all|last|free|none THREADS */
#include "posix/resident.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

enum { AT_ONCE = 8, BLOCKS = 8 };

static pthread_key_t keys[3];
static const char *when;

static void use_memory(size_t bytes)
{
	void *blocks[BLOCKS];
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(bytes + (size_t)i * 48);
		memset(blocks[i], i, bytes + (size_t)i * 48);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

/* The value counts the rounds, from 1 on. */
static void destroy(void *value, pthread_key_t key)
{
	uintptr_t round = (uintptr_t)value;
	if (round == PTHREAD_DESTRUCTOR_ITERATIONS || strcmp(when, "all") == 0)
		use_memory(round * 16);
	if (round < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(key, (void *)(round + 1));
}

static void destroy_0(void *value)
{
	destroy(value, keys[0]);
}

static void destroy_1(void *value)
{
	destroy(value, keys[1]);
}

static void destroy_free(void *block)
{
	free(block);
}

static void *run(void *block)
{
	if (strcmp(when, "free") == 0) {
		pthread_setspecific(keys[2], block);
		return NULL;
	}
	pthread_setspecific(keys[2], block); /* of the main thread's heap */
	if (strcmp(when, "none") != 0) {
		pthread_setspecific(keys[0], (void *)1);
		pthread_setspecific(keys[1], (void *)1);
	}
	if (strcmp(when, "last") != 0)
		use_memory(100);
	return NULL;
}

static void start_and_join(void)
{
	pthread_t threads[AT_ONCE];
	for (int i = 0; i < AT_ONCE; i++)
		if (pthread_create(&threads[i], NULL, run, malloc(200)) != 0)
			abort();
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	when = argv[1];
	int groups = argc > 2 ? atoi(argv[2]) / AT_ONCE : 0;
	pthread_key_create(&keys[0], destroy_0);
	pthread_key_create(&keys[1], destroy_1);
	pthread_key_create(&keys[2], destroy_free);
	for (int i = 0; i < groups / 10; i++)
		start_and_join();
	long before = resident() / 1024;
	for (int i = groups / 10; i < groups; i++)
		start_and_join();
	printf("%ld\n", resident() / 1024 - before);
	return 0;
}
