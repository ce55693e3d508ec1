/* SPDX-License-Identifier: MIT */
/* wrapper.h: functions that only pass an allocation on: whoever calls them is meant. */
#ifndef POOLMEM_STUDY_WRAPPER_H
#define POOLMEM_STUDY_WRAPPER_H

#include "text/failure.h"

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/* Those that a user names, besides the ones that are known here: expressions that such functions match. */
struct wrappers {
	regex_t *list;
	size_t count, room;
};

bool wrappers_add(struct wrappers *wrappers, const char *expression, struct failure *why);
void wrappers_free(struct wrappers *wrappers);

/* function: NULL: not known; then its module tells.  Each may be NULL. */
bool is_wrapper(const struct wrappers *given, const char *function, const char *module);

#endif
