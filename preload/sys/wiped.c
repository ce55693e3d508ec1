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

bool wiped_wait(uint32_t *flag, unsigned turns)
{
	bool mine = false;
	for (unsigned turn = 0; turn < turns && !(mine = wiped_try(flag)); turn++)
		memory_pause(flag, 1, turn);
	return mine;
}
