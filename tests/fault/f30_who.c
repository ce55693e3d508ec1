/* SPDX-License-Identifier: MIT */
/* Says with whose rights it runs and whose allocator serves it: poolmem rounds 100 up to 112. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(void)
{
	void *volatile blocks[1000];
	void *block = malloc(100);
	printf("uid %d euid %d secure %lu usable %zu\n", (int)getuid(), (int)geteuid(),
	       getauxval(AT_SECURE), malloc_usable_size(block));
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < 1000; i++)
			blocks[i] = memset(malloc(i * 7 + 1), 1, i * 7 + 1);
		for (unsigned i = 0; i < 1000; i++)
			free(blocks[i]);
	}
	free(block);
	return 9;
}
