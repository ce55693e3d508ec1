/* SPDX-License-Identifier: MIT */
/* next.h: heap=next, between who begins it (next.c) and who counts its calls (counted.c). */
#ifndef LIFE_NEXT_H
#define LIFE_NEXT_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* From now on calls are counted.  `word_tells`: glibc serves; `has_births`: blocks are to have stamps. */
void counted_begin(bool word_tells, bool has_births);

#pragma GCC visibility pop

#endif
