/* SPDX-License-Identifier: MIT */
/* F26: a block that spans arenas, unmapped by its first free. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(10000000);
	free(block);
	free(block);
	return went_on();
}
