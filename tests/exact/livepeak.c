/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/*
 * livepeak.c: a program that knows its own peak.  Prints how many bytes lived at a time, at least and at most: what threads
 * are about to allocate or have just freed is between the two.
 *
 *   livepeak handed THREADS BYTES   half of them allocate, the others free
 *   livepeak turns THREADS BYTES    one after the other allocates some megabytes and frees most of them; all stay
 *   livepeak kept THREADS BYTES     as in turns, but what a thread allocates is freed when all have
 *   livepeak forked THREADS BYTES   as handed, in a forked child, which inherits a block of 10 MiB; 40 lived there before
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20000, RING = 16, TURN_BYTES = 8 << 20, TURN_KEPT = 64 };

static size_t bytes, usable;
static atomic_long least_now, least_peak, most_now, most_peak;

static void add(atomic_long *now, atomic_long *peak, long change)
{
	long sum = atomic_fetch_add(now, change) + change, old = *peak;
	while (sum > old && !atomic_compare_exchange_weak(peak, &old, sum))
		;
}

static void *take(void)
{
	add(&most_now, &most_peak, (long)usable);
	void *block = malloc(bytes);
	add(&least_now, &least_peak, (long)usable);
	return block;
}

static void give(void *block)
{
	add(&least_now, &least_peak, -(long)usable);
	free(block);
	add(&most_now, &most_peak, -(long)usable);
}

struct ring {
	sem_t full, empty;
	void *blocks[RING];
};

static void *consume(void *argument)
{
	struct ring *ring = argument;
	for (unsigned i = 0; i < ROUNDS; i++) {
		sem_wait(&ring->full);
		give(ring->blocks[i % RING]);
		sem_post(&ring->empty);
	}
	return NULL;
}

static void *produce(void *argument)
{
	struct ring *ring = argument;
	for (unsigned i = 0; i < ROUNDS; i++) {
		sem_wait(&ring->empty);
		ring->blocks[i % RING] = take();
		sem_post(&ring->full);
	}
	return NULL;
}

static void hand_over(int pairs)
{
	static struct ring rings[16];
	pthread_t threads[32];
	for (int i = 0; i < pairs; i++) {
		sem_init(&rings[i].full, 0, 0);
		sem_init(&rings[i].empty, 0, RING);
		pthread_create(&threads[2 * i], NULL, consume, &rings[i]);
		pthread_create(&threads[2 * i + 1], NULL, produce, &rings[i]);
	}
	for (int i = 0; i < 2 * pairs; i++)
		pthread_join(threads[i], NULL);
}

static sem_t turn[33];
static pthread_barrier_t end;
static bool keeps;

static void *take_turn(void *argument)
{
	size_t count = TURN_BYTES / usable;
	void **blocks = mmap(NULL, count * sizeof *blocks, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sem_t *mine = argument;
	sem_wait(mine);
	for (size_t i = 0; i < count; i++)
		blocks[i] = take();
	if (keeps) {
		sem_post(mine + 1);
		pthread_barrier_wait(&end);
	}
	for (size_t i = 0; i < count; i++)
		if (i % TURN_KEPT || keeps)
			give(blocks[i]);
	if (!keeps) {
		sem_post(mine + 1);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static void take_turns(int count)
{
	pthread_t threads[32];
	pthread_barrier_init(&end, NULL, (unsigned)count);
	for (int i = 0; i <= count; i++)
		sem_init(&turn[i], 0, i == 0);
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, take_turn, &turn[i]);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static int in_child(int pairs)
{
	int status = 1;
	void *earlier = malloc(40 << 20), *inherited = malloc(10 << 20);
	free(earlier);
	pid_t child = fork();
	if (child == 0) {
		least_now = least_peak = most_now = most_peak = (long)malloc_usable_size(inherited);
		hand_over(pairs);
		dprintf(1, "%ld %ld\n", least_peak, most_peak);
		exit(0);
	}
	waitpid(child, &status, 0);
	free(inherited);
	return status;
}

int main(int argc, char **argv)
{
	int threads = argc > 3 ? atoi(argv[2]) : 0;
	if (threads < 2 || threads > 32)
		return 2;
	bytes = strtoul(argv[3], NULL, 10);
	void *one = malloc(bytes);
	usable = malloc_usable_size(one);
	free(one);
	if (!strcmp(argv[1], "forked"))
		return in_child(threads / 2);
	keeps = !strcmp(argv[1], "kept");
	if (!strcmp(argv[1], "turns") || keeps)
		take_turns(threads);
	else
		hand_over(threads / 2);
	dprintf(1, "%ld %ld\n", least_peak, most_peak);
	return 0;
}
