/* SPDX-License-Identifier: MIT */
/* F26: a block that another thread freed is written to, and its list is put before the owner's own. */
#include "fault/f26.h"

#include <malloc.h>

int main(void)
{
	enum { BLOCKS = 2000 };
	static pointer blocks[BLOCKS];
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(100);
	for (int i = 50; i < 60; i++)
		free(blocks[i]);
	in_thread(free_it, blocks[100]);
	in_thread(free_it, blocks[101]);
	memset(blocks[101], 0x55, 8);
	malloc_trim(0);
	for (int i = 200; i < BLOCKS; i++)
		free(blocks[i]);
	return went_on();
}
