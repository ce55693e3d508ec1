/* SPDX-License-Identifier: MIT */
/* variants.c: see variants.h. */
#include "study/variants.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double WORTH = 0.01; /* what differs by less is as good */
static const double
	WORTH_BYTES = 16384; /* so is memory that does by less than this, however little there is */

#define NAME(name, text, own) text,
const char *const variant_parameters[VARIANT_PARAMETER_COUNT] = {VARIANT_PARAMETERS(NAME)};
#undef NAME

#define OWN(name, text, own) own,
static const char *const owns[VARIANT_PARAMETER_COUNT] = {VARIANT_PARAMETERS(OWN)};
#undef OWN

#define VARIANT(parameter, name, kind, how, words)                                                 \
	{VARIANT_##parameter, VARIANT_##kind, name, how, words},
const struct variant variants[VARIANT_COUNT] = {VARIANTS(VARIANT)};
#undef VARIANT

#define KEY(name, measure, key, words) key,
const char *const variant_figure_keys[VARIANT_FIGURE_COUNT] = {VARIANT_FIGURES(KEY)};
#undef KEY

#define WORDS(name, measure, key, words) words,
const char *const variant_figure_words[VARIANT_FIGURE_COUNT] = {VARIANT_FIGURES(WORDS)};
#undef WORDS

#define VERDICT(name, key) key,
const char *const variant_verdict_keys[VARIANT_VERDICT_COUNT] = {VARIANT_VERDICTS(VERDICT)};
#undef VERDICT

const char *variant_value(const struct variant *variant)
{
	return strchr(variant->name, '=') + 1;
}

/* --- which ---------------------------------------------------------------------------------------------- */

static void list(char *text, size_t room, const char *word)
{
	size_t used = strlen(text);

	snprintf(text + used, room - used, "%s%s", used ? ", " : "", word);
}

static bool no_parameter(const char *word, struct failure *why)
{
	char known[200] = "";

	for (size_t i = 0; i < VARIANT_PARAMETER_COUNT; i++)
		list(known, sizeof known, variant_parameters[i]);
	return fail(why, FAILURE_USAGE, "--what-if: no parameter '%.100s'; there are %s", word,
		    known);
}

static bool no_value(const char *word, size_t parameter, struct failure *why)
{
	char known[200] = "";

	for (size_t i = 0; i < VARIANT_COUNT; i++)
		if (variants[i].parameter == parameter)
			list(known, sizeof known, variants[i].name);
	return fail(why, FAILURE_USAGE, "--what-if: '%.100s' is none of %s; poolmem has: %s", word,
		    known, owns[parameter]);
}

static bool choose(const char *word, struct variant_choice *choice, struct failure *why)
{
	size_t length = strcspn(word, "="), parameter = 0, found = 0;

	while (parameter < VARIANT_PARAMETER_COUNT &&
	       (strlen(variant_parameters[parameter]) != length ||
		strncmp(variant_parameters[parameter], word, length) != 0))
		parameter++;
	if (parameter == VARIANT_PARAMETER_COUNT)
		return no_parameter(word, why);
	for (size_t i = 0; i < VARIANT_COUNT; i++) {
		if (variants[i].parameter != parameter ||
		    (word[length] && strcmp(variants[i].name, word) != 0))
			continue;
		choice->is_chosen[i] = true;
		choice->is_named[i] |= word[length] != 0;
		found++;
	}
	return found || no_value(word, parameter, why);
}

bool variants_choose(const char *const *words, size_t count, struct variant_choice *ret,
		     struct failure *why)
{
	struct variant_choice choice = {.is_chosen = {false}};

	for (size_t i = 0; i < count; i++)
		if (!choose(words[i], &choice, why))
			return false;
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		choice.is_chosen[i] |= !count;
	*ret = choice;
	return true;
}

/* --- what differs --------------------------------------------------------------------------------------- */

const struct compare_figure *variant_figure_of(const struct compare_row *row,
					       enum variant_figure figure)
{
#define MEASURE(name, measure, key, words) [VARIANT_##name] = COMPARE_##measure,
	static const enum compare_measure measures[] = {VARIANT_FIGURES(MEASURE)};
#undef MEASURE
	return &row->of[measures[figure]];
}

double variant_spread(const struct compare_row *row, enum variant_figure figure)
{
	const struct compare_figure *of = variant_figure_of(row, figure);

	return of->median ? (double)(of->most - of->least) / (double)of->median : 0;
}

static double p_of(const struct compare_row *own, const struct compare_row *other,
		   enum variant_figure figure)
{
	return compare_p(variant_figure_of(own, figure)->run, own->runs,
			 variant_figure_of(other, figure)->run, other->runs);
}

static bool is_memory(enum variant_figure figure)
{
	return figure == VARIANT_PEAK || figure == VARIANT_MEAN || figure == VARIANT_END;
}

/* Chance has a try with each figure of each row: so that it shows a difference in one table of twenty at most (Bonferroni). */
static double level_of(const struct variants_study *study)
{
	size_t tries = study->row_count * VARIANT_FIGURE_COUNT;

	return COMPARE_CHANCE / (double)(tries ? tries : 1);
}

/* What two sets come to that do not mix: 2 / (all over those of one). */
static double least_p(size_t one, size_t other)
{
	double least = 2;

	for (size_t i = 1; i <= one; i++)
		least *= (double)i / (double)(other + i);
	return least;
}

static size_t runs_min(double level)
{
	size_t runs = 1;

	while (runs < COMPARE_RUNS_MAX && least_p(runs, runs) >= level)
		runs++;
	return runs;
}

static struct variant_change change_of(const struct variants_study *study,
				       const struct compare_row *other, enum variant_figure figure)
{
	const struct compare_row *own = study->own;
	double before = (double)variant_figure_of(own, figure)->median;
	double more = (double)variant_figure_of(other, figure)->median - before;
	struct variant_change change = {.part = before > 0 ? more / before : 0};
	bool is_worth = fabs(change.part) >= WORTH &&
			(!is_memory(figure) || fabs(more) >= WORTH_BYTES);

	change.is_told = is_worth && p_of(own, other, figure) < study->level;
	return change;
}

static enum variant_verdict judge(const struct variants_study *study, const struct variant_row *row)
{
	bool better = false, worse = false;

	if (!variant_can_differ(study, row))
		return VARIANT_UNKNOWN;
	for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++) {
		const struct variant_change *change = &row->change[figure];
		if (figure == VARIANT_FAULTS || !change->is_told)
			continue;
		better |= change->part < 0;
		worse |= change->part > 0;
	}
	if (better && worse)
		return VARIANT_TRADE;
	return better ? VARIANT_BETTER : worse ? VARIANT_WORSE : VARIANT_SAME;
}

