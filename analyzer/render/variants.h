/* SPDX-License-Identifier: MIT */
/* variants.h: what a trace takes with other values of our own parameters, and which would be better. */
#ifndef POOLMEM_RENDER_VARIANTS_H
#define POOLMEM_RENDER_VARIANTS_H

#include "render/replay.h"
#include "study/variants.h"

/* Of the values that were chosen: which could not be tried, and why. */
struct variants_missing {
	const char *name, *why;
};

struct variants_view {
	const struct replay_view *replay; /* its rows: poolmem as it is, then those of the study */
	const struct variants_study *study;
	struct variants_missing missing[VARIANT_COUNT];
	size_t missing_count;
};

void variants_text(const struct variants_view *view, struct sink *sink);
void variants_json(const struct variants_view *view, struct sink *sink);

#endif
