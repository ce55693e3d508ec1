/* SPDX-License-Identifier: MIT */
/*
 * openmetrics.h: what all OpenMetrics text of poolmem has in common.
 *
 * A family is called as the metric is, dots made underscores, with its unit behind the name, times in seconds.
 */
#ifndef POOLMEM_RENDER_OPENMETRICS_H
#define POOLMEM_RENDER_OPENMETRICS_H

#include "study/metrics.h"
#include "text/sink.h"

enum { OPENMETRICS_NAME_BYTES = 80 };

/* How a sample is called: "live.peak": poolmem_live_peak_bytes; a counter ends in _total. */
void openmetrics_family(enum metric which, char ret[OPENMETRICS_NAME_BYTES]);

/* Those that only grow. */
bool openmetrics_is_counter(enum metric which);

/* What stands above the samples of a family. */
void openmetrics_head_of(enum metric which, struct sink *sink);
/* type: "gauge"; unit NULL: none */
void openmetrics_head(const char *family, const char *type, const char *unit, const char *help,
		      struct sink *sink);

/* Text of unknown origin within the quotes of a label's value. */
void openmetrics_escaped(const char *text, struct sink *sink);

/* The value, and the end of the line. */
void openmetrics_value(enum metric_unit unit, int64_t value, struct sink *sink);

#endif
