/* SPDX-License-Identifier: MIT */
/* markdown.h: text of unknown origin in Markdown as GitHub and GitLab have it. */
#ifndef POOLMEM_RENDER_MARKDOWN_H
#define POOLMEM_RENDER_MARKDOWN_H

#include "text/sink.h"

/* On one line, in a table or not: it reads as it is; no mark-up, no link, and nobody is mentioned.  Not at the start of a line. */
void markdown_put(const char *text, struct sink *sink);

/* The same in the font of code. */
void markdown_code(const char *text, struct sink *sink);

#endif
