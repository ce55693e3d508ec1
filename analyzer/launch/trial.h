/* SPDX-License-Identifier: MIT */
/* trial.h: the parts of a run tried out one by one: directory, lease, library, segment. */
#ifndef POOLMEM_LAUNCH_TRIAL_H
#define POOLMEM_LAUNCH_TRIAL_H

#include "launch/machine.h"

/* `library`: given by --lib, or NULL. */
void trial_check(struct checks *checks, const char *library);

#endif
