/* SPDX-License-Identifier: MIT */
/*
 * check_openmetrics.c: what a check measured, as OpenMetrics text: the metrics of each test under their usual names, then
 * the value and the limit of each rule, and how each test came out.
 *
 * No series appears twice: tests of one name, and rules of one test that read the same, are told apart by `nth`.
 */
#include "render/check.h"
#include "render/openmetrics.h"
#include "text/allocate.h"
#include "text/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As they are shown: what differs in bytes may look the same.  Lets go of the names. */
static size_t *number(char **shown, size_t count)
{
	size_t *nth = check_nth((const char *const *)shown, count);

	for (size_t i = 0; i < count; i++)
		free(shown[i]);
	free(shown);
	return nth;
}

static size_t *number_tests(const struct check *check)
{
	char **shown = allocate(check->test_count, sizeof *shown);

	for (size_t i = 0; i < check->test_count; i++)
		shown[i] = escape_text(check_test_name(&check->tests[i]));
	return number(shown, check->test_count);
}

static size_t *number_rules(const struct check_test *test)
{
	char **shown = allocate(test->rule_count, sizeof *shown);

	for (size_t i = 0; i < test->rule_count; i++)
		shown[i] = escape_text(test->rules[i].text);
	return number(shown, test->rule_count);
}

static void put_label(const char *name, const char *value, struct sink *sink)
{
	sink_print(sink, "%s=\"", name);
	openmetrics_escaped(value, sink);
	sink_print(sink, "\"");
}

static void put_nth(const char *name, size_t nth, struct sink *sink)
{
	if (nth)
		sink_print(sink, ",%s=\"%zu\"", name, nth + 1);
}

static void begin(const char *family, const struct check_test *test, size_t nth, struct sink *sink)
{
	sink_print(sink, "%s{", family);
	put_label("test", check_test_name(test), sink);
	put_nth("nth", nth, sink);
}

/* A figure that is of a part of the test, or of chance. */
static void put_doubt(bool is_reliable, struct sink *sink)
{
	if (!is_reliable)
		sink_print(sink, ",reliable=\"no\"");
}

/* --- metrics --------------------------------------------------------------------------------------------- */

/* NULL: not measured; what only grows cannot be below zero. */
static const struct check_metric *find(const struct check_test *test, enum metric which)
{
	for (size_t i = 0; i < test->metric_count; i++)
		if (test->metrics[i].metric == which)
			return test->metrics[i].value < 0 && openmetrics_is_counter(which)
				       ? NULL
				       : &test->metrics[i];
	return NULL;
}

/* A rule says that it is not. */
static bool is_reliable(const struct check_test *test, enum metric which)
{
	for (size_t i = 0; i < test->rule_count; i++) {
		const struct check_rule *rule = &test->rules[i];
		if (rule->state == CHECK_UNRELIABLE && !rule->site && !rule->module &&
		    strcmp(rule->metric, metric_keys[which]) == 0)
			return false;
	}
	return check_is_measured(test);
}

static void put_metric(const struct check *check, const size_t *nth, enum metric which,
		       struct sink *sink)
{
	char family[OPENMETRICS_NAME_BYTES];
	bool has_head = false;

	openmetrics_family(which, family);
	for (size_t i = 0; i < check->test_count; i++) {
		const struct check_metric *metric = find(&check->tests[i], which);
		if (!metric)
			continue;
		if (!has_head)
			openmetrics_head_of(which, sink);
		has_head = true;
		begin(family, &check->tests[i], nth[i], sink);
		put_doubt(is_reliable(&check->tests[i], which), sink);
		sink_print(sink, "} ");
		openmetrics_value(metric_units[which], metric->value, sink);
	}
}

/* --- rules ----------------------------------------------------------------------------------------------- */

enum figure { VALUE, LIMIT, LOWER_LIMIT, BASELINE, FIGURE_COUNT };

