/* SPDX-License-Identifier: MIT */
/*
 * Keeps one block while 40,000 smaller ones come and go: what survival says of it is known.
 *
 *     lone [freeze]
 */
#include <poolmem/poolmem.h>
#include <stdlib.h>

enum { KEPT_BYTES = 100, YOUNG_BYTES = 10, YOUNG = 40000 };

int main(int argc, char **argv)
{
	(void)argv;
	void *volatile kept = malloc(KEPT_BYTES);
	if (argc > 1 && poolmem_freeze() != 1)
		return 2;
	for (unsigned i = 0; i < YOUNG; i++) {
		void *volatile young = malloc(YOUNG_BYTES);
		free(young);
	}
	return !kept;
}
