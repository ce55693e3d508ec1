/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * F18: asks for blocks of each size until memory ends, uses all of them, gives half back and asks again, and so
 * do threads.  Each refusal must be NULL with ENOMEM.   usage: f18_limits BYTES_AT_MOST
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 2000, THREADS = 4 };

static size_t bytes_at_most;

static void fail(const char *why)
{
	if (write(2, why, strlen(why)) < 0)
		_exit(4);
	_exit(3);
}

static unsigned char *refused_or(unsigned char *block, size_t bytes)
{
	if (!block && errno != ENOMEM)
		fail("a refusal without ENOMEM\n");
	if (block) {
		block[0] = 1;
		block[bytes - 1] = 1;
	}
	errno = 0;
	return block;
}

static unsigned char *take(size_t number, size_t bytes)
{
	errno = 0;
	switch (number % 4) {
	case 0: return refused_or(calloc(1, bytes), bytes);
	case 1: return refused_or(aligned_alloc(64, bytes), bytes);
	default: return refused_or(malloc(bytes), bytes);
	}
}

static void use_up(size_t bytes, size_t limit)
{
	unsigned char *blocks[BLOCKS];
	size_t count = 0, sum = 0;
	for (; count < BLOCKS && sum < limit && (blocks[count] = take(count, bytes)); count++)
		sum += bytes;
	for (size_t i = 0; i < count; i += 2) {
		unsigned char *grown = refused_or(realloc(blocks[i], bytes * 3), bytes * 3);
		free(grown ? grown : blocks[i]); /* what cannot grow stays as it was */
		blocks[i] = NULL;
	}
	for (size_t i = 0; i < count; i += 2)
		blocks[i] = take(i, bytes);
	for (size_t i = 0; i < count; i++)
		free(blocks[i]);
}

static void *use_all_sizes(void *unused)
{
	for (size_t bytes = 1; bytes <= bytes_at_most; bytes = bytes * 5 / 2 + 1)
		use_up(bytes, bytes_at_most);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int started = 0;
	bytes_at_most = argc > 1 ? (size_t)atol(argv[1]) : 1000000;
	use_all_sizes(NULL);
	while (started < THREADS && pthread_create(&threads[started], NULL, use_all_sizes, NULL) == 0)
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
