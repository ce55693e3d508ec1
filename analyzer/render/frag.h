/* SPDX-License-Identifier: MIT */
/* frag.h: where resident memory is, and who pins it, as text, as JSON and as a picture. */
#ifndef POOLMEM_RENDER_FRAG_H
#define POOLMEM_RENDER_FRAG_H

#include "render/view.h"
#include "study/frag.h"
#include "text/sink.h"

/* axis: of what was when. */
void frag_text(struct frag *frag, enum time_axis axis, const struct view *view, struct sink *sink);
void frag_json(struct frag *frag, const struct view *view, struct sink *sink);

/* The largest process; there is one. */
void frag_svg(const struct frag *frag, struct sink *sink);

/* What the figures say, in sentences. */
void frag_words(struct frag *frag, struct frag_process *one, struct sink *sink);

/* The name of a holder, to be freed: "parse at json.c:12 < main", "blocks of 48 bytes, thread 12". */
char *frag_holder_name(struct frag *frag, struct frag_process *one, const struct holder *holder,
		       bool full_names);

#endif
