/* SPDX-License-Identifier: MIT */
/* cflags: -g -O0 */
/*
 * jitter.c: four threads that share work, so that who does how much of it, and how much lives at once, is chance.
 *
 *   jitter [extra ALLOCATIONS] [held BYTES]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, WORK = 20000, RING = 64 };

static atomic_int next;
static long extra;

static void *work(void *unused)
{
	void *ring[RING] = {NULL};
	int i;

	(void)unused;
	while ((i = atomic_fetch_add(&next, 1)) < WORK) {
		free(ring[i % RING]);
		ring[i % RING] = malloc(64 + (size_t)(i * 7919 % 4000));
		/* Who comes second to a slot of its own ring asks once more. */
		if (!ring[(i + 1) % RING])
			ring[(i + 1) % RING] = malloc(32);
	}
	for (i = 0; i < RING; i++)
		free(ring[i]);
	return NULL;
}

static void planted(void)
{
	for (long i = 0; i < extra; i++)
		free(malloc(100));
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	void *held = NULL;

	for (int i = 1; i + 1 < argc; i += 2)
		if (strcmp(argv[i], "extra") == 0)
			extra = strtol(argv[i + 1], NULL, 10);
		else
			held = malloc((size_t)strtol(argv[i + 1], NULL, 10));
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, NULL))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	planted();
	free(held);
	return 0;
}
