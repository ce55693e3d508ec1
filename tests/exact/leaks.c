/* SPDX-License-Identifier: MIT */
/* cflags: -g -O1 -fno-ipa-icf -fno-inline -fno-optimize-sibling-calls */
/*
 * leaks.c: loses blocks of sizes that are whole size classes, of which no pointer is left: what LeakSanitizer finds, and
 * what was live at the end, is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void lose(size_t size, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		void *volatile block = malloc(size);
		block = NULL;
		(void)block;
	}
}

static void lose_first(void)
{
	lose(64, 3);
	lose(128, 2);
}

static void lose_second(void)
{
	lose(48, 5);
}

static void lose_inner(void)
{
	lose(256, 7);
}

static void lose_outer(void)
{
	lose_inner();
	lose(32, 4);
}

/* Called by libc, some of whose own blocks are suppressed. */
__attribute__((constructor)) static void lose_early(void)
{
	lose(80, 2);
}

static void lose_last(void)
{
	lose(512, 1);
}

/* Where the calls before had their frames, a pointer may be left. */
static void wipe(void)
{
	volatile char room[4096];

	for (unsigned i = 0; i < sizeof room; i++)
		room[i] = 0;
}

static void free_others(void)
{
	for (unsigned i = 0; i < 100; i++)
		free(malloc(i));
}

int main(void)
{
	lose_first();
	lose_second();
	lose_outer();
	lose_last();
	free_others();
	wipe();
	return 0;
}
