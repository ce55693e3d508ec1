/* SPDX-License-Identifier: MIT */
/*
 * fragments.c: half of many small blocks is freed, each other one, and then larger ones come that fit in no gap.
 *
 *     fragments [BLOCKS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? (size_t)atol(argv[1]) : 200000;
	char **block = malloc(count * sizeof *block);
	for (size_t i = 0; i < count; i++)
		memset(block[i] = malloc(100), 1, 100);
	for (size_t i = 0; i < count; i += 2)
		free(block[i]);
	for (size_t i = 0; i < count; i += 2)
		memset(block[i] = malloc(150), 1, 150);
	puts("done");
	return 0;
}
