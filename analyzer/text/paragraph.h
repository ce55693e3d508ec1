/* SPDX-License-Identifier: MIT */
/* paragraph.h: a line of words, broken between them where the terminal ends. */
#ifndef POOLMEM_TEXT_PARAGRAPH_H
#define POOLMEM_TEXT_PARAGRAPH_H

#include "text/sink.h"

/*
 * All that is printed from here to the next line break is one paragraph.  What does not fit goes on in the
 * next line, behind `indent` blanks.  80 columns where the output is no terminal.
 */
void paragraph_begin(struct sink *sink, size_t indent);

/* A paragraph two blanks in, as sentences stand above tables. */
void paragraph_begin_indented(struct sink *sink);

/* For the sink: takes bytes of an open paragraph; returns how many. */
size_t paragraph_take(struct sink *sink, const char *bytes, size_t byte_count);

#endif
