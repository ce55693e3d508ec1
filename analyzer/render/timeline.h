/* SPDX-License-Identifier: MIT */
/* timeline.h: a process over time: text, JSON, a picture.  Each of one that has noted something. */
#ifndef POOLMEM_RENDER_TIMELINE_H
#define POOLMEM_RENDER_TIMELINE_H

#include "study/study.h"
#include "study/timeline.h"
#include "text/sink.h"

#include <jansson.h>

/* grows: it is known otherwise, by call site, that more lives in the end than before. */
void timeline_text(const struct over_time *over_time, enum time_axis axis, bool grows,
		   struct sink *sink);

/* NULL-safe: null of a process that has noted nothing. */
json_t *timeline_json(const struct over_time *over_time);

void timeline_svg(const struct study *study, const struct over_time *over_time, enum time_axis axis,
		  struct sink *sink);

/* A place on the axis: "1.24 s", "10,120"; and the same in a sentence: "after 10,120 allocations". */
struct number timeline_place(enum time_axis axis, uint64_t place);

#endif
