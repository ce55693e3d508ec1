/* SPDX-License-Identifier: MIT */
/* F26: realloc of an address inside a block. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	block = realloc(block + 16, 1000);
	return went_on();
}
