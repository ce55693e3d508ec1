/* SPDX-License-Identifier: MIT */
/*
 * empties all|most: 24 MiB in small blocks, kept until `poolmem run` has looked; then all are freed, or all but each
 * fortieth, and it ends.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 24000, BYTES = 1000, KEPT = 40 };

static char *block[BLOCKS];

int main(int argc, char **argv)
{
	int keeps = argc > 1 && strcmp(argv[1], "most") == 0;
	for (int i = 0; i < BLOCKS; i++)
		block[i] = memset(malloc(BYTES), 1, BYTES);
	sleep(1);
	for (int i = 0; i < BLOCKS; i++)
		if (!keeps || i % KEPT)
			free(block[i]);
	return 0;
}
