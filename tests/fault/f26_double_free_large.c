/* SPDX-License-Identifier: MIT */
/* F26: a block with a run of pages of its own. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100000);
	free(block);
	free(block);
	return went_on();
}
