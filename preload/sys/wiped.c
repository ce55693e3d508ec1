/* SPDX-License-Identifier: MIT */
/* wiped.c: our own data that is wiped on fork. */
#include "sys/wiped.h"

struct wiped wiped MEMORY_FAR;

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
