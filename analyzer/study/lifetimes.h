/* SPDX-License-Identifier: MIT */
/*
 * lifetimes.h: for how long the blocks of each stack lived, all of them together, in epochs.
 *
 * Of a death two ages are known that it lies between: the middle of them counts.  Of what lives the age is not known:
 * half the epochs of its process count, as if blocks had been born evenly.
 */
#ifndef POOLMEM_STUDY_LIFETIMES_H
#define POOLMEM_STUDY_LIFETIMES_H

#include "study/sites.h"

/* By number of the place, as site.place.  Freed by the caller. */
double *lifetimes_of(const struct study *study, struct sites *sites);

/* Of the process that had most. */
uint64_t epochs_at_most(const struct study *study);

#endif
