/* SPDX-License-Identifier: MIT */
/*
 * A million live blocks of many sizes in several threads; then every second one goes, some grow.
 * Prints whether the mappings of the process ever were a thousand.   usage: f32_maps BLOCKS
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4 };

static unsigned long count;
static pthread_barrier_t all;
static char **blocks[THREADS];

static unsigned mappings(void)
{
	static char text[65536];
	unsigned lines = 0;
	ssize_t bytes;
	int fd = open("/proc/self/maps", O_RDONLY);
	while ((bytes = read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < bytes; i++)
			lines += text[i] == '\n';
	close(fd);
	return lines;
}

static size_t some_size(uint64_t random)
{
	if (random % 20000 == 0)
		return random % 6000000;
	if (random % 500 == 0)
		return random % 100000;
	return random % 10 == 0 ? random % 4000 : random % 200;
}

static void *thread(void *argument)
{
	char **mine = blocks[(uintptr_t)argument];
	uint64_t random = (uintptr_t)argument + 1;
	for (unsigned long i = 0; i < count; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		mine[i] = malloc(some_size(random >> 20));
	}
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	for (unsigned long i = 0; i < count; i += 2) {
		free(mine[i]);
		mine[i] = NULL;
	}
	for (unsigned long i = 1; i < count; i += 1000)
		mine[i] = realloc(mine[i], i % 300000 + 1);
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	return NULL;
}

static void look(const char *when)
{
	pthread_barrier_wait(&all);
	unsigned lines = mappings();
	printf("%s: %s\n", when, lines < 1000 ? "under 1,000" : "too many");
	fprintf(stderr, "%u\n", lines);
	pthread_barrier_wait(&all);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	count = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000) / THREADS;
	pthread_barrier_init(&all, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++) {
		blocks[i] = calloc(count, sizeof *blocks[i]);
		pthread_create(&threads[i], NULL, thread, (void *)i);
	}
	look("all live");
	look("half freed");
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
