/* SPDX-License-Identifier: MIT */
/* moment.h: of which moment a process is shown: of several surveys one. */
#ifndef POOLMEM_STUDY_MOMENT_H
#define POOLMEM_STUDY_MOMENT_H

#include "model/process.h"

/* false: the word is none of MOMENTS. */
bool moment_parse(const char *word, enum moment *ret);
const char *moment_key(enum moment moment);

/*
 * The survey of a process at a moment, and which that is; NULL: there is none, and it is shown as it was published.
 * CHOOSE: the end, and the peak where that is all there is, or most was free again at the end.
 */
const struct survey *moment_survey(const struct process *process, enum moment wanted,
				   enum moment *ret);

#endif
