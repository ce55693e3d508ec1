/* SPDX-License-Identifier: MIT */
/* pack_trace.h: what became of a packed trace, as text and as JSON. */
#ifndef POOLMEM_RENDER_PACK_TRACE_H
#define POOLMEM_RENDER_PACK_TRACE_H

#include "text/sink.h"

#include <stdint.h>

struct pack_trace_view {
	const char *path; /* empty: the standard output, and the length is not known */
	uint64_t bytes, unpacked_bytes; /* now, and as recorded */
};

void pack_trace_text(const struct pack_trace_view *view, struct sink *sink);
void pack_trace_json(const struct pack_trace_view *view, struct sink *sink);

#endif
