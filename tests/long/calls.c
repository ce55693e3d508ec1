/* SPDX-License-Identifier: MIT */
/* calls N: about N calls of malloc and free in all, of at most a thousand blocks at a time, of many sizes. */
#include <stdlib.h>

enum { LIVE = 1000 };

int main(int argc, char **argv)
{
	static void *block[LIVE];
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned random = 1;

	for (unsigned long i = 0; i < calls; i += 2) {
		random = random * 1103515245 + 12345;
		void **place = &block[(random >> 8) % LIVE];
		free(*place);
		*place = malloc((random >> 16) % 600 + 1);
		if (!*place)
			return 1;
	}
	return 0;
}
