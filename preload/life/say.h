/* SPDX-License-Identifier: MIT */
/*
 * say.h: one line on stderr, without stdio.
 *
 * The library speaks on two occasions only: a bad setting (or help=1), and a misuse of malloc's contract.
 */
#ifndef LIFE_SAY_H
#define LIFE_SAY_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct line {
	char text[512];
	size_t bytes;
};

/* Each appends what fits; the rest is cut. */
void line_bytes(struct line *line, const char *text, size_t bytes);
void line_text(struct line *line, const char *text);
void line_number(struct line *line, uint64_t value);
void line_address(struct line *line, const void *address);

/* Writes the line and a newline with one call. */
void line_say(struct line *line);

#pragma GCC visibility pop

#endif
