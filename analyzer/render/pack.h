/* SPDX-License-Identifier: MIT */
/* pack.h: what became of a packed capture, as text and as JSON. */
#ifndef POOLMEM_RENDER_PACK_H
#define POOLMEM_RENDER_PACK_H

#include "model/naming.h"
#include "text/sink.h"

struct pack_view {
	const char *path;
	uint64_t bytes;
	bool is_cut_short;
	struct packing_sums names;
	struct naming *naming;
};

void pack_text(const struct pack_view *view, struct sink *sink);
void pack_json(const struct pack_view *view, struct sink *sink);

#endif
