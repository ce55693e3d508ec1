/* SPDX-License-Identifier: MIT */
/* written.h: what of a check goes into the baseline, and what of it was another figure before. */
#ifndef POOLMEM_STUDY_WRITTEN_H
#define POOLMEM_STUDY_WRITTEN_H

#include "study/check.h"
#include "study/trial.h"

/* Whether --update, or --ratchet, takes it: it could be measured; and was within its budget. */
bool written_is_taken(const struct check_test *test, const struct trial *trial, bool is_ratchet);

/* Takes it, and notes in the check what that changes.  is_ratchet: only what is better, as trial_to_baseline() does. */
void written_take(struct check *check, struct trial *trial, struct baseline *baseline,
		  bool is_ratchet);

#endif
