/* SPDX-License-Identifier: MIT */
/* F2: a constructor starts threads that register fork handlers, so many that the list of them must grow
   while it is locked, and fork. Prints how many children ended well. */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, HANDLERS = 50, FORKS = 10 };

static atomic_int well;
static pthread_barrier_t begun;

static void allocate(void)
{
	free(malloc(77));
	free(malloc(100000));
}

static void *fork_often(void *unused)
{
	pthread_barrier_wait(&begun);
	for (int i = 0; i < HANDLERS; i++) /* the first call of malloc in this thread */
		pthread_atfork(allocate, allocate, allocate);
	for (int i = 0; i < FORKS; i++) {
		int status = -1;
		pid_t child = fork();
		if (child == 0) {
			for (size_t n = 1; n < 100; n++)
				free(malloc(n * 100));
			_exit(7);
		}
		waitpid(child, &status, 0);
		well += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	return unused;
}

__attribute__((constructor)) static void begin(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&begun, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, fork_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%d children ended well\n", well);
	fflush(stdout);
}
