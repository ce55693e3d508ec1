/* SPDX-License-Identifier: MIT */
/* F26: an address in the second unit of a large block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100000);
	free(block + 70000);
	return went_on();
}
