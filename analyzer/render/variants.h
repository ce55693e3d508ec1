/* SPDX-License-Identifier: MIT */
/* variants.h: what a trace takes with other values of our own parameters, and which would be better. */
#ifndef POOLMEM_RENDER_VARIANTS_H
#define POOLMEM_RENDER_VARIANTS_H

#include "study/variants.h"
#include "text/sink.h"

struct variants_view {
	const struct comparison *comparison; /* of which the study has rows */
	const struct variants_study *study;
};

void variants_text(const struct variants_view *view, struct sink *sink);
void variants_json(const struct variants_view *view, struct sink *sink);

#endif
