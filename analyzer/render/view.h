/* SPDX-License-Identifier: MIT */
/* view.h: how much of a report is shown. */
#ifndef POOLMEM_RENDER_VIEW_H
#define POOLMEM_RENDER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

struct view {
	size_t row_max; /* of each table; 0: all */
	bool all;       /* a section for each process */
};

static inline size_t view_rows(const struct view *view, size_t count)
{
	return view->row_max && view->row_max < count ? view->row_max : count;
}

#endif
