/* SPDX-License-Identifier: MIT */
/* F5: thousands of threads allocate for the first time at the same moment.   usage: f05_at_once THREADS */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_barrier_t begin, end;

static void *allocate(void *unused)
{
	pthread_barrier_wait(&begin);
	void *block = malloc(100);
	pthread_barrier_wait(&end);
	free(block);
	return unused;
}

int main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	pthread_t thread;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 4 * PTHREAD_STACK_MIN);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	pthread_barrier_init(&begin, NULL, threads + 1);
	pthread_barrier_init(&end, NULL, threads + 1);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&thread, &small, allocate, NULL))
			return 1;
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	printf("%u threads\n", threads);
	return 0;
}
