/* SPDX-License-Identifier: MIT */
/* F26: the second free follows the first. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free(block);
	free(block);
	return went_on();
}
