/* SPDX-License-Identifier: MIT */
/* check.c: see check.h. */
#define _GNU_SOURCE 1
#include "study/check.h"

#include "study/blame.h"
#include "study/compare.h"
#include "study/query.h"
#include "study/site_name.h"
#include "study/trial.h"
#include "text/allocate.h"
#include "text/number.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_KEY(name, key, code, words) [CHECK_##name] = key,
#define STATE_CODE(name, key, code, words) [CHECK_##name] = code,
#define STATE_WORDS(name, key, code, words) [CHECK_##name] = words,
#define CAUSE_KEY(name, key, advice) [CHECK_CAUSE_##name] = key,
#define CAUSE_ADVICE(name, key, advice) [CHECK_CAUSE_##name] = advice,
const char *const check_cause_keys[CHECK_CAUSE_COUNT] = {CHECK_CAUSES(CAUSE_KEY)};
const char *const check_cause_advice[CHECK_CAUSE_COUNT] = {CHECK_CAUSES(CAUSE_ADVICE)};
const char *const check_state_keys[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_KEY)};
const int check_state_codes[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_CODE)};
const char *const check_state_words[CHECK_STATE_COUNT] = {CHECK_STATES(STATE_WORDS)};

enum {
	MILLION = 1000000,
	MEDIAN_RUNS_MIN = 5, /* from so many on the median decides where runs disagree */
	TOLERANCE_SPREADS = 3,
	RUNS_SUGGESTED = 7,
};

/* A test while it is judged. */
struct judging {
	struct check *check;
	const struct trial *trial;
	const struct baseline_test *before;
	enum check_making making;
};

/* --- figures in words ------------------------------------------------------------------------------------- */

static const char *amount(struct keep *keep, enum metric_unit unit, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	const char *sign = value < 0 ? "-" : "";

	switch (unit) {
	case UNIT_BYTES:
		if (size < 1024)
			return keep_text(keep, "%s%s", sign, number_of(size, "byte").text);
		return keep_text(keep, "%s%s (%s)", sign, number_bytes(size).text,
				 number_count(size).text);
	case UNIT_NS: return keep_text(keep, "%s%s", sign, number_duration(size).text);
	default: return keep_text(keep, "%s%s", sign, number_count(size).text);
	}
}

/* "12.3 %" of a share in millionths, and two digits more where it is small. */
static const char *share(struct keep *keep, int64_t millionths)
{
	return keep_text(keep, millionths < 10000 ? "%.4f %%" : "%.1f %%",
			 (double)millionths / 10000);
}

/* --- a rule -------------------------------------------------------------------------------------------------- */

static bool is_of_sites(const struct budget_rule *rule)
{
	return rule->site || rule->module || budget_is_of_leaks(rule->metric);
}

static const char *flaw_of(const struct judging *judging, const struct budget_rule *rule)
{
	const struct trial *trial = judging->trial;

	for (size_t i = 0; i < trial->run_count; i++) {
		const struct measured *run = &trial->runs[i];
		if (run->flaw)
			return run->flaw;
		if (run->site_flaw && (is_of_sites(rule) || rule->metric == METRIC_ALLOC_REQUESTED))
			return run->site_flaw;
	}
	return NULL;
}

static bool decide(struct check_rule *ret, enum check_state state, enum check_cause cause,
		   const char *why, const char *remedy)
{
	ret->state = state;
	ret->cause = cause;
	ret->why = why;
	ret->remedy = remedy;
	return state == CHECK_PASSED;
}

static bool set_baseline(const struct judging *judging, const struct budget_rule *rule,
			 struct check_rule *ret)
{
	const struct baseline_value *value = baseline_value(judging->before, rule->subject);
	struct keep *keep = &judging->check->keep;

	if (value)
		ret->baseline = (struct known){true, value->median};
	if (judging->making == CHECK_RENEWS && (!value || rule->limit.is_of_baseline))
		ret->baseline = ret->value;
	if (!rule->limit.is_of_baseline || ret->baseline.is_known)
		return true;
	const char *lacks = judging->before ? judging->before->lacks : NULL;
	return decide(ret, CHECK_INVALID, lacks ? CHECK_CAUSE_CAPTURE : CHECK_CAUSE_NO_BASELINE,
		      keep_text(keep, "there is no baseline for %s of test \"%s\"%s%s", rule->subject,
				judging->trial->test->name, lacks ? ": " : "", lacks ? lacks : ""),
		      NULL);
}

