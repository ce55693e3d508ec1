/* SPDX-License-Identifier: MIT */
/* glance.h: what stands first in a report: one line for each thing that everybody asks. */
#ifndef POOLMEM_RENDER_GLANCE_H
#define POOLMEM_RENDER_GLANCE_H

#include "study/study.h"
#include "text/sink.h"

void glance_recording(const struct study *study, struct sink *sink);
void glance_process(const struct study *study, const struct process_study *process,
		    struct sink *sink);

/* Of these, the lines that say of what the figures are. */
void glance_heading(const struct study *study, struct sink *sink);
void glance_heading_of(const struct study *study, const struct process_study *process,
		       struct sink *sink);

#endif
