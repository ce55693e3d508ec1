/* SPDX-License-Identifier: MIT */
/* schedule.h: which sweep takes which generation, and how many epochs a clock has room for. */
#ifndef POOLMEM_STUDY_SCHEDULE_H
#define POOLMEM_STUDY_SCHEDULE_H

#include "study/survival.h"

/*
 * After t1 + 1 young sweeps comes a middle one, after t2 + 1 middle ones at once a full one: preload/tally/clock.c.
 * Middle and full sweeps alike move what they find to generation 2.
 */
struct pattern {
	uint64_t period; /* sweeps from one middle sweep to the next */
	uint64_t middle; /* middle sweeps in a cycle */
	uint64_t cycle;  /* sweeps from one full sweep to the next */
};

struct pattern pattern_of(const uint32_t threshold[GENERATION_COUNT]);

/* Of so many sweeps: how many take a generation and no older one. */
void sweeps_among(const struct pattern *pattern, uint64_t sweeps, uint64_t ret[GENERATION_COUNT]);

/* Of these, middle and full ones. */
uint64_t older_sweeps(const struct pattern *pattern, uint64_t sweeps);

/* Young sweeps since the last that was none; all of them when there was no other. */
uint64_t young_since(const struct pattern *pattern, uint64_t sweeps);

/* After so many epochs of a process its epochs become twice as long. */
uint32_t epochs_per_doubling(const struct pm_process *record);

/* How many epochs `units` have room for, the first `doubling` of `length`, the next of twice the length, and so on. */
uint64_t epochs_in(uint64_t units, double length, uint32_t doubling);

/* By which part of its length an epoch outlasts it, on average: it ends at a slow call. */
double mean_excess(const struct pm_process *record);

/* What fits a figure, rounded down. */
uint64_t figure_of(double value);

#endif
