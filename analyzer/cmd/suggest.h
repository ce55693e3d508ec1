/* SPDX-License-Identifier: MIT */
/* suggest.h: "did you mean". */
#ifndef POOLMEM_CMD_SUGGEST_H
#define POOLMEM_CMD_SUGGEST_H

#include <stddef.h>

/* The word that is nearest to `typed`; NULL when none is near enough to be meant. */
const char *suggest(const char *typed, const char *const *words, size_t word_count);

#endif
