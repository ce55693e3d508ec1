/* SPDX-License-Identifier: MIT */
/* interrupted.c: see interrupted.h. */
#include "cmd/interrupted.h"

#include <signal.h>

void interrupted_end(int number, const struct failure *why)
{
	if (!number)
		return;
	failure_report(why);
	signal(number, SIG_DFL);
	raise(number);
}
