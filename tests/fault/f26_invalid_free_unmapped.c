/* SPDX-License-Identifier: MIT */
/* F26: an address in an arena, but in no pool. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100);
	free((char *)((uintptr_t)block / 65536 * 65536) + 60 * 65536);
	return went_on();
}
