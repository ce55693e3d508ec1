/* SPDX-License-Identifier: MIT */
/* interrupted.h: the end of a command that a signal cut short, after it has shown what was finished. */
#ifndef POOLMEM_CMD_INTERRUPTED_H
#define POOLMEM_CMD_INTERRUPTED_H

#include "text/failure.h"

/* Says why nothing could be shown, if so, and ends by that signal: who started this program sees it.  0: does nothing. */
void interrupted_end(int number, const struct failure *why);

#endif
