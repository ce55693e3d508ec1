/* SPDX-License-Identifier: MIT */
/* What is told of replays with other values of our parameters: differences, and which is best. */
#include "study/variants.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 8, PEAK = 100 << 20, MEAN = 50 << 20, END = 10 << 20, TIME = 1000000 };

static struct compare_row own, other[VARIANT_COUNT];
static struct variants_study study;

struct figures {
	uint64_t peak, mean, end, time, faults;
};

static struct compare_figure figure(uint64_t first, uint64_t step, size_t runs)
{
	struct compare_figure of = {.least = first, .most = first + (runs - 1) * step};

	for (size_t i = 0; i < runs; i++)
		of.run[i] = first + i * step;
	of.median = first + (runs - 1) / 2 * step;
	return of;
}

/* Runs that differ by a little: the figures given, and up to `step` times their number more. */
static void run(struct compare_row *row, struct figures figures, uint64_t step, size_t runs)
{
	*row = (struct compare_row){.name = "planted", .state = COMPARE_DONE, .runs = runs};
	row->of[COMPARE_PEAK] = figure(figures.peak, step, runs);
	row->of[COMPARE_MEAN] = figure(figures.mean, 0, runs);
	row->of[COMPARE_END] = figure(figures.end, 0, runs);
	row->of[COMPARE_CPU] = figure(figures.time, step, runs);
	row->of[COMPARE_FAULTS] = figure(figures.faults, 0, runs);
}

static const struct figures usual = {PEAK, MEAN, END, TIME, 1000};

static void conclude(size_t rows)
{
	study = (struct variants_study){.own = &own, .row_count = rows, .keeps_time = true};
	for (size_t i = 0; i < rows; i++)
		study.row[i] = (struct variant_row){.variant = &variants[i], .runs = &other[i]};
	variants_conclude(&study);
}

static const struct variant_change *change(enum variant_figure figure)
{
	return &study.row[0].change[figure];
}

Test(variants, what_is_the_same_is_told_to_be)
{
	run(&own, usual, 100, RUNS);
	run(&other[0], usual, 100, RUNS);
	conclude(1);
	for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++)
		cr_assert(!change(figure)->is_told, "%s", variant_figure_keys[figure]);
	cr_assert_eq(study.row[0].verdict, VARIANT_SAME);
	cr_assert_null(study.best);
}

Test(variants, a_difference_is_a_part_of_poolmem_s_own)
{
	struct figures less = usual;

	less.peak -= PEAK / 4;
	less.faults *= 2;
	run(&own, usual, 100, RUNS);
	run(&other[0], less, 100, RUNS);
	conclude(1);
	cr_assert(change(VARIANT_PEAK)->is_told);
	cr_assert_float_eq(change(VARIANT_PEAK)->part, -0.25, 1e-4);
	cr_assert_float_eq(change(VARIANT_FAULTS)->part, 1, 1e-9);
	cr_assert(!change(VARIANT_MEAN)->is_told);
	cr_assert_eq(study.row[0].verdict, VARIANT_BETTER, "faults are no aim");
	cr_assert_eq(study.best, &study.row[0]);
}

Test(variants, within_the_spread_nothing_is_told)
{
	struct figures less = usual;

	less.peak -= PEAK / 50;
	run(&own, usual, PEAK / 100, RUNS); /* its runs lie among the other's */
	run(&other[0], less, PEAK / 100, RUNS);
	conclude(1);
	cr_assert_lt(change(VARIANT_PEAK)->part, -0.015);
	cr_assert(!change(VARIANT_PEAK)->is_told);
}

Test(variants, four_runs_part_nothing)
{
	struct figures less = usual;

	less.peak /= 2;
	for (size_t runs = 1; runs <= 5; runs++) {
		run(&own, usual, 100, runs);
		run(&other[0], less, 100, runs);
		conclude(1);
		cr_assert_eq(study.runs_min, 5);
		cr_assert_eq(change(VARIANT_PEAK)->is_told, runs == 5, "%zu runs", runs);
		cr_assert_eq(study.row[0].verdict, runs == 5 ? VARIANT_BETTER : VARIANT_UNKNOWN);
	}
}

