/* SPDX-License-Identifier: MIT */
/* compare.c: see compare.h. */
#include "study/compare.h"

#include "text/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY(name, key, unit, meaning) key,
const char *const compare_keys[COMPARE_MEASURE_COUNT] = {COMPARE_MEASURES(KEY)};
#undef KEY

static const double SURE = 0.01;
static const double WORTH = 0.01; /* what differs by less is as good */

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* Copies the runs of which it is known.  Returns how many these are. */
static size_t known_runs(const struct compare_row *row, enum compare_measure measure,
			 uint64_t ret[COMPARE_RUNS_MAX])
{
	const struct compare_figure *figure = &row->of[measure];
	size_t count = 0;

	for (size_t i = 0; i < row->runs; i++)
		if (figure->run[i] || !compare_is_resident(measure))
			ret[count++] = figure->run[i];
	return count;
}

static void settle(struct compare_row *row, enum compare_measure measure)
{
	struct compare_figure *figure = &row->of[measure];
	uint64_t sorted[COMPARE_RUNS_MAX];
	size_t count = known_runs(row, measure, sorted);

	/* Peaks are unknown of small runs, not by chance: the others do not stand for them. */
	size_t wanted = measure == COMPARE_PEAK ? row->runs : (row->runs + 1) / 2;

	figure->least = figure->most = figure->median = 0;
	if (!count || count < wanted)
		return;
	qsort(sorted, count, sizeof *sorted, by_size);
	figure->least = sorted[0];
	figure->most = sorted[count - 1];
	uint64_t low = sorted[(count - 1) / 2], high = sorted[count / 2];
	figure->median = low + (high - low) / 2;
}

bool compare_has_heaps(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].heap.is_known)
			return true;
	return false;
}

enum compare_measure compare_time(const struct comparison *comparison)
{
	return comparison->replay ? COMPARE_CPU : COMPARE_TIME;
}

double compare_spread(const struct compare_figure *figure)
{
	return figure->median ? (double)(figure->most - figure->least) / 2 / (double)figure->median
			      : 0;
}

/* --- ranks -------------------------------------------------------------------------------------------- */

/* Twice the rank of each, which is whole also where some are equal. */
static void rank(const uint64_t *figures, size_t count, unsigned *ret_ranks)
{
	for (size_t i = 0; i < count; i++) {
		unsigned below = 0, equal = 0;
		for (size_t k = 0; k < count; k++) {
			below += figures[k] < figures[i];
			equal += figures[k] == figures[i];
		}
		ret_ranks[i] = 2 * below + equal + 1;
	}
}

/* ways[n][s]: in how many ways n of the ranks sum up to s. */
static void add_rank(double *ways, size_t taken_max, size_t sums, unsigned rank)
{
	for (size_t n = taken_max; n > 0; n--)
		for (size_t sum = sums - 1; sum >= rank; sum--)
			ways[n * sums + sum] += ways[(n - 1) * sums + sum - rank];
}

double compare_p(const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count)
{
	uint64_t all[2 * COMPARE_RUNS_MAX];
	unsigned ranks[2 * COMPARE_RUNS_MAX];
	size_t count = left_count + right_count, sums = count * (count + 1) + 1;
	double of_left = 0, as_far = 0, total = 0;

	if (!left_count || !right_count)
		return 1;
	memcpy(all, left, left_count * sizeof *all);
	memcpy(all + left_count, right, right_count * sizeof *all);
	rank(all, count, ranks);
	double *ways = allocate((left_count + 1) * sums, sizeof *ways);
	ways[0] = 1;
	for (size_t i = 0; i < count; i++) {
		add_rank(ways, left_count, sums, ranks[i]);
		of_left += i < left_count ? ranks[i] : 0;
	}
	double expected = (double)left_count * (double)(count + 1);
	for (size_t sum = 0; sum < sums; sum++) {
		double here = ways[left_count * sums + sum];
		total += here;
		if (fabs((double)sum - expected) >= fabs(of_left - expected))
			as_far += here;
	}
	free(ways);
	return as_far / total;
}

/* --- who is best --------------------------------------------------------------------------------------- */

static uint64_t median_of(const struct comparison *comparison, size_t row,
			  enum compare_measure measure)
{
	return comparison->row[row].of[measure].median;
}

static bool is_done(const struct comparison *comparison, size_t row)
{
	return comparison->row[row].state == COMPARE_DONE;
}

bool compare_has_refused(const struct comparison *comparison, size_t row)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < comparison->row_count; i++)
		if (is_done(comparison, i) && comparison->row[i].refused < least)
			least = comparison->row[i].refused;
	return is_done(comparison, row) && comparison->row[row].refused > least;
}

static bool is_ranked(const struct comparison *comparison, size_t row)
{
	return is_done(comparison, row) && !compare_has_refused(comparison, row);
}

