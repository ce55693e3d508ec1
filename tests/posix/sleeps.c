/* cflags: -fno-builtin */
/* SPDX-License-Identifier: MIT */
/* A program that frees what it had, small blocks and large ones, and then calls nothing any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 400000 };

static const long MOST = 80L << 20;

static char *block[BLOCKS];

static long resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		abort();
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

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
