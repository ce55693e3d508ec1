/* SPDX-License-Identifier: MIT */
/* metrics.h: the flat figures of a process or of all together, by the one list PM_METRICS. */
#ifndef POOLMEM_STUDY_METRICS_H
#define POOLMEM_STUDY_METRICS_H

#include "model/recording.h"

#define METRIC_NAME(name, key, unit, meaning) METRIC_##name,
enum metric { PM_METRICS(METRIC_NAME) METRIC_COUNT };
#undef METRIC_NAME

/* A figure that is not exact; at_most INT64_MAX: no end. */
struct metric_bound {
	bool is_known;
	int64_t at_least, at_most;
};

struct metrics {
	struct known value[METRIC_COUNT];
	struct metric_bound bound[METRIC_COUNT];
	bool has_gap; /* a total: what sweeps did is not known of some process */
};

enum metric_unit { UNIT_COUNT, UNIT_BYTES, UNIT_NS, UNIT_NUMBER };

extern const char *const metric_keys[METRIC_COUNT];
extern const enum metric_unit metric_units[METRIC_COUNT];

void metrics_of_process(const struct process *process, struct metrics *ret);

/* Adds the share of a process (inheritance.h) to a total; begin with a zero total. */
void metrics_add(struct metrics *total, const struct metrics *share);

/* From the first start to the last end; a bound when some end is not known. */
struct span {
	bool is_known, is_bound;
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC */
};

void span_add(struct span *span, const struct process *process);

/* Figures of the whole that are no sums: the span, and what `run` saw of the whole. */
void metrics_finish(struct metrics *total, const struct span *span, const struct outside *outside);

/* Told at ticks and at exit: 0 of a process that ended before. */
uint64_t mapped_peak_of(const struct pm_process *record);

uint64_t metric(const struct metrics *metrics, enum metric which); /* 0 when not known */

#endif
