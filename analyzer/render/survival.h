/* SPDX-License-Identifier: MIT */
/* survival.h: who dies young and who never dies, as text, as JSON and as a picture. */
#ifndef POOLMEM_RENDER_SURVIVAL_H
#define POOLMEM_RENDER_SURVIVAL_H

#include "render/view.h"
#include "study/study.h"
#include "study/what_if.h"
#include "text/sink.h"

/* what_if: NULL: nothing was asked. */
void survival_text(const struct study *study, const struct what_if *what_if,
		   const struct view *view, struct sink *sink);
void survival_json(const struct study *study, const struct what_if *what_if,
		   const struct view *view, struct sink *sink);

/* What the figures say, in sentences. */
void survival_words(const struct study *study, const struct figures *figures, struct sink *sink);
void survival_words_what_if(const struct what_if *what_if, struct sink *sink);

/* The curve of the whole, with its phases; there is one. */
void survival_svg(const struct study *study, struct sink *sink);

#endif
