/* cflags: -fno-builtin */
/* link: -lpthread */
/* SPDX-License-Identifier: MIT */
/* F27: two threads pass one set of blocks back and forth and resize them, so that memory given up by a moving
   realloc is at once taken by the other.   usage: pingpong ROUNDS */
#include "mix.h"
#include <pthread.h>
#include <stdatomic.h>

enum { BLOCKS = 64 };

static _Atomic(void *) blocks[BLOCKS];
static unsigned long rounds;

static void *play(void *arg)
{
	struct mix m = {.random = (uintptr_t)arg};
	for (unsigned long i = 0; i < rounds; i++) {
		unsigned k = (unsigned)(mix_next(&m) % BLOCKS);
		void *mine = atomic_exchange(&blocks[k], NULL);
		mine = realloc(mine, 16 + mix_next(&m) % 8 * 16);
		free(atomic_exchange(&blocks[k], mine));
		free(malloc(16 + mix_next(&m) % 8 * 16));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t other;
	rounds = mix_argument(argc, argv, 1, 100000);
	pthread_create(&other, NULL, play, (void *)1);
	play((void *)2);
	pthread_join(other, NULL);
	for (unsigned i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return 0;
}
