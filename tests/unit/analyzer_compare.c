/* SPDX-License-Identifier: MIT */
/* Which allocator is best: ranks against tables of the Mann-Whitney test, ties, few runs, what is as good. */
#include "study/compare.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static double p_of(size_t count, const uint64_t *left, const uint64_t *right)
{
	return compare_p(left, count, right, count);
}

static bool near(double value, double expected)
{
	return fabs(value - expected) < 1e-12;
}

Test(compare, two_sets_that_do_not_mix)
{
	static const uint64_t low[] = {1, 2, 3, 4, 5}, high[] = {6, 7, 8, 9, 10};
	cr_assert(near(p_of(5, low, high), 2.0 / 252));
	cr_assert(near(p_of(5, high, low), 2.0 / 252));
	cr_assert(near(p_of(4, low, high), 2.0 / 70));
	cr_assert(near(p_of(3, low, high), 2.0 / 20));
	cr_assert(near(p_of(1, low, high), 1));
}

/* U = 1, 2 and 12 of the tables for n = m = 5: 0.0159, 0.0317 and 1. */
Test(compare, sets_that_overlap)
{
	static const uint64_t low[] = {1, 2, 3, 4, 6}, high[] = {5, 7, 8, 9, 10};
	static const uint64_t two[] = {1, 2, 3, 4, 7}, rest[] = {5, 6, 8, 9, 10};
	static const uint64_t odd[] = {1, 4, 5, 8, 9}, even[] = {2, 3, 6, 7, 10};
	cr_assert(near(p_of(5, low, high), 4.0 / 252));
	cr_assert(near(p_of(5, two, rest), 8.0 / 252));
	cr_assert_gt(p_of(5, odd, even), 0.9);
}

Test(compare, equal_figures_tell_nothing)
{
	static const uint64_t same[] = {7, 7, 7, 7, 7, 7};
	cr_assert(near(p_of(6, same, same), 1));
	cr_assert(near(compare_p(NULL, 0, same, 6), 1));
}

static struct comparison with(size_t runs, size_t rows, const uint64_t *first)
{
	static const char *const names[] = {"one", "two", "three"};
	struct comparison comparison = {.runs = runs, .row_count = rows};

	for (size_t r = 0; r < rows; r++) {
		comparison.row[r].name = names[r];
		comparison.row[r].runs = runs;
		for (unsigned m = 0; m < COMPARE_MEASURE_COUNT; m++)
			for (size_t i = 0; i < runs; i++)
				comparison.row[r].of[m].run[i] = first[r] + i;
	}
	compare_conclude(&comparison);
	return comparison;
}

Test(compare, of_three_the_best_is_sure_with_six_runs_and_not_told_with_four)
{
	static const uint64_t first[] = {3000, 1000, 2000};
	static struct comparison comparison;

	comparison = with(6, 3, first);
	cr_assert_eq(comparison.memory.best, 1);
	cr_assert_eq(comparison.memory.next, 2);
	cr_assert_eq(comparison.memory.sureness, COMPARE_SURE);
	cr_assert_eq(comparison.memory.tied_count, 0);
	cr_assert_eq(comparison.row[1].of[COMPARE_PEAK].median, 1002);
	cr_assert(near(comparison.memory.p, 3 * 2.0 / 924));
	comparison = with(5, 3, first);
	cr_assert_eq(comparison.memory.sureness, COMPARE_LIKELY);
	cr_assert_eq(compare_runs_min(&comparison), 5);
	comparison = with(4, 3, first);
	cr_assert_eq(comparison.memory.sureness, COMPARE_UNSURE);
	cr_assert_eq(comparison.memory.tied_count, 2);
	comparison = with(4, 2, first);
	cr_assert_eq(comparison.memory.sureness, COMPARE_LIKELY);
	cr_assert_eq(compare_runs_min(&comparison), 4);
}

