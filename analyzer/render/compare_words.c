/* SPDX-License-Identifier: MIT */
/* compare_words.c: which allocator to pick, and how sure that is. */
#include "render/compare.h"
#include "text/number.h"

#include <stdio.h>

struct words {
	const char *aim, *less;
};

static struct words words_of(enum compare_measure measure)
{
	return measure == COMPARE_TIME ? (struct words){"time", "faster"}
				       : (struct words){"memory", "less"};
}

static struct number figure(const struct compare_row *row, enum compare_measure measure)
{
	uint64_t median = row->of[measure].median;
	return measure == COMPARE_TIME ? number_duration(median) : number_bytes(median);
}

/* Names of those that are tied, "A (1 s), B (2 s) and C (3 s)". */
static void put_ties(const struct comparison *comparison, const struct compare_verdict *verdict,
		     enum compare_measure measure, struct sink *sink)
{
	size_t left = verdict->tied_count;

	for (size_t i = 0; i < comparison->row_count; i++) {
		if (!verdict->tied[i])
			continue;
		sink_name(sink, comparison->row[i].name, 0);
		sink_print(sink, " (%s)%s", figure(&comparison->row[i], measure).text,
			   left > 2    ? ", "
			   : left == 2 ? " and "
				       : "");
		left--;
	}
}

static void put_lead(const struct comparison *comparison, const struct compare_verdict *verdict,
		     enum compare_measure measure, struct sink *sink)
{
	const struct compare_row *best = &comparison->row[verdict->best];
	const struct compare_row *next = &comparison->row[verdict->next];
	double ratio = (double)best->of[measure].median / (double)next->of[measure].median;

	sink_print(sink, "%.1f %% %s than ", (1 - ratio) * 100, words_of(measure).less);
	sink_name(sink, next->name, 0);
	sink_print(sink, " (%s)", figure(next, measure).text);
}

static void put_sureness(const struct comparison *comparison, const struct compare_verdict *verdict,
			 struct sink *sink)
{
	if (verdict->sureness == COMPARE_SURE)
		sink_print(sink, ": sure, by chance runs come out like that %.1f times in 100.",
			   verdict->p * 100);
	else
		sink_print(sink,
			   ": likely, not sure, by chance runs come out like that %.1f times in "
			   "100; --runs %zu tells more.",
			   verdict->p * 100, comparison->runs + 3);
}

/* Nobody is behind the best one and those that are as good. */
static void put_doubt(const struct comparison *comparison, struct sink *sink)
{
	if (comparison->runs < COMPARE_RUNS_MIN)
		sink_print(sink, " Not sure at all: %s of each prove nothing; --runs 5 may.",
			   number_of(comparison->runs, "run").text);
	else
		sink_print(sink, " Nobody is behind them for sure: any will do.");
}

void compare_sentence(const struct comparison *comparison, enum compare_measure measure,
		      struct sink *sink)
{
	const struct compare_verdict *verdict = measure == COMPARE_TIME ? &comparison->time
									: &comparison->memory;
	const struct compare_row *best = &comparison->row[verdict->best];

	if (!verdict->is_known) {
		sink_print(sink, "For %s: fewer than two could be compared.\n",
			   words_of(measure).aim);
		return;
	}
	if (!best->of[measure].median) {
		sink_print(sink, "For %s: it ended before anybody could look.\n",
			   words_of(measure).aim);
		return;
	}
	sink_print(sink, "For %s pick ", words_of(measure).aim);
	sink_name(sink, best->name, 0);
	sink_print(sink, " (%s%s)", figure(best, measure).text,
		   measure == COMPARE_TIME ? "" : " at the peak");
	if (verdict->tied_count) {
		sink_print(sink, "; not told apart from it: ");
		put_ties(comparison, verdict, measure, sink);
		sink_print(sink, ".");
	}
	if (verdict->sureness == COMPARE_UNSURE) {
		put_doubt(comparison, sink);
	} else {
		sink_print(sink, verdict->tied_count ? " It is " : ", ");
		put_lead(comparison, verdict, measure, sink);
		put_sureness(comparison, verdict, sink);
	}
	sink_print(sink, "\n");
}

static bool lacks_end(const struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE &&
		    !comparison->row[i].of[COMPARE_END].median)
			return true;
	return false;
}

void compare_method(const struct comparison *comparison, struct sink *sink)
{
	sink_print(
		sink,
		"Middle of %s of each, in turn, with nothing of poolmem in them; +- is half of "
		"the way from the least to the most. Live bytes are of one more run of each, whose "
		"calls were counted.%s%s",
		number_of(comparison->runs, "run").text,
		comparison->is_server ? " Time is that of the load, the end is when it was through."
				      : "",
		lacks_end(comparison)
			? " Where the end or the mean is not told, too few looks fell into "
			  "the run, or none near its end."
			: "");
	if (comparison->exit_code)
		sink_print(sink, " It ended with exit code %d, in these runs as by itself.",
			   comparison->exit_code);
	sink_print(sink, "\n");
}