static void set_limits(const struct budget_rule *rule, struct check_rule *ret)
{
	ret->limit = (struct known){true, budget_highest(rule, ret->baseline.value)};
	if (rule->limit.is_band)
		ret->lower_limit = (struct known){true, budget_lowest(rule, ret->baseline.value)};
}

static void set_spread(const int64_t *values, size_t count, struct check_rule *ret)
{
	ret->run_count = count;
	ret->least = ret->most = values[0];
	for (size_t i = 1; i < count; i++) {
		ret->least = values[i] < ret->least ? values[i] : ret->least;
		ret->most = values[i] > ret->most ? values[i] : ret->most;
	}
	ret->is_stable = ret->least == ret->most;
	ret->value = (struct known){true, baseline_median(values, count)};
	if (ret->is_stable)
		return;
	int64_t middle = ret->value.value > 0 ? ret->value.value : 1;
	__int128 tolerance = (__int128)(ret->most - ret->least) * TOLERANCE_SPREADS * MILLION /
			     middle;
	ret->tolerance = (struct known){true, tolerance < 1           ? 1
					      : tolerance > INT64_MAX ? INT64_MAX
								      : (int64_t)tolerance};
}

/* Against the runs that the baseline was made of. */
static void set_p(const struct judging *judging, const struct budget_rule *rule,
		  const int64_t *values, struct check_rule *ret)
{
	const struct baseline_value *value = baseline_value(judging->before, rule->subject);
	uint64_t was[COMPARE_RUNS_MAX], is[COMPARE_RUNS_MAX];

	ret->p = -1;
	if (!value || value->run_count < COMPARE_RUNS_MIN || ret->run_count < COMPARE_RUNS_MIN)
		return;
	for (size_t i = 0; i < value->run_count; i++)
		was[i] = (uint64_t)value->run[i];
	for (size_t i = 0; i < ret->run_count; i++)
		is[i] = (uint64_t)values[i];
	ret->p = compare_p(was, value->run_count, is, ret->run_count);
}

static int64_t excess_of(const struct budget_rule *rule, const struct check_rule *judged,
			 int64_t value)
{
	int64_t low = judged->lower_limit.is_known ? judged->lower_limit.value : judged->limit.value;

	if (value > judged->limit.value)
		return value - judged->limit.value;
	return rule->relation == BUDGET_EQUAL && value < low ? value - low : 0;
}

static const char *limit_words(const struct budget_rule *rule, const struct check_rule *judged,
			       struct keep *keep)
{
	const char *limit = amount(keep, judged->unit, judged->limit.value);

	if (!rule->limit.is_of_baseline)
		return limit;
	const char *baseline = amount(keep, judged->unit, judged->baseline.value);
	if (!rule->limit.amount && !rule->limit.millionths)
		return keep_text(keep, "its baseline of %s", baseline);
	return keep_text(keep, "%s, its baseline of %s with its tolerance",
			 judged->lower_limit.is_known
				 ? keep_text(keep, "%s to %s",
					     amount(keep, judged->unit, judged->lower_limit.value),
					     limit)
				 : limit,
			 baseline);
}

static const char *exceeded_words(const struct budget_rule *rule, const struct check_rule *judged,
				  struct keep *keep)
{
	int64_t excess = excess_of(rule, judged, judged->value.value);
	int64_t limit = judged->limit.value;
	int64_t parts = limit > 0 && excess > 0
				? (int64_t)((__int128)excess * MILLION / limit > INT64_MAX
						    ? INT64_MAX
						    : (__int128)excess * MILLION / limit)
				: 0;

	return keep_text(keep, "%s is %s, %s%s%s%s %s", rule->subject,
			 amount(keep, judged->unit, judged->value.value),
			 amount(keep, judged->unit, excess < 0 ? -excess : excess),
			 parts ? " or " : "", parts ? share(keep, parts) : "",
			 excess < 0 ? " less than" : " over", limit_words(rule, judged, keep));
}

