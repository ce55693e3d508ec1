/* SPDX-License-Identifier: MIT */
/* F26: the same for a block that another thread freed. */
#include "fault/f26.h"

int main(void)
{
	enum { BLOCKS = 2000 };
	static pointer blocks[BLOCKS];
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(100);
	in_thread(free_it, blocks[100]);
	in_thread(free_it, blocks[101]);
	memset(blocks[101], 0x55, 8);
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(100);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return went_on();
}
