/* SPDX-License-Identifier: MIT */
/* F26: the pool of the block went back to its arena in between. */
#include "fault/f26.h"

int main(void)
{
	static pointer blocks[5000];
	for (int i = 0; i < 5000; i++)
		blocks[i] = malloc(100);
	for (int i = 0; i < 5000; i++)
		free(blocks[i]);
	free(blocks[2500]);
	return went_on();
}