static const char *spread_words(const struct budget_rule *rule, const struct check_rule *judged,
				struct keep *keep)
{
	return keep_text(keep, "%s differs from run to run: %s to %s in %zu runs", rule->subject,
			 amount(keep, judged->unit, judged->least),
			 amount(keep, judged->unit, judged->most), judged->run_count);
}

/* So far apart that a share of the figure says little: as much as that. */
static const char *tolerance_of(const struct check_rule *judged, struct keep *keep)
{
	const char *unit = judged->unit == UNIT_BYTES ? " B" : judged->unit == UNIT_NS ? " ns" : "";

	if (judged->tolerance.value <= MILLION)
		return keep_text(keep, "%.4f%%", (double)judged->tolerance.value / 10000);
	return keep_text(keep, "%" PRId64 "%s", TOLERANCE_SPREADS * (judged->most - judged->least),
			 unit);
}

/* What would hold these runs, as it would be written. */
static const char *tolerance_words(const struct budget_rule *rule, const struct check_rule *judged,
				   struct keep *keep)
{
	const char *limit = amount(keep, judged->unit, judged->most);

	if (!rule->limit.is_of_baseline)
		return keep_text(
			keep, "a limit of its own is for the worst run: of these that is %s", limit);
	return keep_text(
		keep, "allow for what chance does: %s %s %s, with --runs %d", rule->subject,
		rule->relation == BUDGET_EQUAL ? "= baseline +-" : "<= baseline +",
		tolerance_of(judged, keep),
		judged->run_count < MEDIAN_RUNS_MIN ? RUNS_SUGGESTED : (int)judged->run_count);
}

static enum check_cause cause_of(const struct budget_rule *rule, const struct check_rule *judged)
{
	if (excess_of(rule, judged, judged->value.value) < 0)
		return CHECK_CAUSE_LESS;
	if (budget_is_of_leaks(rule->metric))
		return CHECK_CAUSE_LEAKED;
	return rule->limit.is_of_baseline ? CHECK_CAUSE_GREW : CHECK_CAUSE_OVER;
}

/* NULL: its cause says it. */
static const char *remedy_of(const struct budget_rule *rule, const struct check_rule *judged,
			     struct keep *keep)
{
	if (excess_of(rule, judged, judged->value.value) >= 0)
		return NULL;
	if (rule->limit.is_of_baseline)
		return keep_text(keep,
				 "less is not equal: --ratchet takes it into the baseline, and "
				 "%s <= baseline would allow it",
				 rule->subject);
	return keep_text(keep, "less is not equal: write %s = %" PRId64 ", or <= to allow less",
			 rule->subject, judged->value.value);
}

static void exceed(const struct budget_rule *rule, const char *why, const char *remedy,
		   struct check_rule *ret, struct keep *keep)
{
	const char *own = remedy_of(rule, ret, keep);

	decide(ret, CHECK_EXCEEDED, cause_of(rule, ret), why, own ? own : remedy);
}

/* A limit of its own allows no run to be over it, however many are within. */
static void decide_mixed_hard(const struct budget_rule *rule, size_t over, struct check_rule *ret,
			      struct keep *keep)
{
	const char *remedy = tolerance_words(rule, ret, keep);

	if (excess_of(rule, ret, ret->value.value) != 0)
		exceed(rule,
		       keep_text(keep, "%s, in the middle: %zu of %zu runs were over",
				 exceeded_words(rule, ret, keep), over, ret->run_count),
		       remedy, ret, keep);
	else
		decide(ret, CHECK_UNRELIABLE, CHECK_CAUSE_CHANCE,
		       keep_text(keep, "%s, and %zu of %zu runs were over %s",
				 spread_words(rule, ret, keep), over, ret->run_count,
				 limit_words(rule, ret, keep)),
		       remedy);
}

