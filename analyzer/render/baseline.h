/* SPDX-License-Identifier: MIT */
/* baseline.h: a baseline as it is written: JSON, sorted, a figure and a call site a line, so that a diff of it reads well. */
#ifndef POOLMEM_RENDER_BASELINE_H
#define POOLMEM_RENDER_BASELINE_H

#include "study/baseline.h"
#include "text/sink.h"

void baseline_json(const struct baseline *baseline, struct sink *sink);

#endif
