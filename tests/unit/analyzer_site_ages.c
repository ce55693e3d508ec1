/* SPDX-License-Identifier: MIT */
/*
 * What a sample says of the ages of a site's blocks: blocks are drawn as the library draws them, and bands must hold the
 * truth about as often as they say.  And the verdict at its limits.
 */
#define _GNU_SOURCE 1

#include "study/kaplan_meier.h"
#include "study/verdict.h"

#include <criterion/criterion.h>
#include <math.h>

enum { RUNS = 300, PERIOD = 64 << 10 };

static uint64_t random_state = 88172645463325252;

static double any(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (double)(random_state >> 11) / 0x1p53;
}

/* Blocks of one size that die in a column, or live. */
struct cohort {
	uint64_t bytes;
	int count, column;
	bool lives;
};

static void put(struct site_ages *ages, const struct cohort *cohort, double blocks, double weight)
{
	struct weighed more = {blocks * weight, blocks * weight * weight};

	ages->recorded += blocks;
	weighed_add(cohort->lives ? &ages->live : &ages->died[cohort->column], more);
	ages->live_old += cohort->lives ? more.sum : 0;
}

/* period 1: each block. */
static struct site_ages drawn(const struct cohort *cohorts, size_t count, uint64_t period)
{
	struct site_ages ages = {.epochs = 1000};

	for (size_t i = 0; i < count; i++) {
		double p = period > 1 ? -expm1(-(double)cohorts[i].bytes / (double)period) : 1;
		int recorded = 0;
		for (int n = 0; n < cohorts[i].count; n++)
			recorded += any() < p;
		put(&ages, &cohorts[i], recorded, 1 / p);
	}
	return ages;
}

static double outlives(const struct cohort *cohorts, size_t count, uint32_t age)
{
	double older = 0, all = 0;

	for (size_t i = 0; i < count; i++) {
		all += cohorts[i].count;
		if (cohorts[i].lives || site_ages_last((unsigned)cohorts[i].column) > age)
			older += cohorts[i].count;
	}
	return older / all;
}

/* How often of RUNS, in percent, the band held the share that outlives each age. */
static void expect_coverage(const struct cohort *cohorts, size_t count)
{
	int held = 0, points = 0;

	for (int run = 0; run < RUNS; run++) {
		struct site_ages ages = drawn(cohorts, count, PERIOD);
		struct kaplan_meier curve;
		kaplan_meier_make(&ages, &curve);
		cr_assert_eq(curve.count, AGE_COLUMNS - 1);
		for (size_t i = 0; i < curve.count; i++) {
			double truth = outlives(cohorts, count, curve.points[i].age);
			const struct interval *band = &curve.points[i].band;
			cr_assert(band->low >= 0 && band->low <= curve.points[i].at_least);
			cr_assert(band->high <= 1 && band->high >= curve.points[i].at_most);
			held += band->low <= truth && truth <= band->high;
			points++;
		}
	}
	cr_expect_geq(held * 100, 92 * points, "%d of %d", held, points);
	cr_expect_lt(held, points, "wider than it needs to be");
}

Test(site_ages, bands_of_a_sample)
{
	expect_coverage((const struct cohort[]){{64, 60000, 0, false},
						{64, 20000, 1, false},
						{64, 20000, 3, false},
						{64, 20000, 6, false},
						{64, 10000, 8, false}},
			5);
}

/* The large ones are drawn often, and are of another kind. */
Test(site_ages, bands_of_a_sample_of_sizes_that_differ)
{
	expect_coverage((const struct cohort[]){{32, 100000, 0, false},
						{32, 50000, 2, false},
						{8192, 2000, 5, false},
						{16384, 1000, 8, false}},
			4);
}

/* How often the interval of a share holds the truth. */
Test(site_ages, shares_of_a_sample)
{
	static const struct cohort cohorts[] = {{64, 50000, 0, false}, {4096, 900, 3, false}};
	double truth = 50000.0 / 50900;
	int held = 0;

	for (int run = 0; run < RUNS; run++) {
		struct site_ages ages = drawn(cohorts, 2, PERIOD);
		struct interval share = share_interval(ages.died[0], site_ages_born(&ages));
		held += share.low <= truth && truth <= share.high;
	}
	cr_expect_geq(held * 100, 91 * RUNS, "%d", held);
}

Test(site_ages, shares_at_their_ends)
{
	struct interval share = share_interval((struct weighed){0, 0}, (struct weighed){0, 0});
	cr_expect(share.low == 0 && share.high == 1);
	share = share_interval((struct weighed){3, 3}, (struct weighed){4, 4});
	cr_expect(share.low == 0.75 && share.high == 0.75);
	/* Wilson's interval of 0 of 20, of blocks that stand for 10 each: to z^2/(n + z^2) */
	share = share_interval((struct weighed){0, 0}, (struct weighed){200, 2000});
	cr_expect_float_eq(share.low, 0, 1e-12);
	cr_expect_float_eq(share.high, 0.1611, 1e-4);
	share = share_interval((struct weighed){200, 2000}, (struct weighed){200, 2000});
	cr_expect_float_eq(share.low, 1 - 0.1611, 1e-4);
}

