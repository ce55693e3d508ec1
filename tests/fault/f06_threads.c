/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F6: threads allocate, free, resize and exchange blocks without pause while the main thread forks. Each child
   allocates and frees sizes of every kind, its parent's blocks too, and ends by _exit.
   usage: f06_threads THREADS FORKS */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARED = 256, CHILDREN_AT_ONCE = 4 };

static _Atomic(char *) shared[SHARED];
static atomic_bool stop;

static uint64_t next(uint64_t *random)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return *random >> 33;
}

/* Up to 1 KiB mostly; now and then large blocks, of one arena and of several. */
static size_t some_bytes(uint64_t *random)
{
	uint64_t kind = next(random) % 1000;
	if (kind < 2)
		return (size_t)4 << 20 | next(random) % (1 << 20);
	if (kind < 50)
		return next(random) % 300000;
	return next(random) % (kind < 200 ? 40000 : 1000);
}

static void exchange(uint64_t *random)
{
	size_t bytes = some_bytes(random);
	char *mine = malloc(bytes + 1), *other;
	mine[0] = mine[bytes] = 1;
	other = atomic_exchange(&shared[next(random) % SHARED], mine);
	if (next(random) % 4 == 0 && other) {
		size_t more = some_bytes(random);
		other = realloc(other, more + 1);
		other[more] = 2;
	}
	free(other);
}

static void *exchange_for_ever(void *number)
{
	uint64_t random = (uintptr_t)number;
	while (!stop)
		exchange(&random);
	return NULL;
}

/* In the child nobody else runs, but `shared` may hold a block that another thread was just freeing. */
static void child(uint64_t random)
{
	void *blocks[100];
	for (int i = 0; i < 100; i++) {
		size_t bytes = some_bytes(&random);
		blocks[i] = i % 2 ? malloc(bytes) : calloc(1, bytes);
		if (!blocks[i])
			_exit(1);
	}
	for (int i = 0; i < 100; i++)
		free(i % 3 ? blocks[i] : realloc(blocks[i], some_bytes(&random) + 1));
	for (int i = 0; i < SHARED; i++)
		free(shared[i]);
	_exit(7);
}

static int reap(void)
{
	int status = -1;
	wait(&status);
	return WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

int main(int argc, char **argv)
{
	long threads = argc > 1 ? atol(argv[1]) : 8, forks = argc > 2 ? atol(argv[2]) : 100,
	     well = 0;
	pthread_t thread[64];
	for (long i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, exchange_for_ever, (void *)(i + 1));
	for (long i = 0; i < forks; i++) {
		if (i >= CHILDREN_AT_ONCE)
			well += reap();
		if (fork() == 0)
			child((uint64_t)i);
	}
	for (long i = 0; i < CHILDREN_AT_ONCE; i++)
		well += reap();
	stop = true;
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < SHARED; i++)
		free(shared[i]);
	printf("%ld children ended well\n", well);
	return 0;
}