/* Runs disagree about a baseline: the median of enough of them decides, unless it may be chance. */
static void decide_mixed(const struct budget_rule *rule, struct check_rule *ret, struct keep *keep)
{
	bool is_over = excess_of(rule, ret, ret->value.value) != 0;
	bool may_be_chance = ret->p >= COMPARE_CHANCE;
	const char *remedy = tolerance_words(rule, ret, keep);

	if (ret->run_count < MEDIAN_RUNS_MIN || (is_over && may_be_chance))
		decide(ret, CHECK_UNRELIABLE, CHECK_CAUSE_CHANCE,
		       keep_text(keep, "%s, and some of these are over %s",
				 spread_words(rule, ret, keep), limit_words(rule, ret, keep)),
		       remedy);
	else if (is_over)
		exceed(rule, exceeded_words(rule, ret, keep), remedy, ret, keep);
	else
		decide(ret, CHECK_PASSED, CHECK_CAUSE_NONE,
		       keep_text(keep, "%s, in the middle within %s", spread_words(rule, ret, keep),
				 limit_words(rule, ret, keep)),
		       remedy);
}

static void decide_by(const struct budget_rule *rule, const int64_t *values, struct check_rule *ret,
		      struct keep *keep)
{
	const char *limit = limit_words(rule, ret, keep);
	size_t over = 0;

	for (size_t i = 0; i < ret->run_count; i++)
		over += excess_of(rule, ret, values[i]) != 0;
	if (over && over < ret->run_count && !rule->limit.is_of_baseline)
		decide_mixed_hard(rule, over, ret, keep);
	else if (over && over < ret->run_count)
		decide_mixed(rule, ret, keep);
	else if (over)
		exceed(rule, exceeded_words(rule, ret, keep), NULL, ret, keep);
	else if (ret->is_stable)
		decide(ret, CHECK_PASSED, CHECK_CAUSE_NONE,
		       keep_text(keep, "%s is %s, within %s", rule->subject,
				 amount(keep, ret->unit, ret->value.value), limit),
		       NULL);
	else
		decide(ret, CHECK_PASSED, CHECK_CAUSE_NONE,
		       keep_text(keep, "%s, all within %s", spread_words(rule, ret, keep), limit),
		       NULL);
}

/* With --ratchet: less than = asks for is what it is there to take. */
static bool is_taken(const struct judging *judging, const struct budget_rule *rule,
		     const int64_t *values, struct check_rule *ret)
{
	const struct baseline_value *was = baseline_value(judging->before, rule->subject);
	struct keep *keep = &judging->check->keep;

	if (judging->making != CHECK_LOWERS || !was || !rule->limit.is_of_baseline ||
	    excess_of(rule, ret, ret->value.value) >= 0 || excess_of(rule, ret, ret->most) > 0 ||
	    !trial_is_better(was, values, ret->run_count))
		return false;
	decide(ret, CHECK_PASSED, CHECK_CAUSE_NONE,
	       keep_text(keep, "%s is %s, less than %s, which is lowered", rule->subject,
			 amount(keep, ret->unit, ret->value.value), limit_words(rule, ret, keep)),
	       NULL);
	return true;
}

/* More may have leaked than is known for certain. */
static bool is_certain(const struct judging *judging, const struct budget_rule *rule,
		       struct check_rule *ret)
{
	struct keep *keep = &judging->check->keep;

	if (rule->site || rule->module || ret->state != CHECK_PASSED ||
	    !budget_is_of_leaks(rule->metric))
		return true;
	for (size_t i = 0; i < judging->trial->run_count; i++) {
		const struct metric_bound *bound = &judging->trial->runs[i].metrics.bound[rule->metric];
		if (bound->is_known && bound->at_most > ret->limit.value)
			return decide(
				ret, CHECK_UNRELIABLE, CHECK_CAUSE_UNCERTAIN,
				keep_text(keep, "%s is between %s and %s, and its limit is %s",
					  rule->subject, amount(keep, ret->unit, bound->at_least),
					  amount(keep, ret->unit, bound->at_most),
					  limit_words(rule, ret, keep)),
				NULL);
	}
	return true;
}

static bool is_matched(const struct trial *trial, size_t index)
{
	for (size_t i = 0; i < trial->run_count; i++)
		if (trial->runs[i].is_matched[index])
			return true;
	return false;
}

/* Its site or module had blocks when the baseline was made. */
static bool was_matched(const struct judging *judging, const struct budget_rule *rule)
{
	const struct baseline_value *value = baseline_value(judging->before, rule->subject);
	const struct baseline_test *before = judging->before;

	if (value && value->median)
		return true;
	for (size_t i = 0; before && i < before->ledger.count; i++) {
		const struct ledger_row *row = &before->ledger.rows[i];
		if (rule->site ? measured_is_function(rule->site, row->function)
			       : measured_is_module(rule->module, row->module))
			return true;
	}
	return false;
}