static double told(const struct variant_row *row, enum variant_figure figure)
{
	return row->change[figure].is_told ? row->change[figure].part : 0;
}

/* What it saves at the peak and on average; where these are equal, at the end and in time. */
static bool saves_more(const struct variant_row *row, const struct variant_row *other)
{
	double one = told(row, VARIANT_PEAK) + told(row, VARIANT_MEAN);
	double two = told(other, VARIANT_PEAK) + told(other, VARIANT_MEAN);

	if (one < two || one > two)
		return one < two;
	return told(row, VARIANT_END) + told(row, VARIANT_TIME) <
	       told(other, VARIANT_END) + told(other, VARIANT_TIME);
}

bool variant_can_differ(const struct variants_study *study, const struct variant_row *row)
{
	return least_p(study->own->runs, row->runs->runs) < study->level;
}

bool variant_is_advice(const struct variants_study *study, const struct variant_row *row)
{
	return row->verdict == VARIANT_BETTER &&
	       (study->keeps_time || row->variant->parameter != VARIANT_PURGE);
}

void variants_conclude(struct variants_study *study)
{
	study->best = NULL;
	study->level = level_of(study);
	study->runs_min = runs_min(study->level);
	for (size_t i = 0; i < study->row_count; i++) {
		struct variant_row *row = &study->row[i];
		for (unsigned figure = 0; figure < VARIANT_FIGURE_COUNT; figure++)
			row->change[figure] = change_of(study, row->runs, figure);
		row->verdict = judge(study, row);
		if (variant_is_advice(study, row) && (!study->best || saves_more(row, study->best)))
			study->best = row;
	}
}
