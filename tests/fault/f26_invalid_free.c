/* SPDX-License-Identifier: MIT */
/* F26: an address in a pool where no block was handed out yet. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(32768);
	free((char *)((uintptr_t)block / 65536 * 65536) + 3 * 65536 + 32768 * 1);
	return went_on();
}
