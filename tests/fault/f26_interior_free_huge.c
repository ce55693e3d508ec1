/* SPDX-License-Identifier: MIT */
/* F26: an address in the first unit of a block with arenas of its own. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(40000000);
	free(block + 5000);
	return went_on();
}