/* A name that nothing has is no pass: it may be wrong, or inlined.  A limit of 0 wants nothing there. */
static bool means_something(const struct judging *judging, size_t index, struct check_rule *ret)
{
	const struct budget_rule *rule = &judging->trial->test->rules[index];
	const char *kind = rule->site ? "site" : "module";

	if ((!rule->site && !rule->module) || ret->state != CHECK_PASSED ||
	    (!rule->limit.is_of_baseline && ret->limit.value == 0) ||
	    is_matched(judging->trial, index) || was_matched(judging, rule))
		return true;
	return decide(
		ret, CHECK_UNRELIABLE, CHECK_CAUSE_UNMATCHED,
		keep_text(&judging->check->keep,
			  "no call site is of %s \"%s\" in any run, so nothing was held to the limit",
			  kind, rule->site ? rule->site : rule->module),
		keep_text(&judging->check->keep,
			  "poolmem sites says how they are called; a limit of 0 is for a %s that is to have none",
			  kind));
}

static void judge_rule(const struct judging *judging, size_t index, struct check_rule *ret)
{
	const struct budget_rule *rule = &judging->trial->test->rules[index];
	struct keep *keep = &judging->check->keep;
	int64_t values[BUDGET_RUNS_MAX];
	const char *flaw = flaw_of(judging, rule);

	if (judging->trial->state != CHECK_PASSED) {
		decide(ret, judging->trial->state, CHECK_CAUSE_NONE,
		       keep_text(keep, "%s was not measured: %s", rule->subject, judging->trial->why),
		       NULL);
		return;
	}
	if (!trial_rule_values(judging->trial, index, values)) {
		decide(ret, CHECK_UNRELIABLE, CHECK_CAUSE_INCOMPLETE,
		       keep_text(keep, "%s is not known%s%s", rule->subject, flaw ? ": " : "",
				 flaw ? flaw : ""),
		       NULL);
		return;
	}
	set_spread(values, judging->trial->run_count, ret);
	if (flaw) {
		decide(ret, CHECK_UNRELIABLE, CHECK_CAUSE_INCOMPLETE,
		       keep_text(keep, "%s: %s", rule->subject, flaw), NULL);
		return;
	}
	if (!set_baseline(judging, rule, ret))
		return;
	set_limits(rule, ret);
	set_p(judging, rule, values, ret);
	if (is_taken(judging, rule, values, ret))
		return;
	decide_by(rule, values, ret, keep);
	if (ret->cause == CHECK_CAUSE_GREW && judging->check->is_against)
		ret->cause = CHECK_CAUSE_GREW_SINCE;
	is_certain(judging, rule, ret);
	means_something(judging, index, ret);
}

/* --- a test --------------------------------------------------------------------------------------------------- */

static void set_metrics(const struct judging *judging, struct check_test *ret)
{
	const struct trial *trial = judging->trial;
	int64_t values[BUDGET_RUNS_MAX];

	ret->metrics = keep_items(&judging->check->keep, METRIC_COUNT, sizeof *ret->metrics);
	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		struct check_rule one = {.state = CHECK_PASSED};
		if (m == METRIC_PROCESS_PID || !trial_values(trial, m, values))
			continue;
		set_spread(values, trial->run_count, &one);
		const struct baseline_value *was = baseline_value(judging->before, metric_keys[m]);
		ret->metrics[ret->metric_count++] = (struct check_metric){
			.metric = m,
			.value = one.value.value,
			.least = one.least,
			.most = one.most,
			.baseline = {was != NULL, was ? was->median : 0},
			.is_stable = one.is_stable,
		};
	}
}

static void set_blame(const struct judging *judging, const struct budget_rule *rule,
		      struct check_rule *ret)
{
	const struct blame_request request = {
		.rule = rule,
		.before = judging->before ? &judging->before->ledger : NULL,
		.after = &judging->trial->runs[0].ledger,
		.keep = &judging->check->keep,
	};

	blame_set(&request, ret);
}

