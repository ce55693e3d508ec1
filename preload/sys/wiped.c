/* SPDX-License-Identifier: MIT */
/* wiped.c: our own data that is wiped on fork. */
#include "sys/wiped.h"

#include "sys/memory.h"

struct wiped wiped __attribute__((aligned(MEMORY_PAGE))) MEMORY_FAR;

_Static_assert(sizeof(struct wiped) % MEMORY_PAGE == 0, "pages of its own");

bool wiped_init(void)
{
	return memory_wipe_on_fork(&wiped, sizeof wiped);
}
