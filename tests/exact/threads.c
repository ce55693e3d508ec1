/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Threads that mix, each on its own.   usage: threads THREADS STEPS SEED [kill]
   With kill the process kills itself while all threads stand at a barrier: no call is in flight. */
#include "mix.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static unsigned long steps, seed;
static pthread_barrier_t done;
static int keep;

static void *work(void *arg)
{
	struct mix m = {.random = seed * 1000 + (uintptr_t)arg};
	mix_run(&m, steps);
	pthread_barrier_wait(&done);
	if (keep)
		pause();
	mix_free_all(&m);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long thread_count = mix_argument(argc, argv, 1, 8);
	pthread_t threads[256];

	steps = mix_argument(argc, argv, 2, 100000);
	seed = mix_argument(argc, argv, 3, 1);
	keep = argc > 4;
	pthread_barrier_init(&done, NULL, (unsigned)thread_count + 1);
	for (uintptr_t i = 0; i < thread_count; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	pthread_barrier_wait(&done);
	if (keep)
		kill(getpid(), SIGKILL);
	for (unsigned i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
