/* SPDX-License-Identifier: MIT */
/*
 * What a sample says of the whole: blocks are drawn with the probability that the library has, and the interval
 * must hold the truth about as often as it says.
 */
#define _GNU_SOURCE 1

#include "study/estimate.h"

#include <criterion/criterion.h>
#include <math.h>

enum { RUNS = 200, SIZES_MAX = 4, PERIOD = 512 << 10 };

/* So many blocks of so many bytes. */
struct blocks {
	uint64_t bytes, count;
};

static uint64_t random_state = 88172645463325252;

static double any(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (double)(random_state >> 11) / 0x1p53;
}

static uint64_t draw(const struct blocks *blocks, uint64_t period)
{
	double p = period > 1 ? 1 - exp(-(double)blocks->bytes / (double)period) : 1;
	uint64_t recorded = 0;

	for (uint64_t i = 0; i < blocks->count; i++)
		recorded += any() < p;
	return recorded;
}

struct drawn {
	struct estimate blocks, bytes, one, one_of_bytes;
};

static struct drawn sample(const struct blocks *sizes, size_t count, uint64_t period)
{
	struct drawn drawn = {.blocks = {0, 0, 0}};

	for (size_t i = 0; i < count; i++) {
		struct sampling sampling = sampling_of(period, sizes[i].bytes);
		double bytes = (double)sizes[i].bytes, recorded = (double)draw(&sizes[i], period);
		struct estimate one = {1, sampling.unseen, sampling.variance};
		estimate_add_blocks(&drawn.blocks, recorded, &sampling);
		estimate_add_bytes(&drawn.bytes, recorded * bytes, recorded, &sampling);
		if (one.variance > drawn.one.variance)
			drawn.one = one;
		one = (struct estimate){bytes, bytes * one.unseen, bytes * bytes * one.variance};
		if (one.variance > drawn.one_of_bytes.variance)
			drawn.one_of_bytes = one;
	}
	return drawn;
}

static bool holds(const struct estimate *estimate, const struct estimate *one, double truth)
{
	struct interval interval = estimate_interval(estimate, one);
	cr_assert_geq(interval.low, estimate->seen, "below what was seen");
	cr_assert_leq(interval.low, estimate_value(estimate));
	cr_assert_geq(interval.high, estimate_value(estimate));
	return interval.low <= truth && truth <= interval.high;
}

/* How often of RUNS, in percent, the intervals of blocks and of bytes held the truth; how far off the mean was. */
static void expect_coverage(const struct blocks *sizes, size_t count, double percent_max)
{
	double blocks = 0, bytes = 0, mean = 0;
	int held = 0, held_bytes = 0;

	for (size_t i = 0; i < count; i++) {
		blocks += (double)sizes[i].count;
		bytes += (double)(sizes[i].count * sizes[i].bytes);
	}
	for (int run = 0; run < RUNS; run++) {
		struct drawn drawn = sample(sizes, count, PERIOD);
		held += holds(&drawn.blocks, &drawn.one, blocks);
		held_bytes += holds(&drawn.bytes, &drawn.one_of_bytes, bytes);
		mean += estimate_value(&drawn.bytes) / RUNS;
	}
	cr_expect_geq(held * 100, 90 * RUNS, "blocks: %d of %d", held, RUNS);
	cr_expect_leq(held * 100, percent_max * RUNS, "blocks: %d of %d", held, RUNS);
	cr_expect_geq(held_bytes * 100, 90 * RUNS, "bytes: %d of %d", held_bytes, RUNS);
	cr_expect_leq(held_bytes * 100, percent_max * RUNS, "bytes: %d of %d", held_bytes, RUNS);
	cr_expect_float_eq(mean / bytes, 1, 0.1, "biased: %f", mean / bytes);
}

Test(estimate, many_small_blocks)
{
	expect_coverage((const struct blocks[]){{256, 200000}}, 1, 99);
}

Test(estimate, a_few_dozen_recorded)
{
	expect_coverage((const struct blocks[]){{4096, 4000}}, 1, 99);
}

Test(estimate, blocks_that_are_mostly_recorded)
{
	expect_coverage((const struct blocks[]){{1 << 19, 300}, {1 << 20, 200}}, 2, 99);
}

Test(estimate, sizes_mixed)
{
	expect_coverage(
		(const struct blocks[]){{64, 100000}, {1024, 10000}, {16384, 1000}, {1 << 18, 60}},
		4, 99);
}

/* Of a handful the interval is wider than it needs to be, as those of rare things are. */
Test(estimate, a_handful_recorded)
{
	expect_coverage((const struct blocks[]){{8192, 500}}, 1, 100);
}

Test(estimate, all_recorded_is_exact)
{
	struct drawn drawn = sample((const struct blocks[]){{48, 1000}, {1 << 20, 3}}, 2, 1);
	struct interval interval = estimate_interval(&drawn.bytes, &drawn.one_of_bytes);

	cr_expect_float_eq(estimate_value(&drawn.blocks), 1003, 0);
	cr_expect_float_eq(interval.low, 48000 + (3 << 20), 0);
	cr_expect_float_eq(interval.high, 48000 + (3 << 20), 0);
}

/* Exact upper limit of a Poisson count of 0: 3.69. */
Test(estimate, none_recorded)
{
	struct sampling sampling = sampling_of(PERIOD, 16);
	struct estimate none = {0, 0, 0}, one = {1, sampling.unseen, sampling.variance};

	estimate_add_blocks(&none, 0, &sampling);
	struct interval interval = estimate_interval(&none, &one);
	cr_expect_float_eq(interval.low, 0, 0);
	cr_expect_float_eq(interval.high / (PERIOD / 16), 3.69, 0.05);
	interval = estimate_interval(&none, &none);
	cr_expect_float_eq(interval.high, 0, 0);
}

/* One of rare ones: exact limits of a Poisson count of 1 are 0.025 and 5.57 times as many. */
Test(estimate, one_recorded)
{
	struct sampling sampling = sampling_of(PERIOD, 16);
	struct estimate one = {0, 0, 0};

	estimate_add_blocks(&one, 1, &sampling);
	struct interval interval = estimate_interval(&one, &one);
	double each = (double)PERIOD / 16;
	cr_expect_geq(interval.low, 1);
	cr_expect_leq(interval.low, 0.0254 * each);
	cr_expect_float_eq(interval.high / each, 5.57, 0.05);
}

Test(estimate, extremes_stay_finite)
{
	static const uint64_t values[] = {0, 1, 2, 1 << 20, UINT64_MAX / 2, UINT64_MAX};

	for (int p = 0; p < 6; p++)
		for (int u = 0; u < 6; u++) {
			struct sampling sampling = sampling_of(values[p], values[u]);
			struct estimate e = {0, 0, 0};
			estimate_add_bytes(&e, 0x1p64, 0x1p64, &sampling);
			struct interval interval = estimate_interval(&e, &e);
			cr_expect(isfinite(interval.low) && isfinite(interval.high), "%d %d", p, u);
		}
}
