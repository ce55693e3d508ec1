/* SPDX-License-Identifier: MIT */
/*
 * quote.h: words as a shell or a budget reads them: in quotes where they have blanks or letters that mean something there, line
 * breaks and tabs as a blank.
 */
#ifndef POOLMEM_TEXT_QUOTE_H
#define POOLMEM_TEXT_QUOTE_H

#include <stddef.h>

/* With a blank between two.  Freed by the caller. */
char *quote_words(const char *const *words, size_t count);
char *quote_word(const char *word);

#endif