static void set_rules(const struct judging *judging, struct check_test *ret)
{
	const struct budget_test *test = judging->trial->test;

	ret->rule_count = test->rule_count;
	ret->rules = keep_items(&judging->check->keep, test->rule_count, sizeof *ret->rules);
	for (size_t i = 0; i < test->rule_count; i++) {
		const struct budget_rule *rule = &test->rules[i];
		ret->rules[i] = (struct check_rule){
			.place = {rule->line ? ret->place.file : "", rule->line, rule->column,
				  rule->is_default},
			.text = rule->text,
			.metric = metric_keys[rule->metric],
			.site = rule->site,
			.module = rule->module,
			.unit = metric_units[rule->metric],
			.p = -1,
			.is_stable = true,
		};
		judge_rule(judging, i, &ret->rules[i]);
		if (ret->rules[i].state == CHECK_EXCEEDED)
			set_blame(judging, rule, &ret->rules[i]);
		if (ret->rules[i].state > ret->state)
			ret->state = ret->rules[i].state;
	}
}

static void set_processes(const struct judging *judging, struct check_test *ret)
{
	const struct trial *trial = judging->trial;

	if (!trial->run_count)
		return;
	ret->processes = trial->runs[trial->run_count - 1].processes;
	ret->process_count = trial->runs[trial->run_count - 1].process_count;
}

