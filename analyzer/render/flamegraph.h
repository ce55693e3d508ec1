/* SPDX-License-Identifier: MIT */
/* flamegraph.h: the stacks of sites as a picture, or as lines for programs that draw one. */
#ifndef POOLMEM_RENDER_FLAMEGRAPH_H
#define POOLMEM_RENDER_FLAMEGRAPH_H

#include "study/site_tree.h"
#include "text/sink.h"

/* share_min: branches with less of the whole are left out of the picture. */
void flamegraph_svg(const struct study *study, struct sites *sites, double share_min,
		    struct sink *sink);

/* "main;load;parse 1234": outermost first, with what is of the innermost itself. */
void flamegraph_collapsed(struct sites *sites, struct sink *sink);

/* What makes the picture answer the mouse; opens and closes its elements. */
extern const char flamegraph_style[], flamegraph_script[];

#endif
