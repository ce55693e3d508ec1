/* SPDX-License-Identifier: MIT */
/* budget.c: see budget.h. */
#define _GNU_SOURCE
#include "study/budget.h"

#include "study/query.h"
#include "text/allocate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES_MAX = 1 << 20,
	PERCENT = 10000, /* millionths */
	MILLION = 1000000,
	FRACTION_DIGITS = 6,
	EXIT_MAX = 255,
};

/* A line of the text, or a rule of the command line. */
struct line {
	const char *name; /* NULL: of the command line */
	const char *begin, *at, *end;
	unsigned number;
	struct failure *why;
};

struct parser {
	struct budget *budget;
	struct budget_test *test;
	struct line line;
};

static unsigned column_of(const struct line *line, const char *at)
{
	return (unsigned)(at - line->begin) + 1;
}

__attribute__((format(printf, 3, 4))) static bool wrong(const struct line *line, const char *at,
							const char *format, ...)
{
	char text[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (!line->name)
		return fail(line->why, FAILURE_USAGE, "%s", text);
	return fail(line->why, FAILURE_USAGE, "%.90s:%u:%u: %s", line->name, line->number,
		    column_of(line, at), text);
}

/* --- words ----------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct line *line)
{
	while (line->at < line->end && is_blank(*line->at))
		line->at++;
}

static char peek(const struct line *line)
{
	return line->at < line->end ? *line->at : 0;
}

static bool is_at_end(struct line *line)
{
	skip_blanks(line);
	return line->at == line->end;
}

/* Letters, digits and what stands in names of metrics. */
static const char *take_key(struct line *line, size_t *ret_bytes)
{
	static const char others[] = "._-";
	const char *from = line->at;

	while (line->at < line->end &&
	       ((*line->at >= 'a' && *line->at <= 'z') || (*line->at >= 'A' && *line->at <= 'Z') ||
		(*line->at >= '0' && *line->at <= '9') || strchr(others, *line->at)))
		line->at++;
	*ret_bytes = (size_t)(line->at - from);
	return from;
}

static bool is_word(const char *word, size_t bytes, const char *text)
{
	return strlen(text) == bytes && memcmp(word, text, bytes) == 0;
}

/* A comment goes on to the end, when a blank stands before it and no quote is open. */
static void cut_comment(struct line *line)
{
	char quote = 0;

	for (const char *at = line->at; at < line->end; at++) {
		bool is_first = at == line->begin || is_blank(at[-1]);
		if (quote != '\'' && *at == '\\' && at + 1 < line->end) {
			at++;
		} else if (quote) {
			quote = *at == quote ? 0 : quote;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (is_first && (*at == '#' || *at == ';')) {
			line->end = at;
			break;
		}
	}
	while (line->end > line->at && is_blank(line->end[-1]))
		line->end--;
}

/* As a shell would read it, of which nothing else is done: no variables, no patterns.  false: a quote stays open. */
static bool take_word(struct line *line, struct keep *keep, char **ret)
{
	char *word = keep_items(keep, (size_t)(line->end - line->at) + 1, 1), *out = word;
	const char *from = line->at;
	char quote = 0;

	for (; line->at < line->end && (quote || !is_blank(*line->at)); line->at++) {
		char c = *line->at;
		if (quote != '\'' && c == '\\' && line->at + 1 < line->end)
			*out++ = *++line->at;
		else if (quote && c == quote)
			quote = 0;
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else
			*out++ = c;
	}
	*ret = word;
	return !quote || wrong(line, from, "the quote %c is not closed", quote);
}

static char *rest_of(struct line *line, struct keep *keep)
{
	skip_blanks(line);
	return keep_bytes(keep, line->at, (size_t)(line->end - line->at));
}

/* --- amounts --------------------------------------------------------------------------------------------- */

struct unit {
	const char *word;
	enum metric_unit of;
	uint64_t times;
};

/* Commas may part digits, as they do in reports. */
static bool take_digits(struct line *line, uint64_t *ret)
{
	const char *from = line->at;
	uint64_t value = 0;

	for (; line->at < line->end; line->at++) {
		char c = *line->at;
		if (c == ',' && line->at > from)
			continue;
		if (c < '0' || c > '9')
			break;
		if (value > (INT64_MAX - 9) / 10)
			return wrong(line, from, "this number is too large");
		value = value * 10 + (uint64_t)(c - '0');
	}
	*ret = value;
	return line->at > from || wrong(line, from, "a number is expected here");
}

/* In millionths; what is beyond is none. */
static bool take_fraction(struct line *line, uint64_t *ret)
{
	uint64_t value = 0, digits = 0;

	*ret = 0;
	if (peek(line) != '.')
		return true;
	const char *from = line->at++;
	for (; peek(line) >= '0' && peek(line) <= '9'; line->at++, digits++)
		if (digits < FRACTION_DIGITS)
			value = value * 10 + (uint64_t)(*line->at - '0');
	if (!digits)
		return wrong(line, from, "digits are expected behind the point");
	for (; digits < FRACTION_DIGITS; digits++)
		value *= 10;
	*ret = value;
	return true;
}

static bool take_unit(struct line *line, enum metric_unit of, uint64_t *ret_times)
{
	static const struct unit units[] = {
		{"B", UNIT_BYTES, 1},
		{"KiB", UNIT_BYTES, 1 << 10},
		{"MiB", UNIT_BYTES, 1 << 20},
		{"GiB", UNIT_BYTES, 1 << 30},
		{"K", UNIT_BYTES, 1 << 10},
		{"M", UNIT_BYTES, 1 << 20},
		{"G", UNIT_BYTES, 1 << 30},
		{"kB", UNIT_BYTES, 1000},
		{"MB", UNIT_BYTES, 1000000},
		{"GB", UNIT_BYTES, 1000000000},
		{"ns", UNIT_NS, 1},
		{"us", UNIT_NS, 1000},
		{"ms", UNIT_NS, 1000000},
		{"s", UNIT_NS, 1000000000},
		{"min", UNIT_NS, UINT64_C(60000000000)},
		{"h", UNIT_NS, UINT64_C(3600000000000)},
		{"k", UNIT_COUNT, 1000},
		{"M", UNIT_COUNT, 1000000},
	};
	static const char *const expected[] = {
		[UNIT_COUNT] = "a count: k or M, or nothing",
		[UNIT_BYTES] = "bytes: B, KiB, MiB, GiB, kB, MB or GB",
		[UNIT_NS] = "a time: ns, us, ms, s, min or h",
		[UNIT_NUMBER] = "a number without a unit",
	};
	size_t bytes;
	const char *word;

	skip_blanks(line);
	*ret_times = 1;
	word = take_key(line, &bytes);
	for (size_t i = 0; bytes && i < sizeof units / sizeof *units; i++)
		if (units[i].of == of && is_word(word, bytes, units[i].word)) {
			*ret_times = units[i].times;
			return true;
		}
	return !bytes || wrong(line, word, "'%.*s' is no unit here; %s",
			       (int)(bytes < 40 ? bytes : 40), word, expected[of]);
}

/* ret_millionths NULL: no share. */
static bool take_amount(struct line *line, enum metric_unit of, int64_t *ret_amount,
			int64_t *ret_millionths)
{
	uint64_t whole = 0, fraction = 0, times = PERCENT, high, low;
	const char *from;

	skip_blanks(line);
	from = line->at;
	if (!take_digits(line, &whole) || !take_fraction(line, &fraction))
		return false;
	skip_blanks(line);
	bool is_share = peek(line) == '%';
	if (is_share && !ret_millionths)
		return wrong(line, line->at, "%% is of a baseline: baseline + 0.5%%");
	if (is_share)
		line->at++;
	else if (!take_unit(line, of, &times))
		return false;
	if (fraction && times == 1)
		return wrong(line, from, "this is no whole number");
	low = (uint64_t)(((unsigned __int128)fraction * times) / MILLION);
	if (__builtin_mul_overflow(whole, times, &high) || high > INT64_MAX - low)
		return wrong(line, from, "this number is too large");
	*(is_share ? ret_millionths : ret_amount) = (int64_t)(high + low);
	return true;
}

/* --- rules ------------------------------------------------------------------------------------------------ */

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
	const char *key = take_key(line, &bytes);

	for (enum metric m = 0; m < METRIC_COUNT; m++)
		if (is_word(key, bytes, metric_keys[m])) {
			*ret = m;
			return m != METRIC_PROCESS_PID ||
			       wrong(line, key, "process.pid is another one in each run");
		}
	return wrong(line, key, "there is no metric or key '%.*s'", (int)(bytes < 60 ? bytes : 60),
		     key);
}

static bool take_relation(struct line *line, enum budget_relation *ret)
{
	skip_blanks(line);
	if (line->end - line->at >= 2 && memcmp(line->at, "<=", 2) == 0)
		*ret = BUDGET_AT_MOST;
	else if (peek(line) == '=')
		*ret = BUDGET_EQUAL;
	else
		return wrong(line, line->at, "<= or = is expected here");
	line->at += *ret == BUDGET_AT_MOST ? 2 : 1;
	return true;
}

/* Behind `baseline`. */
static bool take_tolerance(struct line *line, enum metric_unit unit, struct budget_limit *limit)
{
	bool is_less = false;

	if (is_at_end(line))
		return true;
	if (line->end - line->at >= 2 && memcmp(line->at, "+-", 2) == 0) {
		limit->is_band = true;
		line->at++;
	} else if (peek(line) == '-') {
		is_less = true;
	} else if (peek(line) != '+') {
		return wrong(line, line->at, "+, - or +- is expected behind baseline");
	}
	line->at++;
	if (!take_amount(line, unit, &limit->amount, &limit->millionths))
		return false;
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

	skip_blanks(line);
	rule->limit.is_of_baseline = (size_t)(line->end - line->at) >= bytes &&
				     memcmp(line->at, word, bytes) == 0;
	if (rule->limit.is_of_baseline)
		line->at += bytes;
	if (rule->limit.is_of_baseline ? !take_tolerance(line, unit, &rule->limit)
				       : !take_amount(line, unit, &rule->limit.amount, NULL))
		return false;
	if (rule->limit.is_band && rule->relation != BUDGET_EQUAL)
		return wrong(line, line->at, "baseline +- is for =, not for <=");
	return is_at_end(line) ||
	       wrong(line, line->at, "'%.*s' is too much here",
		     (int)(line->end - line->at > 40 ? 40 : line->end - line->at), line->at);
}

/* `site "NAME"` or `module "NAME"`, if it begins so. */
static bool take_subject(struct parser *parser, struct budget_rule *rule)
{
	struct line *line = &parser->line;
	const char *from = line->at;
	size_t bytes;
	const char *word = take_key(line, &bytes);
	bool is_site = is_word(word, bytes, "site");
	char *name;

	if (!is_site && !is_word(word, bytes, "module")) {
		line->at = from;
		return true;
	}
	skip_blanks(line);
	from = line->at;
	if (!take_word(line, &parser->budget->keep, &name))
		return false;
	if (!*name)
		return wrong(line, from, "which %s?", is_site ? "site" : "module");
	*(is_site ? &rule->site : &rule->module) = name;
	skip_blanks(line);
	return true;
}

static bool is_of_sites(struct line *line, const struct budget_rule *rule, const char *at)
{
	enum site_figure figure;

	return (!rule->site && !rule->module) || budget_site_figure(rule->metric, &figure) ||
	       wrong(line, at, "%s is not known of a single %s", metric_keys[rule->metric],
		     rule->site ? "site" : "module");
}

static bool take_rule(struct parser *parser)
{
	struct line *line = &parser->line;
	struct keep *keep = &parser->budget->keep;
	struct budget_test *test = parser->test;
	const char *from = line->at;
	struct budget_rule rule = {.line = line->name ? line->number : 0,
				   .column = column_of(line, from)};

	if (!take_subject(parser, &rule))
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
	test->rules = allocate_more(test->rules, test->rule_count, &test->rule_room,
				    sizeof *test->rules);
	test->rules[test->rule_count++] = rule;
	return true;
}

/* --- keys -------------------------------------------------------------------------------------------------- */

static bool take_command(struct parser *parser)
{
	struct line *line = &parser->line;
	struct budget_test *test = parser->test;
	struct keep *keep = &parser->budget->keep;
	const char *from = line->at;
	size_t count = 0, room = 0;
	char **argv = NULL, *word;

	test->command = rest_of(line, keep);
	while (!is_at_end(line)) {
		if (!take_word(line, keep, &word)) {
			free(argv);
			return false;
		}
		argv = allocate_more(argv, count + 1, &room, sizeof *argv);
		argv[count++] = word;
		argv[count] = NULL;
	}
	if (argv)
		test->argv = keep_taken(keep, argv);
	return (argv && *argv[0]) || wrong(line, from, "which program?");
}

static bool take_whole(struct line *line, uint64_t least, uint64_t most, uint64_t *ret)
{
	const char *from;

	skip_blanks(line);
	from = line->at;
	if (!take_digits(line, ret))
		return false;
	return (is_at_end(line) && *ret >= least && *ret <= most) ||
	       wrong(line, from, "a number from %llu to %llu is expected here",
		     (unsigned long long)least, (unsigned long long)most);
}

static bool take_timeout(struct line *line, struct budget_test *test)
{
	int64_t ns = 0;
	const char *from = line->at;

	if (!take_amount(line, UNIT_NS, &ns, NULL))
		return false;
	const char last = line->at > from ? line->at[-1] : '0';
	if (!is_at_end(line) || ns <= 0 || (last >= '0' && last <= '9'))
		return wrong(line, from, "a time is expected here, as in 30 s");
	test->timeout_ns = (uint64_t)ns;
	return true;
}

static bool take_exit(struct line *line, struct budget_test *test)
{
	uint64_t code;

	if (!take_whole(line, 0, EXIT_MAX, &code))
		return false;
	test->exit = (int)code;
	return true;
}

static bool take_runs(struct line *line, struct budget_test *test)
{
	uint64_t runs;

	if (!take_whole(line, 2, BUDGET_RUNS_MAX, &runs))
		return false;
	test->runs = runs;
	return true;
}

static char *take_value(struct parser *parser, char **ret)
{
	struct line *line = &parser->line;
	const char *from;

	skip_blanks(line);
	from = line->at;
	if (!take_word(line, &parser->budget->keep, ret))
		return NULL;
	if (!is_at_end(line) || !**ret) {
		wrong(line, from, "one word is expected here; quote it if it has blanks");
		return NULL;
	}
	return *ret;
}

static void add_variable(struct budget_test *test, char *variable)
{
	test->variables = allocate_more(test->variables, test->variable_count, &test->variable_room,
					sizeof *test->variables);
	test->variables[test->variable_count++] = variable;
}

/* `env.NAME = VALUE` */
static bool take_variable(struct parser *parser, const char *name, size_t bytes)
{
	struct keep *keep = &parser->budget->keep;
	char *value;

	if (!bytes)
		return wrong(&parser->line, name, "which variable?");
	if (bytes == strlen("POOLMEM") && memcmp(name, "POOLMEM", bytes) == 0)
		return wrong(&parser->line, name,
			     "POOLMEM cannot be set here: check makes the library's settings");
	skip_blanks(&parser->line);
	if (!take_word(&parser->line, keep, &value))
		return false;
	if (!is_at_end(&parser->line))
		return wrong(&parser->line, parser->line.at,
			     "one word is expected here; quote it if it has blanks");
	add_variable(parser->test, keep_text(keep, "%.*s=%s", (int)bytes, name, value));
	return true;
}

/* `env = NAME` or `env = NAME=VALUE` */
static bool take_environment(struct parser *parser)
{
	char *value;

	if (!take_value(parser, &value))
		return false;
	if (*value == '=')
		return wrong(&parser->line, parser->line.at, "which variable?");
	if (strcmp(value, "POOLMEM") == 0 || strncmp(value, "POOLMEM=", 8) == 0)
		return wrong(&parser->line, parser->line.at,
			     "POOLMEM cannot be set here: check makes the library's settings");
	add_variable(parser->test, value);
	return true;
}

static bool take_suppressions(struct parser *parser)
{
	struct budget_test *test = parser->test;
	char *value;

	if (!take_value(parser, &value))
		return false;
	test->suppressions = allocate_more(test->suppressions, test->suppression_count,
					   &test->suppression_room, sizeof *test->suppressions);
	test->suppressions[test->suppression_count++] = value;
	return true;
}

enum key {
	KEY_NONE,
	KEY_COMMAND,
	KEY_TIMEOUT,
	KEY_EXIT,
	KEY_RUNS,
	KEY_DIRECTORY,
	KEY_ENVIRONMENT,
	KEY_VARIABLE,
	KEY_SUPPRESSIONS
};

static enum key key_of(const char *word, size_t bytes)
{
	static const char *const words[] = {
		[KEY_COMMAND] = "command",
		[KEY_TIMEOUT] = "timeout",
		[KEY_EXIT] = "exit",
		[KEY_RUNS] = "runs",
		[KEY_DIRECTORY] = "directory",
		[KEY_ENVIRONMENT] = "env",
		[KEY_SUPPRESSIONS] = "suppressions",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i] && is_word(word, bytes, words[i]))
			return (enum key)i;
	return bytes >= 4 && memcmp(word, "env.", 4) == 0 ? KEY_VARIABLE : KEY_NONE;
}

