/* SPDX-License-Identifier: MIT */
/* leaks.h: who never freed, as text and as JSON. */
#ifndef POOLMEM_RENDER_LEAKS_H
#define POOLMEM_RENDER_LEAKS_H

#include "render/view.h"
#include "study/leaks.h"
#include "text/sink.h"

struct leaks_view {
	struct view view;
	bool verbose; /* suppressions that were not used, too */
	const struct suppressions *suppressions;
};

void leaks_text(const struct study *study, const struct leaks *leaks, const struct leaks_view *view,
		struct sink *sink);
void leaks_json(const struct study *study, const struct leaks *leaks, const struct leaks_view *view,
		struct sink *sink);

#endif
