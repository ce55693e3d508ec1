/* SPDX-License-Identifier: MIT */
/* estimate.c: see estimate.h. */
#include "study/estimate.h"

#include <math.h>

static const double two_sided_95 = 1.959964;

struct sampling sampling_of(uint64_t period, uint64_t unit_bytes)
{
	if (period <= 1)
		return (struct sampling){0, 0};
	double p = -expm1(-(double)(unit_bytes ? unit_bytes : 1) / (double)period);
	double missed = exp(-(double)(unit_bytes ? unit_bytes : 1) / (double)period);
	return (struct sampling){.unseen = missed / p, .variance = missed / (p * p)};
}

void estimate_add_blocks(struct estimate *to, double blocks, const struct sampling *sampling)
{
	estimate_add_bytes(to, blocks, blocks, sampling);
}

void estimate_add_bytes(struct estimate *to, double bytes, double blocks,
			const struct sampling *sampling)
{
	to->seen += bytes;
	to->unseen += bytes * sampling->unseen;
	if (blocks > 0)
		to->variance += bytes / blocks * bytes * sampling->variance;
}

void estimate_add(struct estimate *to, const struct estimate *from)
{
	to->seen += from->seen;
	to->unseen += from->unseen;
	to->variance += from->variance;
}

struct estimate estimate_times(const struct estimate *estimate, double each)
{
	return (struct estimate){
		.seen = estimate->seen * each,
		.unseen = estimate->unseen * each,
		.variance = estimate->variance * each * each,
	};
}

/*
 * A quantile of the gamma distribution with this mean and variance, by Wilson and Hilferty: of many recorded
 * blocks that is mean + z * sd; of few it is askew as counts of rare things are.
 */
static double quantile(double mean, double variance, double z)
{
	if (mean <= 0 || variance <= 0)
		return mean > 0 ? mean : 0;
	double ninth = variance / (mean * mean) / 9;
	double root = 1 - ninth + z * sqrt(ninth);
	return root > 0 ? mean * root * root * root : 0;
}

/* As for sums of rare events of unequal weight: the upper end as if one more had been seen. */
struct interval estimate_interval(const struct estimate *estimate, const struct estimate *one)
{
	const struct estimate *e = estimate;

	if (e->variance <= 0 && (e->seen > 0 || one->variance <= 0))
		return (struct interval){e->seen + e->unseen, e->seen + e->unseen};
	return (struct interval){
		.low = e->seen + quantile(e->unseen, e->variance, -two_sided_95),
		.high = e->seen + quantile(e->unseen + one->unseen, e->variance + one->variance,
					   two_sided_95),
	};
}