static bool take_key_value(struct parser *parser, enum key key, const char *word, size_t bytes)
{
	struct line *line = &parser->line;
	char *value;

	skip_blanks(line);
	if (peek(line) != '=')
		return wrong(line, line->at, "= is expected behind %.*s",
			     (int)(bytes < 60 ? bytes : 60), word);
	line->at++;
	switch (key) {
	case KEY_COMMAND: return take_command(parser);
	case KEY_TIMEOUT: return take_timeout(line, parser->test);
	case KEY_EXIT: return take_exit(line, parser->test);
	case KEY_RUNS: return take_runs(line, parser->test);
	case KEY_ENVIRONMENT: return take_environment(parser);
	case KEY_VARIABLE: return take_variable(parser, word + 4, bytes - 4);
	case KEY_SUPPRESSIONS: return take_suppressions(parser);
	default: break;
	}
	if (!take_value(parser, &value))
		return false;
	parser->test->directory = value;
	return true;
}

/* --- lines --------------------------------------------------------------------------------------------------- */

static bool is_named(const struct budget *budget, const char *name)
{
	for (size_t i = 0; i < budget->count; i++)
		if (strcmp(budget->tests[i].name, name) == 0)
			return true;
	return false;
}

struct budget_test *budget_add_test(struct budget *budget, const char *name)
{
	budget->tests = allocate_more(budget->tests, budget->count, &budget->room,
				      sizeof *budget->tests);
	struct budget_test *test = &budget->tests[budget->count++];
	test->name = keep_text(&budget->keep, "%s", name);
	return test;
}

