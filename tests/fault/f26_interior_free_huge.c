/* SPDX-License-Identifier: MIT */
/* F26: an address in the first unit of a block that spans arenas. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(10000000);
	free(block + 5000);
	return went_on();
}
