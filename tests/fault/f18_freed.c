/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F18: at the limit of the address space, what was freed serves requests of any size, one thread's and another's. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BLOCK = 128 << 10, MOST = 4000, FREED = 3 };

static void *blocks[MOST];
static long count;

static void fill(void)
{
	while (count < MOST && (blocks[count] = malloc(BLOCK)))
		count++;
	while (count < MOST && (blocks[count] = malloc(BLOCK / 2 - 1000)))
		count++;
}

static void free_some(void)
{
	static long first = 100;
	for (long end = first + FREED; first < end; first++)
		free(blocks[first]);
}

static pthread_barrier_t full, freed;

/* It begins before the limit is set, and lives on, idle. */
static void *other(void *unused)
{
	free(malloc(500));
	pthread_barrier_wait(&full);
	free_some();
	pthread_barrier_wait(&freed);
	pthread_barrier_wait(&full);
	return unused;
}

static void serves(const char *whose)
{
	void *small = malloc(3000), *large = malloc(BLOCK);
	printf("freed by %s thread: large %s, small %s\n", whose, large ? "yes" : "no",
	       small ? "yes" : "no");
}

int main(void)
{
	struct rlimit limit = {192 << 20, 192 << 20};
	pthread_t thread;
	pthread_barrier_init(&full, NULL, 2);
	pthread_barrier_init(&freed, NULL, 2);
	if (pthread_create(&thread, NULL, other, NULL) || setrlimit(RLIMIT_AS, &limit))
		return 1;
	fill();
	free_some();
	serves("this");
	fill();
	pthread_barrier_wait(&full);
	pthread_barrier_wait(&freed);
	serves("another");
	pthread_barrier_wait(&full);
	pthread_join(thread, NULL);
	return count < 200;
}
