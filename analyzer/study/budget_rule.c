/* SPDX-License-Identifier: MIT */
/* budget_rule.c: see budget_rule.h. */
#include "study/budget_rule.h"

#include "study/budget_line.h"

#include <string.h>

enum { MILLION = 1000000 };

bool budget_site_figure(enum metric metric, enum site_figure *ret)
{
	static const struct {
		enum metric metric;
		enum site_figure figure;
	} of[] = {
		{METRIC_ALLOC_COUNT, SITE_ALLOCATED},
		{METRIC_ALLOC_BYTES, SITE_ALLOCATED_BYTES},
		{METRIC_ALLOC_REQUESTED, SITE_REQUESTED_BYTES},
		{METRIC_FREE_COUNT, SITE_FREED},
		{METRIC_FREE_BYTES, SITE_FREED_BYTES},
		{METRIC_FREE_REMOTE, SITE_REMOTE},
		{METRIC_REALLOC_MOVED, SITE_MOVED},
		{METRIC_LIVE_BLOCKS, SITE_LIVE},
		{METRIC_LIVE_BYTES, SITE_LIVE_BYTES},
		{METRIC_LIVE_PEAK, SITE_PEAK_BYTES},
		{METRIC_LEAK_BLOCKS, SITE_LEAKED},
		{METRIC_LEAK_BYTES, SITE_LEAKED_BYTES},
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		if (of[i].metric == metric) {
			*ret = of[i].figure;
			return true;
		}
	return false;
}

bool budget_is_of_leaks(enum metric metric)
{
	return metric == METRIC_LEAK_BLOCKS || metric == METRIC_LEAK_BYTES;
}

static int64_t saturated(__int128 value)
{
	return value > INT64_MAX ? INT64_MAX : value < 0 ? 0 : (int64_t)value;
}

static __int128 tolerance_of(const struct budget_limit *limit, int64_t baseline)
{
	return ((__int128)baseline * limit->millionths) / MILLION + limit->amount;
}

int64_t budget_highest(const struct budget_rule *rule, int64_t baseline)
{
	const struct budget_limit *limit = &rule->limit;

	return limit->is_of_baseline ? saturated(baseline + tolerance_of(limit, baseline))
				     : limit->amount;
}

int64_t budget_lowest(const struct budget_rule *rule, int64_t baseline)
{
	const struct budget_limit *limit = &rule->limit;

	return limit->is_band ? saturated(baseline - tolerance_of(limit, baseline))
			      : budget_highest(rule, baseline);
}

static bool take_metric(struct line *line, enum metric *ret)
{
	size_t bytes;
	const char *key = line_key(line, &bytes);

	for (enum metric m = 0; m < METRIC_COUNT; m++)
		if (line_is_word(key, bytes, metric_keys[m])) {
			*ret = m;
			return m != METRIC_PROCESS_PID ||
			       line_wrong(line, key, "process.pid is another one in each run");
		}
	return line_wrong(line, key, "there is no metric or key '%.*s'",
			  (int)(bytes < 60 ? bytes : 60), key);
}

static bool take_relation(struct line *line, enum budget_relation *ret)
{
	line_skip_blanks(line);
	if (line->end - line->at >= 2 && memcmp(line->at, "<=", 2) == 0)
		*ret = BUDGET_AT_MOST;
	else if (line_peek(line) == '=')
		*ret = BUDGET_EQUAL;
	else
		return line_wrong(line, line->at, "<= or = is expected here");
	line->at += *ret == BUDGET_AT_MOST ? 2 : 1;
	return true;
}

/* Behind `baseline`. */
static bool take_tolerance(struct line *line, enum metric_unit unit, struct budget_limit *limit)
{
	bool is_less = false;

	if (line_is_at_end(line))
		return true;
	if (line->end - line->at >= 2 && memcmp(line->at, "+-", 2) == 0) {
		limit->is_band = true;
		line->at++;
	} else if (line_peek(line) == '-') {
		is_less = true;
	} else if (line_peek(line) != '+') {
		return line_wrong(line, line->at, "+, - or +- is expected behind baseline");
	}
	line->at++;
	line_skip_blanks(line);
	const char *amount = line->at;
	if (!line_amount(line, unit, &limit->amount, &limit->millionths))
		return false;
	if (is_less && limit->millionths > MILLION)
		return line_wrong(line, amount,
				  "more than 100%% less than the baseline can never be kept");
	if (is_less) {
		limit->amount = -limit->amount;
		limit->millionths = -limit->millionths;
	}
	return true;
}

static bool take_limit(struct line *line, struct budget_rule *rule)
{
	static const char word[] = "baseline";
	size_t bytes = sizeof word - 1;
	enum metric_unit unit = metric_units[rule->metric];

	line_skip_blanks(line);
	rule->limit.is_of_baseline = (size_t)(line->end - line->at) >= bytes &&
				     memcmp(line->at, word, bytes) == 0;
	if (rule->limit.is_of_baseline)
		line->at += bytes;
	if (rule->limit.is_of_baseline ? !take_tolerance(line, unit, &rule->limit)
				       : !line_amount(line, unit, &rule->limit.amount, NULL))
		return false;
	if (rule->limit.is_band && rule->relation != BUDGET_EQUAL)
		return line_wrong(line, line->at, "baseline +- is for =, not for <=");
	return line_is_at_end(line) ||
	       line_wrong(line, line->at,
			  "'%.*s' is too much here: a limit is one number, with a unit or none",
			  (int)(line->end - line->at > 40 ? 40 : line->end - line->at), line->at);
}

/* `site "NAME"` or `module "NAME"`, if it begins so. */
static bool take_subject(struct line *line, struct keep *keep, struct budget_rule *rule)
{
	const char *from = line->at;
	size_t bytes;
	const char *word = line_key(line, &bytes);
	bool is_site = line_is_word(word, bytes, "site");
	char *name;

	if (!is_site && !line_is_word(word, bytes, "module")) {
		line->at = from;
		return true;
	}
	line_skip_blanks(line);
	from = line->at;
	if (!line_word(line, keep, &name))
		return false;
	if (!*name)
		return line_wrong(line, from, "which %s?", is_site ? "site" : "module");
	*(is_site ? &rule->site : &rule->module) = name;
	line_skip_blanks(line);
	return true;
}

static bool is_of_sites(struct line *line, const struct budget_rule *rule, const char *at)
{
	enum site_figure figure;

	return (!rule->site && !rule->module) || budget_site_figure(rule->metric, &figure) ||
	       line_wrong(line, at, "%s is not known of a single %s", metric_keys[rule->metric],
			  rule->site ? "site" : "module");
}

bool budget_rule_take(struct line *line, struct keep *keep, struct budget_rule *ret)
{
	const char *from = line->at;
	struct budget_rule rule = {.line = line->name ? line->number : 0,
				   .column = line_column(line, from)};

	if (!take_subject(line, keep, &rule))
		return false;
	const char *metric = line->at;
	if (!take_metric(line, &rule.metric) || !is_of_sites(line, &rule, metric))
		return false;
	const char *name = rule.site ? rule.site : rule.module;
	rule.subject = name ? keep_text(keep, "%s \"%s\" %s", rule.site ? "site" : "module", name,
					metric_keys[rule.metric])
			    : metric_keys[rule.metric];
	if (!take_relation(line, &rule.relation) || !take_limit(line, &rule))
		return false;
	rule.text = keep_bytes(keep, from, (size_t)(line->end - from));
	*ret = rule;
	return true;
}
