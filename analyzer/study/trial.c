/* SPDX-License-Identifier: MIT */
/* trial.c: see trial.h. */
#include "study/trial.h"

#include "study/compare.h"

#include <stdlib.h>
#include <string.h>

void trial_note(struct trial *trial, const char *text)
{
	for (size_t i = 0; i < TRIAL_NOTES_MAX; i++) {
		if (trial->notes[i] && strcmp(trial->notes[i], text) == 0)
			return;
		if (!trial->notes[i]) {
			trial->notes[i] = text;
			return;
		}
	}
}

bool trial_values(const struct trial *trial, enum metric metric, int64_t ret[BUDGET_RUNS_MAX])
{
	for (size_t i = 0; i < trial->run_count; i++) {
		const struct known *value = &trial->runs[i].metrics.value[metric];
		if (!value->is_known)
			return false;
		ret[i] = value->value;
	}
	return trial->run_count > 0;
}

bool trial_rule_values(const struct trial *trial, size_t rule, int64_t ret[BUDGET_RUNS_MAX])
{
	for (size_t i = 0; i < trial->run_count; i++) {
		struct known value = measured_value(&trial->runs[i], &trial->test->rules[rule],
						    rule);
		if (!value.is_known)
			return false;
		ret[i] = value.value;
	}
	return trial->run_count > 0;
}

bool trial_is_unstable(const struct trial *trial)
{
	int64_t values[BUDGET_RUNS_MAX];

	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		if (!baseline_keeps(m) || !trial_values(trial, m, values))
			continue;
		for (size_t i = 1; i < trial->run_count; i++)
			if (values[i] != values[0])
				return true;
	}
	return false;
}

/* --- as a baseline ---------------------------------------------------------------------------------------- */

/* What the test was worth, and what of it was taken over. */
struct taking {
	struct baseline *baseline;
	struct baseline_test *to;
	const struct baseline_test *was; /* NULL: nothing of it counts */
	bool is_better, is_worse;
};

static bool is_told_apart(const struct baseline_value *was, const int64_t *runs, size_t run_count)
{
	uint64_t before[COMPARE_RUNS_MAX], after[COMPARE_RUNS_MAX];

	for (size_t i = 0; i < was->run_count; i++)
		before[i] = (uint64_t)was->run[i];
	for (size_t i = 0; i < run_count; i++)
		after[i] = (uint64_t)runs[i];
	return compare_p(before, was->run_count, after, run_count) < COMPARE_CHANCE;
}

static bool is_noisy(const struct baseline_value *was, const int64_t *runs, size_t run_count)
{
	bool is_same = was->run_count == 1;

	for (size_t i = 1; i < run_count; i++)
		is_same &= runs[i] == runs[0];
	return !is_same;
}

bool trial_is_better(const struct baseline_value *was, const int64_t *runs, size_t run_count)
{
	return baseline_median(runs, run_count) < was->median &&
	       (!is_noisy(was, runs, run_count) || is_told_apart(was, runs, run_count));
}

static void take(struct taking *taking, const char *subject, const int64_t *runs, size_t run_count)
{
	const struct baseline_value *was = baseline_value(taking->was, subject);
	int64_t median = baseline_median(runs, run_count);
	bool is_better = was && trial_is_better(was, runs, run_count);

	taking->is_better |= is_better;
	taking->is_worse |= was && median > was->median;
	if (was && !is_better)
		baseline_add(taking->baseline, taking->to, subject, was->run, was->run_count);
	else
		baseline_add(taking->baseline, taking->to, subject, runs, run_count);
}

static void take_figures(struct taking *taking, const struct trial *trial)
{
	const struct budget_test *test = trial->test;
	int64_t values[BUDGET_RUNS_MAX];

	for (enum metric m = 0; m < METRIC_COUNT; m++)
		if (baseline_keeps(m) && trial_values(trial, m, values))
			take(taking, metric_keys[m], values, trial->run_count);
	for (size_t i = 0; i < test->rule_count; i++)
		if ((test->rules[i].site || test->rules[i].module) &&
		    trial_rule_values(trial, i, values))
			take(taking, test->rules[i].subject, values, trial->run_count);
}

static void move_ledger(struct ledger *from, struct ledger *to)
{
	ledger_free(to);
	*to = *from;
	*from = (struct ledger){.count = 0};
}

void trial_to_baseline(struct trial *trial, struct baseline *baseline, bool only_better)
{
	struct baseline_test *old = baseline_find(baseline, trial->test->name), was = {.name = ""};

	if (old) {
		was = *old;
		*old = (struct baseline_test){.name = was.name};
	}
	struct taking taking = {.baseline = baseline,
				.to = baseline_renew(baseline, trial->test->name),
				.was = old && only_better ? &was : NULL};
	take_figures(&taking, trial);
	bool is_new = !taking.was || (taking.is_better && !taking.is_worse);
	move_ledger(is_new ? &trial->runs[0].ledger : &was.ledger, &taking.to->ledger);
	bool is_kept = taking.was && !taking.is_better;
	for (unsigned i = 0; i < BASELINE_FACT_COUNT; i++)
		taking.to->fact[i] = is_kept ? was.fact[i] : trial->fact[i];
	taking.to->command = is_kept ? was.command : trial->test->command;
	free(was.values);
	ledger_free(&was.ledger);
}
