/* SPDX-License-Identifier: MIT */
/*
 * leak.h: what a process kept of the blocks that it was handed itself, class by class.
 *
 * A child's frees do not tell whose block it was: its own, or one of its parent's.  But no free of one size
 * is of a block of another, so that the least is told by each class for itself: as the table of size classes
 * does, of which this is the sum.
 */
#ifndef POOLMEM_STUDY_LEAK_H
#define POOLMEM_STUDY_LEAK_H

#include "study/classes.h"
#include "study/metrics.h"

/* Raises the least that leak.* can be, and says of departed children what is known. */
void leak_by_class(const struct process *process, struct metrics *metrics);

#endif
