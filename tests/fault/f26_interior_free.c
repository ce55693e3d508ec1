/* SPDX-License-Identifier: MIT */
/* F26: an address inside a block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free(block + 16);
	return went_on();
}
