/* SPDX-License-Identifier: MIT */
/* report.h: a study as text for people, or as JSON for machines. */
#ifndef POOLMEM_RENDER_REPORT_H
#define POOLMEM_RENDER_REPORT_H

#include "render/view.h"
#include "study/advice.h"
#include "study/study.h"
#include "text/sink.h"

void report_text(const struct study *study, struct sites *sites, const struct advice_list *advice,
		 const struct view *view, struct sink *sink);
void report_json(const struct study *study, struct sites *sites, const struct advice_list *advice,
		 const struct view *view, struct sink *sink);

#endif
