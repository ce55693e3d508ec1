/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Says "ready" and goes on until it is killed.   usage: endless THREADS CHILDREN SEED
   Each of the CHILDREN, and the parent, has THREADS threads that allocate, the main thread included. */
#include "mix.h"
#include <pthread.h>
#include <unistd.h>

static unsigned long seed;

static void *work(void *arg)
{
	struct mix m = {.random = seed * 1000 + (uintptr_t)arg};
	for (;;)
		mix_step(&m);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long thread_count = mix_argument(argc, argv, 1, 1),
		      children = mix_argument(argc, argv, 2, 0);
	pthread_t thread;

	seed = mix_argument(argc, argv, 3, 1);
	for (unsigned long i = 0; i < children; i++)
		if (fork() == 0) {
			seed += 1 + i;
			break;
		}
	for (uintptr_t i = 1; i < thread_count; i++)
		if (pthread_create(&thread, NULL, work, (void *)i) != 0)
			return 1;
	free(malloc(1));
	if (write(1, "ready\n", 6) != 6)
		return 1;
	work(NULL);
	return 0;
}