/* Of all values at once: 2 in 12 over 6 is more than 0.05 in 10 times 5, 2 in 14 over 7 less. */
Test(variants, of_more_values_more_runs_are_needed)
{
	struct figures less = usual;

	less.peak /= 2;
	for (size_t runs = 5; runs <= 7; runs++) {
		run(&own, usual, 100, runs);
		run(&other[0], less, 100, runs);
		for (size_t i = 1; i < VARIANT_COUNT; i++)
			other[i] = own;
		conclude(VARIANT_COUNT);
		cr_assert_eq(study.runs_min, 7);
		cr_assert_eq(change(VARIANT_PEAK)->is_told, runs == 7, "%zu runs", runs);
		cr_assert_eq(study.row[1].verdict, runs == 7 ? VARIANT_SAME : VARIANT_UNKNOWN);
	}
}

/* Of the normal distribution, by Box and Muller. */
static uint64_t noisy(uint64_t middle, double part)
{
	double angle = 2 * M_PI * drand48(), length = sqrt(-2 * log(1 - drand48()));

	return (uint64_t)((double)middle * (1 + part * length * cos(angle)));
}

static void draw(struct compare_figure *figure, uint64_t middle, double part)
{
	uint64_t sorted[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		size_t at = i;
		uint64_t value = figure->run[i] = noisy(middle, part);
		for (; at && sorted[at - 1] > value; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = value;
	}
	figure->median = (sorted[RUNS / 2 - 1] + sorted[RUNS / 2]) / 2;
}

/* Replays of one and the same, 5 % apart in time and 2 % in memory: a difference is told as seldom as is said. */
Test(variants, chance_has_a_try_with_each_figure_of_each_value)
{
	enum { ROUNDS = 1000 };
	unsigned told = 0, advised = 0;

	srand48(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned here = 0;
		for (size_t i = 0; i <= VARIANT_COUNT; i++) {
			struct compare_row *row = i ? &other[i - 1] : &own;
			run(row, usual, 0, RUNS);
			draw(&row->of[COMPARE_PEAK], PEAK, 0.02);
			draw(&row->of[COMPARE_MEAN], MEAN, 0.02);
			draw(&row->of[COMPARE_END], END, 0.02);
			draw(&row->of[COMPARE_CPU], TIME, 0.05);
			draw(&row->of[COMPARE_FAULTS], 10000, 0.02);
		}
		conclude(VARIANT_COUNT);
		for (size_t i = 0; i < VARIANT_COUNT; i++)
			for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++)
				here += study.row[i].change[figure].is_told;
		told += here > 0;
		advised += study.best != NULL;
	}
	cr_assert_leq(told, ROUNDS / 20, "%u", told);
	cr_assert_leq(advised, ROUNDS / 40, "%u", advised);
}

/* --fast: the purge goes by the clock, and the program's was not kept. */
Test(variants, of_the_purge_nothing_is_advised_where_time_was_not_kept)
{
	struct figures less = usual;
	size_t purge = 0;

	while (variants[purge].parameter != VARIANT_PURGE)
		purge++;
	less.peak /= 2;
	run(&own, usual, 100, RUNS);
	run(&other[0], less, 100, RUNS);
	study = (struct variants_study){.own = &own, .row_count = 1};
	study.row[0] = (struct variant_row){.variant = &variants[purge], .runs = &other[0]};
	variants_conclude(&study);
	cr_assert_eq(study.row[0].verdict, VARIANT_BETTER);
	cr_assert_null(study.best);
	study.keeps_time = true;
	variants_conclude(&study);
	cr_assert_eq(study.best, &study.row[0]);
}

