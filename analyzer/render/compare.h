/* SPDX-License-Identifier: MIT */
/* compare.h: one command, or the trace of one, under several allocators, as tables and sentences, JSON, Markdown, and a picture. */
#ifndef POOLMEM_RENDER_COMPARE_H
#define POOLMEM_RENDER_COMPARE_H

#include "study/compare.h"
#include "text/sink.h"

#include <jansson.h>

void compare_text(const struct comparison *comparison, struct sink *sink);
void compare_markdown(const struct comparison *comparison, struct sink *sink);
void compare_json(const struct comparison *comparison, struct sink *sink);

/* Of a trace that was replayed: what it holds. */
void compare_trace(const struct comparison *comparison, struct sink *sink);

/* The document of compare_json(), for who has more to say. */
json_t *compare_document(const struct comparison *comparison);

/* What was resident over time, a line for each allocator. */
void compare_svg(const struct comparison *comparison, struct sink *sink);

/* compare_words.c: which to pick.  measure: PEAK, END or compare_time().  Ends with a line break. */
void compare_sentence(const struct comparison *comparison, enum compare_measure measure,
		      struct sink *sink);

/* What the figures are of. */
void compare_method(const struct comparison *comparison, struct sink *sink);

/* Of one that was interrupted: what was finished. */
void compare_interruption(const struct comparison *comparison, struct sink *sink);

/* What to know of these runs besides, a sentence each.  Returns how many there are. */
enum { COMPARE_NOTES_MAX = 8 };
struct compare_note {
	char text[400];
};
size_t compare_notes(const struct comparison *comparison,
		     struct compare_note ret[COMPARE_NOTES_MAX]);

#endif
