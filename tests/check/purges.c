/* SPDX-License-Identifier: MIT */
/* purges.c: `purges PAUSES BLOCKS`: frees 12 MB, then pauses so often for 300 ms and makes so many small blocks, both in turn. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 24, BYTES = 500000, MS = 1000 };

int main(int argc, char **argv)
{
	long pauses = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	long blocks = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	static char *volatile held[COUNT];

	for (int i = 0; i < COUNT; i++) {
		held[i] = malloc(BYTES);
		memset(held[i], 1, BYTES);
	}
	for (int i = 0; i < COUNT; i++)
		free(held[i]);
	for (long turn = 0; turn <= pauses; turn++) {
		if (turn)
			usleep(300 * MS);
		for (long i = 0; i < blocks; i++) {
			held[0] = malloc(100);
			free(held[0]);
		}
	}
	return 0;
}
