/* SPDX-License-Identifier: MIT */
/* replace.h: nothing is written over a file that is there, unless that was asked for. */
#ifndef POOLMEM_TEXT_REPLACE_H
#define POOLMEM_TEXT_REPLACE_H

#include "text/failure.h"

/* Whether there is no such file, or `overwrite` was given.  What is no file, such as /dev/null, is none of one's own. */
bool may_replace(const char *path, bool overwrite, struct failure *why);

#endif
