/* SPDX-License-Identifier: MIT */
/*
 * escape.h: bytes of unknown origin made fit to show.
 *
 * Shown text holds no control character of any kind (C0, DEL, C1, line and paragraph separators)
 * and no character that turns the reading direction; each appears as \n, \x1b or \u202e.  Bytes
 * that are no UTF-8 become U+FFFD.
 */
#ifndef POOLMEM_TEXT_ESCAPE_H
#define POOLMEM_TEXT_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * One code point of UTF-8 text, or U+FFFD for a byte that begins none.  Returns the bytes it took.
 */
size_t utf8_next(const char *text, size_t byte_count, uint32_t *ret_point);

/* Freed by the caller. */
char *escape_text(const char *text);
char *escape_bytes(const char *bytes, size_t byte_count);

/* Valid UTF-8, control characters kept: for a JSON encoder that escapes them itself. */
char *repair_utf8(const char *bytes, size_t byte_count);

/* Columns that valid UTF-8 text takes: one for each code point. */
size_t text_columns(const char *text);

/* Cuts valid UTF-8 text to column_max columns, "..." where the rest was; below 3: never. */
void text_cut(char *text, size_t column_max);       /* keeps the beginning */
void text_cut_front(char *text, size_t column_max); /* keeps the end, where a path has its name */

#endif