/* Seven of which none is better: what is said of them is as rare as it is said to be. */
Test(compare, chance_has_a_try_with_each_two)
{
	enum { ROUNDS = 1000, ROWS = 7, RUNS = 7 };
	static struct comparison comparison;
	unsigned sure = 0, told = 0;
	uint64_t random = 1;

	for (unsigned round = 0; round < ROUNDS; round++) {
		comparison = (struct comparison){.runs = RUNS, .row_count = ROWS};
		for (size_t r = 0; r < ROWS; r++) {
			comparison.row[r].runs = RUNS;
			for (size_t i = 0; i < RUNS; i++) {
				random = random * 6364136223846793005 + 1442695040888963407;
				comparison.row[r].of[COMPARE_PEAK].run[i] = 1000 + (random >> 52);
			}
		}
		compare_conclude(&comparison);
		sure += comparison.memory.sureness == COMPARE_SURE;
		told += comparison.memory.sureness != COMPARE_UNSURE;
	}
	cr_assert_leq(sure, ROUNDS / 100, "%u", sure);
	cr_assert_leq(told, ROUNDS / 20, "%u", told);
}

Test(compare, who_holds_least_at_the_end_may_be_another)
{
	static const uint64_t first[] = {1000, 2000};
	static struct comparison comparison;

	comparison = with(5, 2, first);
	cr_assert_not(compare_end_differs(&comparison));
	for (size_t i = 0; i < 5; i++)
		comparison.row[0].of[COMPARE_END].run[i] = 9000 + i;
	compare_conclude(&comparison);
	cr_assert(compare_end_differs(&comparison));
	cr_assert_eq(comparison.memory.best, 0);
	cr_assert_eq(comparison.end.best, 1);
	memset(comparison.row[1].of[COMPARE_END].run, 0,
	       sizeof comparison.row[1].of[COMPARE_END].run); /* nobody looked then */
	compare_conclude(&comparison);
	cr_assert_not(compare_end_differs(&comparison));
}

/* Told apart by every run, and yet as good: less than one per cent. */
Test(compare, what_differs_little_is_as_good)
{
	static const uint64_t first[] = {10000, 10050, 20000};
	static struct comparison comparison;

	comparison = with(5, 3, first);
	cr_assert_eq(comparison.time.best, 0);
	cr_assert(comparison.time.tied[1]);
	cr_assert_not(comparison.time.tied[2]);
	cr_assert_eq(comparison.time.next, 2);
}

Test(compare, what_failed_is_not_chosen)
{
	static const uint64_t first[] = {1000, 2000};
	static struct comparison comparison;

	comparison = with(5, 2, first);
	comparison.row[0].state = COMPARE_FAILED;
	compare_conclude(&comparison);
	cr_assert_not(comparison.memory.is_known);
}

/* Nobody looked in time in some of the runs. */
Test(compare, what_is_not_known_of_a_run_is_none_of_its_figures)
{
	static const uint64_t first[] = {1000, 3000};
	static struct comparison comparison;

	comparison = with(6, 2, first);
	comparison.row[1].of[COMPARE_END].run[0] = comparison.row[1].of[COMPARE_END].run[5] = 0;
	comparison.row[0].of[COMPARE_FAULTS].run[0] = 0; /* none there are */
	compare_conclude(&comparison);
	cr_assert_eq(comparison.row[1].of[COMPARE_END].median, 3002);
	cr_assert_eq(comparison.row[1].of[COMPARE_END].least, 3001);
	cr_assert_eq(comparison.row[0].of[COMPARE_FAULTS].least, 0);
	cr_assert_eq(comparison.end.sureness, COMPARE_SURE);
	cr_assert(near(comparison.end.p, 2.0 / 210), "%g", comparison.end.p); /* six against four */
	comparison.row[1]
		.of[COMPARE_PEAK]
		.run[0] = 0; /* a small one: those that are known do not stand for it */
	compare_conclude(&comparison);
	cr_assert_eq(comparison.row[1].of[COMPARE_PEAK].median, 0);
	cr_assert_not(comparison.memory.is_known, "it may be the least of all");
	cr_assert(comparison.time.is_known);
}

/* Who serves less takes less. */
Test(compare, what_refused_more_than_another_is_not_ranked)
{
	static const uint64_t first[] = {1000, 3000, 2000};
	static struct comparison comparison;

	comparison = with(6, 3, first);
	comparison.row[0].refused = 10;
	compare_conclude(&comparison);
	cr_assert_eq(comparison.memory.best, 2);
	cr_assert(compare_has_refused(&comparison, 0));
	comparison.row[1].refused = comparison.row[2].refused = 10;
	compare_conclude(&comparison);
	cr_assert_eq(comparison.memory.best, 0, "all of them did: it is the trace's");
}
