/* SPDX-License-Identifier: MIT */
/* F26: an address that is not in our arenas is the next allocator's to judge. */
#include "fault/f26.h"

int main(void)
{
	char room[64] = {0};
	pointer block = room + 16;
	free(block);
	return went_on();
}