Test(variants, what_is_little_is_not_told)
{
	struct figures less = usual, tiny = usual, tinier = usual;

	less.peak -= PEAK / 128; /* sure, and under a hundredth */
	run(&own, usual, 100, RUNS);
	run(&other[0], less, 100, RUNS);
	conclude(1);
	cr_assert(!change(VARIANT_PEAK)->is_told);
	tiny.end = 40000;
	tinier.end = 28000; /* a third less, and three pages */
	run(&own, tiny, 100, RUNS);
	run(&other[0], tinier, 100, RUNS);
	conclude(1);
	cr_assert_float_eq(change(VARIANT_END)->part, -0.3, 1e-9);
	cr_assert(!change(VARIANT_END)->is_told);
}

Test(variants, the_best_is_worse_in_nothing)
{
	struct figures trade = usual, better = usual, best = usual;

	trade.peak /= 4;
	trade.time *= 2;
	better.peak -= PEAK / 10;
	best.peak -= PEAK / 20;
	best.mean -= MEAN / 10; /* in sum it saves more */
	run(&own, usual, 100, RUNS);
	run(&other[0], trade, 100, RUNS);
	run(&other[1], better, 100, RUNS);
	run(&other[2], best, 100, RUNS);
	conclude(3);
	cr_assert_eq(study.row[0].verdict, VARIANT_TRADE);
	cr_assert_eq(study.row[1].verdict, VARIANT_BETTER);
	cr_assert_eq(study.best, &study.row[2]);
	run(&other[1], usual, 100, RUNS);
	run(&other[2], usual, 100, RUNS);
	conclude(3);
	cr_assert_null(study.best);
}

Test(variants, spread)
{
	run(&own, usual, PEAK / 100, RUNS);
	cr_assert_float_eq(variant_spread(&own, VARIANT_PEAK), 0.07 / 1.03, 1e-6);
	cr_assert_float_eq(variant_spread(&own, VARIANT_END), 0, 1e-9);
}

/* --- which are tried --------------------------------------------------------------------------------- */

static size_t chosen(const char *const *words, size_t count, struct variant_choice *choice)
{
	struct failure why;
	size_t sum = 0;

	if (!variants_choose(words, count, choice, &why))
		return 0;
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		sum += choice->is_chosen[i];
	return sum;
}

Test(variants, all_a_parameter_or_a_value)
{
	const char *parameter[] = {"purge"}, *value[] = {"purge=0", "place"};
	struct variant_choice choice;

	cr_assert_eq(chosen(NULL, 0, &choice), VARIANT_COUNT);
	cr_assert(!choice.is_named[0]);
	cr_assert_eq(chosen(parameter, 1, &choice), 4);
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		cr_assert_eq(choice.is_chosen[i], variants[i].parameter == VARIANT_PURGE);
	cr_assert_eq(chosen(value, 2, &choice), 2);
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		cr_assert_eq(choice.is_named[i], strcmp(variants[i].name, "purge=0") == 0);
}

Test(variants, nonsense_is_told_what_there_is)
{
	static const char *const nonsense[] = {"",         "=",        "=16K",    "poo",
					       "pools",    "pool=",    "pool=16", "pool=64K",
					       "purge=-1", "pool =16K"};
	struct variant_choice choice;
	struct failure why;

	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		cr_assert(!variants_choose(&nonsense[i], 1, &choice, &why), "%s", nonsense[i]);
		cr_assert_eq(why.kind, FAILURE_USAGE);
		cr_assert(strstr(why.text, "pool"), "%s", why.text);
	}
	cr_assert(strstr(why.text, "pool, classes, place, purge"), "%s", why.text);
}

/* Names are directories and words of the command line. */
Test(variants, names)
{
	for (size_t i = 0; i < VARIANT_COUNT; i++) {
		const char *parameter = variant_parameters[variants[i].parameter];
		cr_assert_eq(strncmp(variants[i].name, parameter, strlen(parameter)), 0);
		cr_assert_eq(variant_value(&variants[i]), variants[i].name + strlen(parameter) + 1);
		cr_assert(!strpbrk(variants[i].name, "/ ,:"));
	}
}
