/* SPDX-License-Identifier: MIT */
/* wiped.c: one page of our own data, wiped on fork. */
#include "sys/wiped.h"

#include "sys/memory.h"

struct wiped wiped __attribute__((aligned(MEMORY_PAGE)));

_Static_assert(sizeof(struct wiped) == MEMORY_PAGE, "a page of its own");

bool wiped_init(void)
{
	return memory_wipe_on_fork(&wiped, sizeof wiped);
}
