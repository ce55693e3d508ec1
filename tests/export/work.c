/* SPDX-License-Identifier: MIT */
/* cflags: -g -O2 -fno-ipa-icf */
/*
 * work.c: what its exports must say, by hand:
 *
 *   load      100 blocks of 1000 bytes allocated in parse(), which is inlined into load(); 40 are freed
 *   scratch   50 blocks of 200 bytes, each freed at once
 *   grow      1 block of 300,000 bytes, never freed
 */
#include <stdlib.h>
#include <string.h>

enum { KEPT = 100, FREED = 40, SCRATCH = 50 };

static void *volatile kept[KEPT + 1];

static inline __attribute__((always_inline)) void parse(int i)
{
	kept[i] = malloc(1000);
	memset(kept[i], 1, 1000);
}

static __attribute__((noinline)) void load(void)
{
	for (int i = 0; i < KEPT; i++)
		parse(i);
}

static __attribute__((noinline)) void scratch(void)
{
	for (int i = 0; i < SCRATCH; i++) {
		void *volatile block = malloc(200);
		free(block);
	}
}

static __attribute__((noinline)) void grow(void)
{
	kept[KEPT] = malloc(300000);
}

int main(void)
{
	load();
	for (int i = 0; i < FREED; i++)
		free(kept[i]);
	scratch();
	grow();
	return 0;
}
