/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* Forks while other threads allocate.   usage: forkthreads THREADS FORKS STEPS */
#include "mix.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int over;

static void *work(void *arg)
{
	struct mix m = {.random = (uintptr_t)arg};
	while (!atomic_load(&over))
		mix_run(&m, 100);
	mix_free_all(&m);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long thread_count = mix_argument(argc, argv, 1, 4),
		      forks = mix_argument(argc, argv, 2, 10);
	unsigned long steps = mix_argument(argc, argv, 3, 1000);
	static struct mix m = {.random = 99};
	pthread_t threads[64];

	for (uintptr_t i = 0; i < thread_count; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (unsigned long i = 0; i < forks; i++) {
		mix_run(&m, steps);
		pid_t child = fork();
		if (child == 0) {
			mix_run(&m, steps);
			if (i % 2)
				_exit(0);
			mix_free_all(&m);
			exit(0);
		}
		waitpid(child, NULL, 0);
	}
	atomic_store(&over, 1);
	for (unsigned i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
