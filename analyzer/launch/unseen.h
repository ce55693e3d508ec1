/* SPDX-License-Identifier: MIT */
/* unseen.h: what a run of a test did that is not in its capture: programs without a record, or that nobody could have seen. */
#ifndef POOLMEM_LAUNCH_UNSEEN_H
#define POOLMEM_LAUNCH_UNSEEN_H

#include "launch/record.h"
#include "study/trial.h"

/* What else to know of the run. */
void unseen_note(struct trial *trial, const struct record *record, const struct measured *run);

/*
 * Memory that nobody counted is no pass, unless the budget names who used it; then it is a note.  Why it is none; NULL: nothing is
 * missing.  As long as the trial.
 */
const char *unseen_judge(struct trial *trial, const struct measured *run);

#endif
