/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/*
 * Programs whose memory hangs on one parameter of the allocator.
 *
 *   variants strands    blocks of one size of which one in 64 KiB stays, then as many of another size
 *   variants slack      blocks a little longer than a size class of poolmem that finer ones have not
 *   variants small      blocks a little longer than half of a multiple of 32 bytes
 *   variants idles      frees all but a little, then goes on for a second with that
 *   variants ages       what is old has holes, what comes then stays, and all that was old goes; goes on likewise
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	UNIT = 65536,
	SMALL = 64,
	MANY = 200000,
	FEW = 20000,
	PAIRS = 3000,
	NAPS = 100,
	NAP_MS = 10
};

static void *block[MANY], *later[MANY];

static void fill(void **to, size_t count, size_t bytes)
{
	for (size_t i = 0; i < count; i++)
		to[i] = memset(malloc(bytes), 1, bytes);
}

static void empty(void **of, size_t count, size_t step)
{
	for (size_t i = 0; i < count; i += step) {
		free(of[i]);
		of[i] = NULL;
	}
}

static void strands(void)
{
	fill(block, MANY, SMALL);
	for (size_t i = 0; i < MANY; i++)
		if (i % (UNIT / SMALL)) {
			free(block[i]);
			block[i] = NULL;
		}
	fill(later, MANY / 2, 2 * SMALL);
}

static void go_on(void)
{
	static const struct timespec nap = {0, NAP_MS * 1000000L};

	for (int naps = 0; naps < NAPS; naps++) {
		for (int i = 0; i < PAIRS; i++)
			free(malloc(48));
		nanosleep(&nap, NULL);
	}
}

static void idles(void)
{
	fill(block, MANY, SMALL);
	empty(block, MANY, 1);
	go_on();
}

static void ages(void)
{
	fill(block, MANY, SMALL);
	empty(block, MANY, 2);
	fill(later, MANY / 2, SMALL);
	empty(block, MANY, 1);
	go_on();
}

int main(int argc, char **argv)
{
	const char *scene = argc == 2 ? argv[1] : "";

	if (strcmp(scene, "strands") == 0)
		strands();
	else if (strcmp(scene, "slack") == 0)
		fill(block, FEW, 1040);
	else if (strcmp(scene, "small") == 0)
		fill(block, MANY, 40);
	else if (strcmp(scene, "idles") == 0)
		idles();
	else if (strcmp(scene, "ages") == 0)
		ages();
	else
		return 2;
	return 0;
}
