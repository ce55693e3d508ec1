/* SPDX-License-Identifier: MIT */
/* listing.h: segments as a table for people, or as JSON for machines. */
#ifndef POOLMEM_RENDER_LISTING_H
#define POOLMEM_RENDER_LISTING_H

#include "model/listing.h"
#include "render/view.h"
#include "text/sink.h"

/* rows: pointers to the rows to show, in order.  last: path of the newest capture; NULL: none. */
void listing_text(const struct listing_row *const *rows, size_t count, const char *last,
		  const struct view *view, struct sink *sink);
void listing_json(const struct listing_row *const *rows, size_t count, const char *last,
		  const struct view *view, struct sink *sink);

#endif
