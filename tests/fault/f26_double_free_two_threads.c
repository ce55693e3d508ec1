/* SPDX-License-Identifier: MIT */
/* F26: another thread freed the block before. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(300);
	in_thread(free_it, block);
	free(block);
	return went_on();
}
