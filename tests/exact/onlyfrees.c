/* SPDX-License-Identifier: MIT */
/*
 * onlyfrees.c: one thread asks for blocks, another frees them, which asks for none itself, or with `both` for one before.
 *
 *     onlyfrees COUNT [both]
 */
#include <pthread.h>
#include <stdlib.h>

enum { BYTES = 100 };

static size_t count;
static void **block;
static int asks;

static void *free_all(void *unused)
{
	if (asks)
		free(malloc(BYTES));
	for (size_t i = 0; i < count; i++)
		free(block[i]);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	asks = argc > 2;
	block = calloc(count + 1, sizeof *block);
	for (size_t i = 0; i < count; i++)
		block[i] = malloc(BYTES);
	pthread_create(&thread, NULL, free_all, NULL);
	pthread_join(thread, NULL);
	return 0;
}
