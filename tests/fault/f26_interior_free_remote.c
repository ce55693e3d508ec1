/* SPDX-License-Identifier: MIT */
/* F26: an address inside a block of another thread. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	in_thread(free_it, block + 32);
	return went_on();
}