static void judge_test(const struct judging *judging, struct check_test *ret)
{
	const struct trial *trial = judging->trial;
	const struct budget_test *test = trial->test;
	const char *file = judging->check->budget;

	*ret = (struct check_test){
		.name = test->name,
		.argv = (const char *const *)test->argv,
		.command = test->command,
		.directory = trial->directory,
		.place = {test->line ? file : "", test->line, test->column, false},
		.state = trial->state,
		.cause = trial->cause,
		.why = trial->why,
		.exit_status = trial->exit_status,
		.signal = trial->signal,
		.timed_out = trial->timed_out,
		.elapsed_ns = trial->elapsed_ns,
		.run_count = trial->run_count,
		.capture = trial->is_kept ? trial->capture : NULL,
	};
	set_rules(judging, ret);
	if (trial->run_count)
		set_metrics(judging, ret);
	set_processes(judging, ret);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static bool is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

void check_note(struct check *check, const char *test, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int bytes = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (bytes < 0)
		abort();
	for (size_t i = 0; i < check->note_count; i++)
		if (is_same(check->notes[i].test, test) && is_same(check->notes[i].text, text)) {
			free(text);
			return;
		}
	check->notes = allocate_more(check->notes, check->note_count, &check->note_room,
				     sizeof *check->notes);
	check->notes[check->note_count++] = (struct check_note){test,
								keep_taken(&check->keep, text)};
}

static void add_difference(struct check *check, const char *what, const char *then, const char *now)
{
	for (size_t i = 0; i < check->difference_count; i++) {
		const struct check_difference *one = &check->differences[i];
		if (is_same(one->what, what) && is_same(one->then, then) && is_same(one->now, now))
			return;
	}
	check->differences = allocate_more(check->differences, check->difference_count,
					   &check->difference_room, sizeof *check->differences);
	check->differences[check->difference_count++] = (struct check_difference){
		what, then ? then : "unknown", now ? now : "unknown"};
}

static void compare_facts(const struct judging *judging)
{
	const struct trial *trial = judging->trial;
	const char *command = judging->before ? judging->before->command : NULL;

	if (command && !is_same(command, trial->test->command))
		add_difference(judging->check, "command", command, trial->test->command);
	for (unsigned i = 0; judging->before && trial->run_count && i < BASELINE_FACT_COUNT; i++)
		if (judging->before->fact[i] && !is_same(judging->before->fact[i], trial->fact[i]))
			add_difference(judging->check, baseline_fact_words[i],
				       judging->before->fact[i], trial->fact[i]);
}

static void note_unmatched(const struct judging *judging)
{
	const struct trial *trial = judging->trial;
	const struct budget_test *test = trial->test;

	for (size_t i = 0; trial->run_count && i < test->rule_count; i++) {
		const struct budget_rule *rule = &test->rules[i];
		if ((rule->site || rule->module) && !is_matched(trial, i))
			check_note(judging->check, test->name,
				   "no call site is of %s \"%s\": its figures are 0",
				   rule->site ? "site" : "module",
				   rule->site ? rule->site : rule->module);
	}
}

static void note_left_out(const struct judging *judging)
{
	if (judging->before && judging->before->ledger.left_out)
		check_note(judging->check, judging->trial->test->name,
			   "its baseline has the %zu largest call sites: a smaller one may seem new",
			   judging->before->ledger.count);
}

static bool limits_peak(const struct budget_test *test)
{
	for (size_t i = 0; i < test->rule_count; i++)
		if (test->rules[i].metric == METRIC_LIVE_PEAK && !test->rules[i].site &&
		    !test->rules[i].module)
			return true;
	return false;
}

/* "--max-peak 24": 24 MiB may have been meant. */
static void note_small(const struct judging *judging)
{
	enum { SMALL_BYTES = 4096 };
	const struct budget_test *test = judging->trial->test;

	for (size_t i = 0; i < test->rule_count; i++) {
		const struct budget_rule *rule = &test->rules[i];
		size_t length = strlen(rule->text);
		bool has_unit = !length || rule->text[length - 1] < '0' ||
				rule->text[length - 1] > '9';
		if (has_unit || rule->limit.is_of_baseline || rule->limit.amount <= 0 ||
		    rule->limit.amount >= SMALL_BYTES || metric_units[rule->metric] != UNIT_BYTES)
			continue;
		check_note(judging->check, test->name,
			   "the limit of %s has no unit: it is taken for %s (B, KiB, MiB say what is "
			   "meant)",
			   rule->subject, number_of((uint64_t)rule->limit.amount, "byte").text);
	}
}

/* Rules of call sites are unreliable by it; others hold, but no loss goes untold. */
static void note_site_flaw(const struct judging *judging)
{
	const struct trial *trial = judging->trial;

	if (trial->state == CHECK_PASSED && trial->run_count && trial->runs[0].site_flaw)
		check_note(judging->check, trial->test->name, "call sites are not all known: %s",
			   trial->runs[0].site_flaw);
}

/* Of the trial, and what its figures are sums of. */
static void note_trial(const struct judging *judging)
{
	const struct trial *trial = judging->trial;
	size_t processes = trial->run_count ? trial->runs[0].process_count : 0;

	for (size_t i = 0; i < TRIAL_NOTES_MAX && trial->notes[i]; i++)
		check_note(judging->check, trial->test->name, "%s", trial->notes[i]);
	if (processes > 1 && limits_peak(trial->test))
		check_note(judging->check, trial->test->name,
			   "live.peak is the sum of the peaks of %zu processes, which may not have "
			   "come together",
			   processes);
}

struct check_test *check_add(struct check *check, const struct trial *trial,
			     const struct baseline_test *before, enum check_making making)
{
	const struct judging judging = {check, trial, before, making};

	check->tests = allocate_more(check->tests, check->test_count, &check->test_room,
				     sizeof *check->tests);
	struct check_test *test = &check->tests[check->test_count++];
	judge_test(&judging, test);
	compare_facts(&judging);
	note_unmatched(&judging);
	note_left_out(&judging);
	note_trial(&judging);
	note_site_flaw(&judging);
	note_small(&judging);
	return test;
}

void check_again(struct check *check, struct check_test *test, const struct trial *trial,
		 const struct baseline_test *before, enum check_making making)
{
	const struct judging judging = {check, trial, before, making};

	judge_test(&judging, test);
}

bool check_wants_sites(const struct check_test *test)
{
	for (size_t i = 0; i < test->rule_count; i++)
		if (test->rules[i].state == CHECK_EXCEEDED)
			return true;
	return false;
}

void check_conclude(struct check *check)
{
	memset(check->counts, 0, sizeof check->counts);
	for (size_t i = 0; i < check->test_count; i++) {
		enum check_state state = check->tests[i].state;
		check->counts[state]++;
		check->elapsed_ns += check->tests[i].elapsed_ns;
		if (state > check->state)
			check->state = state;
	}
}

void check_free(struct check *check)
{
	free(check->tests);
	free(check->differences);
	free(check->notes);
	free(check->written.tests);
	free(check->written.changes);
	keep_free(&check->keep);
}
