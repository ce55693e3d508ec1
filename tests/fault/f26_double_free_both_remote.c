/* SPDX-License-Identifier: MIT */
/* F26: both frees come from threads that do not own the block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(300);
	in_thread(free_it, block);
	in_thread(free_it, block);
	return went_on();
}
