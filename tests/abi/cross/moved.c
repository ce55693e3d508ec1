/* SPDX-License-Identifier: MIT */
/*
 * moved.c: where the pages of a block were moved away, and what came there was purged, calloc() still gives zeros.  Exits with
 * 1 where it does not.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 1 << 20, ROUNDS = 20 };

static int is_zero(const char *block, size_t bytes)
{
	return !block[0] && memcmp(block, block + 1, bytes - 1) == 0;
}

/* The space of `bytes` is used, given back to the kernel and used again. */
static int comes_back_zeroed(size_t bytes)
{
	char *block = malloc(bytes), *fresh;
	int good;

	memset(block, 1, bytes);
	free(block);
	malloc_trim(0);
	fresh = calloc(1, bytes);
	good = is_zero(fresh, bytes);
	free(fresh);
	return good;
}

int main(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *block = malloc(BYTES), *behind = malloc(BYTES);

		memset(block, 1, BYTES);
		block = realloc(block, 4 * BYTES);
		if (block[BYTES - 1] != 1 || !comes_back_zeroed(BYTES))
			return 1;
		free(block);
		free(behind);
	}
	return 0;
}