/* Of those that are done, at least one. */
static double pairs(const struct comparison *comparison)
{
	size_t done = 0;

	for (size_t i = 0; i < comparison->row_count; i++)
		done += is_done(comparison, i);
	return done > 1 ? (double)(done * (done - 1)) / 2 : 1;
}

/* Of the best against another, which might have been any two. */
static double p_of(const struct comparison *comparison, size_t best, size_t other,
		   enum compare_measure measure)
{
	uint64_t left[COMPARE_RUNS_MAX], right[COMPARE_RUNS_MAX];
	size_t left_count = known_runs(&comparison->row[best], measure, left);
	size_t right_count = known_runs(&comparison->row[other], measure, right);
	double p = compare_p(left, left_count, right, right_count);

	return fmin(1, p * pairs(comparison));
}

size_t compare_runs_min(const struct comparison *comparison)
{
	size_t runs = 1;
	double least = 1; /* what sets that do not mix come to: 2 / (2 runs over runs) */

	while (runs < COMPARE_RUNS_MAX && least * pairs(comparison) >= COMPARE_CHANCE) {
		runs++;
		least *= (double)runs / (double)(2 * (2 * runs - 1));
	}
	return runs;
}

/* false: there is none. */
static bool find_best(const struct comparison *comparison, enum compare_measure measure,
		      size_t *ret_best)
{
	bool found = false;

	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!is_ranked(comparison, i) ||
		    (found && median_of(comparison, i, measure) >=
				      median_of(comparison, *ret_best, measure)))
			continue;
		*ret_best = i;
		found = true;
	}
	return found;
}

/* The best of those that are, or are not, told apart from the best of all.  false: none is. */
static bool find_next(const struct comparison *comparison, enum compare_measure measure,
		      const struct compare_verdict *verdict, bool is_tied, size_t *ret_next)
{
	bool found = false;

	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!is_ranked(comparison, i) || i == verdict->best || verdict->tied[i] != is_tied ||
		    (found && median_of(comparison, i, measure) >=
				      median_of(comparison, *ret_next, measure)))
			continue;
		*ret_next = i;
		found = true;
	}
	return found;
}

static bool is_as_good(const struct comparison *comparison, size_t best, size_t row,
		       enum compare_measure measure)
{
	return (double)median_of(comparison, row, measure) <=
	       (double)median_of(comparison, best, measure) * (1 + WORTH);
}

static struct compare_verdict judge(const struct comparison *comparison,
				    enum compare_measure measure)
{
	struct compare_verdict verdict = {.p = 1};
	double worst = 0;

	if (!find_best(comparison, measure, &verdict.best))
		return verdict;
	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!is_ranked(comparison, i) || i == verdict.best)
			continue;
		double p = p_of(comparison, verdict.best, i, measure);
		verdict.tied[i] = p >= COMPARE_CHANCE ||
				  is_as_good(comparison, verdict.best, i, measure);
		verdict.tied_count += verdict.tied[i];
		worst = !verdict.tied[i] && p > worst ? p : worst;
	}
	if (find_next(comparison, measure, &verdict, false, &verdict.next)) {
		verdict.sureness = worst < SURE ? COMPARE_SURE : COMPARE_LIKELY;
		verdict.is_known = true;
	} else {
		verdict.is_known = find_next(comparison, measure, &verdict, true, &verdict.next);
	}
	if (verdict.is_known)
		verdict.p = p_of(comparison, verdict.best, verdict.next, measure);
	return verdict;
}

/* What was live is known of the trace: bytes asked for. */
static void weigh_heap(const struct compare_replay *replay, struct compare_row *row)
{
	row->heap = (struct compare_heap){
		.is_known = replay->touches,
		.live_peak = replay->live_peak,
		.live_at_end = replay->live_end,
		.peak = row->of[COMPARE_PEAK].median,
		.end = row->of[COMPARE_END].median,
	};
}

/* Of each that is done: one that is not known may be the least. */
static bool is_known_of_all(const struct comparison *comparison, enum compare_measure measure)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (is_done(comparison, i) && !comparison->row[i].of[measure].median)
			return false;
	return true;
}

static struct compare_verdict judge_memory(const struct comparison *comparison,
					   enum compare_measure measure)
{
	return is_known_of_all(comparison, measure) ? judge(comparison, measure)
						    : (struct compare_verdict){.p = 1};
}

bool compare_end_differs(const struct comparison *comparison)
{
	const struct compare_verdict *end = &comparison->end;
	size_t peak = comparison->memory.best;

	return end->is_known && peak != end->best && !end->tied[peak];
}

void compare_conclude(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++) {
		struct compare_row *row = &comparison->row[i];
		for (unsigned m = 0; is_done(comparison, i) && m < COMPARE_MEASURE_COUNT; m++)
			settle(row, m);
		if (comparison->replay && is_done(comparison, i))
			weigh_heap(comparison->replay, row);
	}
	comparison->memory = judge_memory(comparison, COMPARE_PEAK);
	comparison->end = judge_memory(comparison, COMPARE_END);
	comparison->time = judge(comparison, compare_time(comparison));
}
