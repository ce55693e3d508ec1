/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* F27: threads resize blocks that span arenas or have arenas of their own, so that each moves into the room that another has just given up,
   and hand them on.   usage: f27_huge ROUNDS */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, SHARED = 4, MIB = 1 << 20 };

static _Atomic(size_t *) shared[SHARED];
static atomic_long wrong;
static long rounds;

/* The first word says how long the block is, the last word where it is. */
static size_t *mark(size_t *block, size_t bytes)
{
	block[0] = bytes;
	block[bytes / sizeof *block - 1] = bytes;
	return block;
}

static void check(size_t *block)
{
	wrong += block && block[block[0] / sizeof *block - 1] != block[0];
}

static void *play(void *number)
{
	uint64_t random = (uintptr_t)number;
	for (long i = 0; i < rounds; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		size_t bytes = ((i % 4 ? 4 : 28) + (random >> 33) % 12) * MIB + MIB / 2;
		size_t *mine = atomic_exchange(&shared[random >> 50 & (SHARED - 1)], NULL);
		check(mine);
		if (mine) {
			size_t kept = mine[0] < bytes ? mine[0] : bytes;
			mine = realloc(mine, bytes);
			wrong += mine[0] < kept;
		} else {
			mine = malloc(bytes);
		}
		mark(mine, bytes);
		mine = atomic_exchange(&shared[random >> 40 & (SHARED - 1)], mine);
		check(mine);
		free(mine);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	rounds = argc > 1 ? atol(argv[1]) : 1000;
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, play, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SHARED; i++)
		free(shared[i]);
	printf("%ld blocks wrong\n", (long)wrong);
	return wrong != 0;
}
