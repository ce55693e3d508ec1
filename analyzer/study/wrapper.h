/* SPDX-License-Identifier: MIT */
/* wrapper.h: functions that only pass an allocation on: whoever calls them is meant. */
#ifndef POOLMEM_STUDY_WRAPPER_H
#define POOLMEM_STUDY_WRAPPER_H

#include <stdbool.h>

/* function: NULL: not known; then its module tells.  Each may be NULL. */
bool is_wrapper(const char *function, const char *module);

#endif
