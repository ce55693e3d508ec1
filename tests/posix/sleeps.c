/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* A program that frees what it had, small blocks and large ones, and then calls nothing any more. */
#include "posix/resident.h"

#include <string.h>

enum { BLOCKS = 400000 };

static const long MOST = 80L << 20;

static char *block[BLOCKS];

int main(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		size_t bytes = i % 1000 ? (size_t)i % 900 + 100 : 300000;
		block[i] = memset(malloc(bytes), 1, bytes);
	}
	long full = resident();
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	long now = resident();
	printf("%ld MiB, then %ld\n", full >> 20, now >> 20);
	return full < 3 * MOST || now > MOST;
}
