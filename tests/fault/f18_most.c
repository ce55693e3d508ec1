/* SPDX-License-Identifier: MIT */
/* F18: how many KiB of blocks of one size can be had before memory ends.   usage: f18_most BYTES */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? (size_t)atol(argv[1]) : 100, count = 0;
	while (malloc(bytes))
		count++;
	printf("%zu\n", count * bytes / 1024);
	return 0;
}
