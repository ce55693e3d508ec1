/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Threads that start and end: each leaves blocks to the next, frees what the last one left, and allocates in the
   destructors of its thread-specific data on every round.   usage: threadlife THREADS STEPS */
#include "mix.h"
#include <limits.h>
#include <pthread.h>

enum { TOGETHER = 8, LEFT = 20 };

static pthread_key_t key;
static unsigned long steps;

struct life {
	pthread_t thread;
	void *left[LEFT];
	uint64_t seed;
};

/* Comes back until the rounds are used up, each time with another block. */
static void at_end(void *value)
{
	free(value);
	free(malloc(1000));
	pthread_setspecific(key, malloc(100));
}

static void *live(void *arg)
{
	struct life *l = arg;
	struct mix m = {.random = l->seed++};
	pthread_setspecific(key, malloc(10));
	for (unsigned i = 0; i < LEFT; i++) {
		free(l->left[i]);
		l->left[i] = malloc(mix_bytes(&m));
	}
	mix_run(&m, steps);
	mix_free_all(&m);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct life lives[TOGETHER];
	unsigned long thread_count = mix_argument(argc, argv, 1, 1000);

	steps = mix_argument(argc, argv, 2, 100);
	pthread_key_create(&key, at_end);
	for (unsigned long n = 0; n < thread_count; n += TOGETHER) {
		for (unsigned i = 0; i < TOGETHER; i++)
			pthread_create(&lives[i].thread, NULL, live, &lives[i]);
		for (unsigned i = 0; i < TOGETHER; i++)
			pthread_join(lives[i].thread, NULL);
	}
	return 0;
}
