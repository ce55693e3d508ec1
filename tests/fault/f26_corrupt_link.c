/* SPDX-License-Identifier: MIT */
/* F26: a write after free reaches the link to the next free block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free(block);
	memset(block, 0x55, 8);
	block = malloc(100);
	block = malloc(100);
	return went_on();
}