/* Every test has a command. */
static bool is_whole(const struct parser *parser)
{
	const struct budget_test *test = parser->test;

	return !test || test->argv ||
	       fail(parser->line.why, FAILURE_USAGE, "%.90s:%u:%u: test \"%.100s\" has no command",
		    parser->line.name, test->line, test->column, test->name);
}

/* [test "NAME"] */
static bool take_section(struct parser *parser)
{
	struct line *line = &parser->line;
	const char *from = line->at++;
	size_t bytes;
	char *name;

	if (!is_whole(parser))
		return false;
	if (line->end[-1] != ']')
		return wrong(line, line->end, "] is expected here");
	line->end--;
	skip_blanks(line);
	const char *word = take_key(line, &bytes);
	if (!is_word(word, bytes, "test"))
		return wrong(line, word, "[test \"NAME\"] is the only kind of section");
	skip_blanks(line);
	word = line->at;
	if (!take_word(line, &parser->budget->keep, &name))
		return false;
	if (!*name || !is_at_end(line))
		return wrong(line, word, "a name in quotes is expected here");
	if (is_named(parser->budget, name))
		return wrong(line, word, "there is a test \"%.100s\" already", name);
	parser->test = budget_add_test(parser->budget, name);
	parser->test->line = line->number;
	parser->test->column = column_of(line, from);
	return true;
}

