/* SPDX-License-Identifier: MIT */
/*
 * names.h: names of threads, which the program's own records do not have: those that `poolmem run` saw, or those that a
 * process that runs has now.
 */
#ifndef POOLMEM_MODEL_NAMES_H
#define POOLMEM_MODEL_NAMES_H

#include "model/recording.h"

/* To be called when it is known what became of each process. */
void tell_names(struct recording *recording);

#endif
