/* SPDX-License-Identifier: MIT */
/* diff.h: what changed between two recordings, as text and as JSON. */
#ifndef POOLMEM_RENDER_DIFF_H
#define POOLMEM_RENDER_DIFF_H

#include "render/view.h"
#include "study/diff.h"
#include "text/sink.h"

struct diff_view {
	struct view view;
	bool stacks;
	const char *names[DIFF_SIDES]; /* as the user gave them */
};

void diff_text(const struct diff *diff, const struct diff_view *view, struct sink *sink);
void diff_json(const struct diff *diff, const struct diff_view *view, struct sink *sink);

extern const char *const diff_side_words[DIFF_SIDES];

#endif
