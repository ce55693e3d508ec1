/* SPDX-License-Identifier: MIT */
/* F26: an address before the end of an aligned block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = aligned_alloc(4096, 100);
	free(block + 96);
	return went_on();
}
