/* SPDX-License-Identifier: MIT */
/* F26: an address that is no multiple of 16. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free(block + 1);
	return went_on();
}