static const struct {
	const char *family, *help;
} figures[FIGURE_COUNT] = {
	[VALUE] = {"poolmem_check_value", "what was measured for a rule, in the unit of its metric"},
	[LIMIT] = {"poolmem_check_limit", "what the rule allows"},
	[LOWER_LIMIT] = {"poolmem_check_lower_limit", "what the rule asks for at least"},
	[BASELINE] = {"poolmem_check_baseline", "what was measured for the baseline"},
};

static struct known figure_of(const struct check_rule *rule, enum figure which)
{
	switch (which) {
	case VALUE: return rule->value;
	case LIMIT: return rule->limit;
	case LOWER_LIMIT: return rule->lower_limit;
	default: return rule->baseline;
	}
}

static void put_rule(const struct check_test *test, size_t test_nth, const struct check_rule *rule,
		     size_t nth, enum figure which, struct sink *sink)
{
	struct known value = figure_of(rule, which);

	if (!value.is_known)
		return;
	begin(figures[which].family, test, test_nth, sink);
	sink_print(sink, ",");
	put_label("metric", rule->metric, sink);
	sink_print(sink, ",");
	put_label("rule", rule->text, sink);
	put_nth("rule_nth", nth, sink);
	put_doubt(which != VALUE || (rule->state != CHECK_UNRELIABLE && check_is_measured(test)),
		  sink);
	sink_print(sink, "} ");
	openmetrics_value(rule->unit, value.value, sink);
}

static void put_rules(const struct check *check, const size_t *nth, size_t *const *rule_nth,
		      enum figure which, struct sink *sink)
{
	openmetrics_head(figures[which].family, "gauge", NULL, figures[which].help, sink);
	for (size_t i = 0; i < check->test_count; i++) {
		const struct check_test *test = &check->tests[i];
		for (size_t r = 0; r < test->rule_count; r++)
			put_rule(test, nth[i], &test->rules[r], rule_nth[i][r], which, sink);
	}
}

/* --- states ---------------------------------------------------------------------------------------------- */

static void put_states(const struct check *check, const size_t *nth, struct sink *sink)
{
	static const char family[] = "poolmem_check_state";

	openmetrics_head(family, "stateset", NULL, "how a test came out", sink);
	for (size_t i = 0; i < check->test_count; i++)
		for (size_t state = 0; state < CHECK_STATE_COUNT; state++) {
			begin(family, &check->tests[i], nth[i], sink);
			sink_print(sink, ",%s=\"%s\"} %d\n", family, check_state_keys[state],
				   check->tests[i].state == state);
		}
}

static void put_elapsed(const struct check *check, const size_t *nth, struct sink *sink)
{
	static const char family[] = "poolmem_check_elapsed_seconds";

	openmetrics_head(family, "gauge", "seconds", "how long all runs of a test took", sink);
	for (size_t i = 0; i < check->test_count; i++) {
		uint64_t elapsed = check->tests[i].elapsed_ns;
		begin(family, &check->tests[i], nth[i], sink);
		sink_print(sink, "} ");
		openmetrics_value(UNIT_NS, elapsed < INT64_MAX ? (int64_t)elapsed : INT64_MAX, sink);
	}
}

bool check_openmetrics(const struct check *check, struct sink *sink, struct failure *why)
{
	size_t *nth = number_tests(check);
	size_t **rule_nth = allocate(check->test_count, sizeof *rule_nth);

	(void)why;
	for (size_t i = 0; i < check->test_count; i++)
		rule_nth[i] = number_rules(&check->tests[i]);
	for (enum metric which = 0; which < METRIC_COUNT; which++)
		put_metric(check, nth, which, sink);
	for (enum figure which = 0; which < FIGURE_COUNT; which++)
		put_rules(check, nth, rule_nth, which, sink);
	put_states(check, nth, sink);
	put_elapsed(check, nth, sink);
	sink_print(sink, "# EOF\n");
	for (size_t i = 0; i < check->test_count; i++)
		free(rule_nth[i]);
	free(rule_nth);
	free(nth);
	return true;
}
