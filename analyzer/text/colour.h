/* SPDX-License-Identifier: MIT */
/* colour.h: whether styles reach the output. */
#ifndef POOLMEM_TEXT_COLOUR_H
#define POOLMEM_TEXT_COLOUR_H

#include "text/failure.h"

/*
 * choice: "auto", "always", "never"; NULL: auto.  auto: on a terminal, unless NO_COLOR is set or
 * TERM is dumb.
 */
bool colour_wanted(const char *choice, int fd, bool *ret, struct failure *why);

#endif