/* What each block stands for does not make its site better known. */
Test(site_ages, bands_depend_on_what_was_recorded)
{
	static const struct cohort cohorts[] = {
		{0, 30, 0, false}, {0, 20, 2, false}, {0, 50, 0, true}};
	struct site_ages plain = {.epochs = 1000}, heavy = plain;
	struct kaplan_meier one, many;

	for (int i = 0; i < 3; i++) {
		put(&plain, &cohorts[i], cohorts[i].count, 1);
		put(&heavy, &cohorts[i], cohorts[i].count, 1000);
	}
	kaplan_meier_make(&plain, &one);
	kaplan_meier_make(&heavy, &many);
	for (size_t i = 0; i < one.count; i++) {
		cr_expect_float_eq(one.points[i].at_least, many.points[i].at_least, 1e-12);
		cr_expect_float_eq(one.points[i].band.low, many.points[i].band.low, 1e-9);
		cr_expect_float_eq(one.points[i].band.high, many.points[i].band.high, 1e-9);
	}
}

Test(site_ages, no_point_where_it_cannot_be_told)
{
	static const struct cohort cohorts[] = {{0, 30, 0, false}, {0, 20, 3, false}};
	struct site_ages ages = {.epochs = 16, .straddled = 1 << 1 | 1 << 2};
	struct kaplan_meier curve;

	put(&ages, &cohorts[0], 30, 1);
	put(&ages, &cohorts[1], 20, 1);
	kaplan_meier_make(&ages, &curve);
	cr_assert_eq(curve.count, 3); /* 0, 7, 15 */
	cr_expect_eq(curve.points[1].age, 7);
	cr_expect_float_eq(curve.points[0].at_most, 0.4, 1e-12);
	cr_expect_float_eq(curve.points[1].at_most, 0, 1e-12);
	cr_expect_eq(curve.points[2].age, 15);
}

/* --- verdicts -------------------------------------------------------------------------------------------- */

static enum verdict verdict(int young, int middle, int live, double weight)
{
	struct site_ages ages = {.epochs = 10};

	put(&ages, &(struct cohort){.column = 0}, young, weight);
	put(&ages, &(struct cohort){.column = 3}, middle, weight);
	put(&ages, &(struct cohort){.lives = true}, live, weight);
	return verdict_of(&ages);
}

Test(verdict, of_counts)
{
	cr_expect_eq(verdict(90, 10, 0, 1), VERDICT_YOUNG);
	cr_expect_eq(verdict(90, 0, 10, 1), VERDICT_YOUNG);
	cr_expect_eq(verdict(89, 11, 0, 1), VERDICT_MIXED);
	cr_expect_eq(verdict(10, 0, 90, 1), VERDICT_NEVER);
	cr_expect_eq(verdict(0, 11, 89, 1), VERDICT_MIXED);
	cr_expect_eq(verdict(10, 80, 10, 1), VERDICT_MIDDLE);
	cr_expect_eq(verdict(11, 79, 10, 1), VERDICT_MIXED);
	cr_expect_eq(verdict(10, 79, 11, 1), VERDICT_MIXED);
	cr_expect_eq(verdict(19, 0, 0, 1), VERDICT_FEW_BLOCKS);
	cr_expect_eq(verdict(20, 0, 0, 1), VERDICT_YOUNG);
}

Test(verdict, of_a_sample_only_where_it_is_sure)
{
	cr_expect_eq(verdict(20, 0, 0, 100), VERDICT_UNSURE);
	cr_expect_eq(verdict(40, 0, 0, 100), VERDICT_YOUNG);
	cr_expect_eq(verdict(90, 10, 0, 100), VERDICT_UNSURE);
	cr_expect_eq(verdict(970, 30, 0, 100), VERDICT_YOUNG);
	cr_expect_eq(verdict(0, 0, 100, 100), VERDICT_NEVER);
	cr_expect_eq(verdict(0, 100, 0, 100), VERDICT_MIDDLE);
	cr_expect_eq(verdict(50, 0, 50, 100), VERDICT_MIXED);
}

Test(verdict, not_of_what_may_be_new)
{
	struct site_ages ages = {.epochs = 9, .recorded = 100, .live = {100, 100}, .live_old = 50};

	cr_expect_eq(verdict_of(&ages), VERDICT_FEW_EPOCHS);
	ages.epochs = 10;
	cr_expect_eq(verdict_of(&ages), VERDICT_NEVER);
	ages.live_old = 49;
	cr_expect_eq(verdict_of(&ages), VERDICT_NEW);
	ages.straddled = 1;
	cr_expect_eq(verdict_of(&ages), VERDICT_UNSURE);
}

/* What lives and may be of age 0 may have had no time to grow old. */
Test(verdict, those_that_live_young_are_on_neither_side)
{
	struct site_ages ages = {.epochs = 10, .recorded = 100, .died = {{9, 9}, {81, 81}}};

	ages.live = ages.live_young = (struct weighed){10, 10};
	cr_expect_eq(verdict_of(&ages), VERDICT_MIDDLE);
	ages.died[0] = (struct weighed){10, 10};
	ages.died[1] = (struct weighed){80, 80};
	cr_expect_eq(verdict_of(&ages), VERDICT_UNSURE);
}
