/* SPDX-License-Identifier: MIT */
/* F26: a block with arenas of its own, unmapped by its first free. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(40000000);
	free(block);
	free(block);
	return went_on();
}
