/* SPDX-License-Identifier: MIT */
/* F26: a block of malloc(0). */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(0);
	free(block);
	free(block);
	return went_on();
}
