/* SPDX-License-Identifier: MIT */
/* F26: realloc frees what is free. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free(block);
	block = realloc(block, 1000);
	return went_on();
}