static bool take_line(struct parser *parser)
{
	struct line *line = &parser->line;
	size_t bytes;

	for (const char *at = line->begin; at < line->end; at++)
		if ((unsigned char)*at < ' ' && *at != '\t')
			return wrong(line, at, "a control character (%#x)", (unsigned char)*at);
	skip_blanks(line);
	cut_comment(line);
	if (line->at == line->end)
		return true;
	if (*line->at == '[')
		return take_section(parser);
	if (!parser->test)
		return wrong(line, line->at, "this belongs below a [test \"NAME\"]");
	const char *word = take_key(line, &bytes);
	enum key key = key_of(word, bytes);
	if (key)
		return take_key_value(parser, key, word, bytes);
	line->at = word;
	return take_rule(parser);
}

bool budget_parse(const char *text, size_t byte_count, const char *name, struct budget *ret,
		  struct failure *why)
{
	const char *end = text + byte_count, *next;

	*ret = (struct budget){.count = 0};
	ret->file = keep_text(&ret->keep, "%s", name);
	struct parser parser = {.budget = ret, .line = {.name = ret->file, .why = why}};
	if (byte_count > BYTES_MAX)
		return fail(why, FAILURE_USAGE, "%.300s has more than 1 MiB: no budget", name);
	for (; text < end; text = next) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		next = stop ? stop + 1 : end;
		stop = stop ? stop : end;
		stop -= stop > text && stop[-1] == '\r';
		parser.line.begin = parser.line.at = text;
		parser.line.end = stop;
		parser.line.number++;
		if (!take_line(&parser))
			return false;
	}
	return is_whole(&parser) &&
	       (ret->count ||
		fail(why, FAILURE_USAGE, "%.300s:1:1: no [test \"NAME\"] is in it", name));
}

bool budget_add_rule(struct budget *budget, struct budget_test *test, const char *text,
		     struct failure *why)
{
	struct parser parser = {
		.budget = budget,
		.test = test,
		.line = {.begin = text, .at = text, .end = text + strlen(text), .why = why}};

	skip_blanks(&parser.line);
	cut_comment(&parser.line);
	return take_rule(&parser);
}

bool budget_set(struct budget *budget, struct budget_test *test, const char *key, const char *value,
		struct failure *why)
{
	const char *text = keep_text(&budget->keep, "= %s", value);
	size_t bytes = strlen(key);
	struct parser parser = {
		.budget = budget,
		.test = test,
		.line = {.begin = text, .at = text, .end = text + strlen(text), .why = why}};

	return take_key_value(&parser, key_of(key, bytes), key, bytes);
}

void budget_free(struct budget *budget)
{
	for (size_t i = 0; i < budget->count; i++) {
		free(budget->tests[i].rules);
		free(budget->tests[i].variables);
		free(budget->tests[i].suppressions);
	}
	free(budget->tests);
	keep_free(&budget->keep);
}
