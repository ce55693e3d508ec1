/* SPDX-License-Identifier: MIT */
/* schedule.c: see schedule.h. */
#include "study/schedule.h"

#include "model/saturate.h"

enum { DOUBLINGS_MAX = 53, DOUBLING_ONCE = 1024 };

struct pattern pattern_of(const uint32_t threshold[GENERATION_COUNT])
{
	uint64_t period = (uint64_t)threshold[1] + 2, middle = (uint64_t)threshold[2] + 1;
	return (struct pattern){period, middle, sum(product(middle, period), 1)};
}

void sweeps_among(const struct pattern *pattern, uint64_t sweeps, uint64_t ret[GENERATION_COUNT])
{
	ret[2] = sweeps / pattern->cycle;
	ret[1] = ret[2] * pattern->middle + sweeps % pattern->cycle / pattern->period;
	ret[0] = sweeps - ret[1] - ret[2];
}

uint64_t older_sweeps(const struct pattern *pattern, uint64_t sweeps)
{
	uint64_t of[GENERATION_COUNT];

	sweeps_among(pattern, sweeps, of);
	return of[1] + of[2];
}

uint64_t young_since(const struct pattern *pattern, uint64_t sweeps)
{
	uint64_t rest = sweeps % pattern->cycle;
	return rest < pattern->period ? rest : rest % pattern->period;
}

uint64_t figure_of(double value)
{
	if (value <= 0)
		return 0;
	return value >= (double)FIGURE_MAX ? FIGURE_MAX : (uint64_t)value;
}

uint32_t epochs_per_doubling(const struct pm_process *record)
{
	return record->doubling ? record->doubling : DOUBLING_ONCE;
}

uint64_t epochs_in(uint64_t units, double length, uint32_t doubling)
{
	double left = (double)units;
	uint64_t epochs = 0;

	for (int times = 0; times < DOUBLINGS_MAX; times++, length *= 2) {
		if (left < length * doubling)
			return epochs + figure_of(left / length);
		left -= length * doubling;
		epochs += doubling;
	}
	return epochs;
}

double mean_excess(const struct pm_process *record)
{
	double all = 0, length = record->threshold[0];
	uint64_t left = record->epoch, doubling = epochs_per_doubling(record);

	for (int times = 0; times < DOUBLINGS_MAX && left; times++, length *= 2) {
		uint64_t some = left < doubling ? left : doubling;
		all += length * (double)some;
		left -= some;
	}
	return all > 0 && (double)record->clock > all ? (double)record->clock / all - 1 : 0;
}
