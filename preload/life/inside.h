/* SPDX-License-Identifier: MIT */
/* inside.h: what a reader needs to find its way in the memory of this process. */
#ifndef LIFE_INSIDE_H
#define LIFE_INSIDE_H

#include <poolmem/format.h>

#pragma GCC visibility push(hidden)

/* From the first byte of the library to behind its last one. */
extern const char *const inside_image_first, *const inside_image_last;

void inside_describe(uint64_t ret_words[PM_INSIDE_COUNT]);

#pragma GCC visibility pop

#endif
