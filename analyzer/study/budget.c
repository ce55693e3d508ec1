/* SPDX-License-Identifier: MIT */
/* budget.c: see budget.h.  Sections, keys and the lines they stand in; rules are budget_rule's. */
#define _GNU_SOURCE
#include "study/budget.h"

#include "study/budget_line.h"
#include "text/allocate.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 20, EXIT_MAX = 255 };

struct parser {
	struct budget *budget;
	struct budget_test *test;
	struct line line;
};

/* --- keys ------------------------------------------------------------------------------------------------- */

static bool take_command(struct parser *parser)
{
	struct line *line = &parser->line;
	struct budget_test *test = parser->test;
	struct keep *keep = &parser->budget->keep;
	const char *from = line->at;
	size_t count = 0, room = 0;
	char **argv = NULL, *word;

	test->command = line_rest(line, keep);
	while (!line_is_at_end(line)) {
		if (!line_word(line, keep, &word)) {
			free(argv);
			return false;
		}
		argv = allocate_more(argv, count + 1, &room, sizeof *argv);
		argv[count++] = word;
		argv[count] = NULL;
	}
	if (argv)
		test->argv = keep_taken(keep, argv);
	return (argv && *argv[0]) || line_wrong(line, from, "which program?");
}

static bool take_whole(struct line *line, uint64_t least, uint64_t most, uint64_t *ret)
{
	const char *from;

	line_skip_blanks(line);
	from = line->at;
	if (!line_digits(line, ret))
		return false;
	return (line_is_at_end(line) && *ret >= least && *ret <= most) ||
	       line_wrong(line, from, "a number from %llu to %llu is expected here",
			  (unsigned long long)least, (unsigned long long)most);
}

/* With a unit or in seconds. */
static bool take_time(struct line *line, uint64_t *ret_ns)
{
	int64_t ns = 0;
	const char *from;

	line_skip_blanks(line);
	from = line->at;
	if (!line_time(line, &ns))
		return false;
	if (!line_is_at_end(line) || ns <= 0)
		return line_wrong(
			line, from,
			"a time above 0 is expected here: seconds, or as in 500 ms or 2 min");
	*ret_ns = (uint64_t)ns;
	return true;
}

/* SIGSEGV: the signal; 0: there is no such. */
static int signal_of(const char *word, size_t bytes)
{
	for (int number = 1; number < NSIG; number++) {
		const char *name = sigabbrev_np(number);
		if (name && bytes == 3 + strlen(name) && memcmp(word, "SIG", 3) == 0 &&
		    memcmp(word + 3, name, bytes - 3) == 0)
			return number;
	}
	return 0;
}

static bool take_signal(struct line *line, struct budget_test *test)
{
	size_t bytes;
	const char *word = line_key(line, &bytes);
	int number = signal_of(word, bytes);

	if (!number || !line_is_at_end(line))
		return line_wrong(line, word, "the name of a signal is expected here, as SIGSEGV");
	test->signal = number;
	test->exit = 0;
	return true;
}

bool budget_time(const char *text, uint64_t *ret_ns, struct failure *why)
{
	struct line line = {.begin = text, .at = text, .end = text + strlen(text), .why = why};

	return take_time(&line, ret_ns);
}

static bool take_exit(struct line *line, struct budget_test *test)
{
	uint64_t code;

	line_skip_blanks(line);
	if (line_peek(line) == 'S')
		return take_signal(line, test);
	if (!take_whole(line, 0, EXIT_MAX, &code))
		return false;
	test->exit = (int)code;
	test->signal = 0;
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

	line_skip_blanks(line);
	from = line->at;
	if (!line_word(line, &parser->budget->keep, ret))
		return NULL;
	if (!line_is_at_end(line) || !**ret) {
		line_wrong(line, from, "one word is expected here; quote it if it has blanks");
		return NULL;
	}
	return *ret;
}

/* NAME=VALUE or NAME; one of the same name goes. */
static void add_variable(struct budget_test *test, char *variable)
{
	size_t bytes = strcspn(variable, "=");

	for (size_t i = 0; i < test->variable_count; i++)
		if (strcspn(test->variables[i], "=") == bytes &&
		    memcmp(test->variables[i], variable, bytes) == 0) {
			test->variables[i] = variable;
			return;
		}
	test->variables = allocate_more(test->variables, test->variable_count, &test->variable_room,
					sizeof *test->variables);
	test->variables[test->variable_count++] = variable;
}

/* The library's settings are made by who runs the test. */
static bool is_free(const struct line *line, const char *at, const char *name, size_t bytes)
{
	if (!bytes)
		return line_wrong(line, at, "which variable?");
	return !line_is_word(name, bytes, "POOLMEM") ||
	       line_wrong(line, at,
			  "POOLMEM cannot be set here: check makes the library's settings");
}

/* `env.NAME = VALUE` */
static bool take_variable(struct parser *parser, const char *name, size_t bytes)
{
	struct keep *keep = &parser->budget->keep;
	char *value;

	if (!is_free(&parser->line, name, name, bytes))
		return false;
	line_skip_blanks(&parser->line);
	if (!line_word(&parser->line, keep, &value))
		return false;
	if (!line_is_at_end(&parser->line))
		return line_wrong(&parser->line, parser->line.at,
				  "one word is expected here; quote it if it has blanks");
	add_variable(parser->test, keep_text(keep, "%.*s=%s", (int)bytes, name, value));
	return true;
}

/* `env = NAME` or `env = NAME=VALUE` */
static bool take_environment(struct parser *parser)
{
	const char *from;
	char *value;

	line_skip_blanks(&parser->line);
	from = parser->line.at;
	if (!take_value(parser, &value) || !is_free(&parser->line, from, value, strcspn(value, "=")))
		return false;
	add_variable(parser->test, value);
	return true;
}

/* One more of those that a test can have several of. */
static void add_text(char ***list, size_t *count, size_t *room, char *text)
{
	*list = allocate_more(*list, *count, room, sizeof **list);
	(*list)[(*count)++] = text;
}

static bool take_another(struct parser *parser, char ***list, size_t *count, size_t *room)
{
	char *value;

	if (!take_value(parser, &value))
		return false;
	add_text(list, count, room, value);
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
	KEY_SUPPRESSIONS,
	KEY_UNRECORDED
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
		[KEY_UNRECORDED] = "unrecorded",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i] && line_is_word(word, bytes, words[i]))
			return (enum key)i;
	return bytes >= 4 && memcmp(word, "env.", 4) == 0 ? KEY_VARIABLE : KEY_NONE;
}

static bool take_key_value(struct parser *parser, enum key key, const char *word, size_t bytes)
{
	struct budget_test *test = parser->test;
	struct line *line = &parser->line;
	char *value;

	line_skip_blanks(line);
	if (line_peek(line) != '=')
		return line_wrong(line, line->at, "= is expected behind %.*s",
				  (int)(bytes < 60 ? bytes : 60), word);
	line->at++;
	switch (key) {
	case KEY_COMMAND: return take_command(parser);
	case KEY_TIMEOUT: return take_time(line, &parser->test->timeout_ns);
	case KEY_EXIT: return take_exit(line, parser->test);
	case KEY_RUNS: return take_runs(line, parser->test);
	case KEY_ENVIRONMENT: return take_environment(parser);
	case KEY_VARIABLE: return take_variable(parser, word + 4, bytes - 4);
	case KEY_SUPPRESSIONS:
		return take_another(parser, &test->suppressions, &test->suppression_count,
				    &test->suppression_room);
	case KEY_UNRECORDED:
		return take_another(parser, &test->unrecorded, &test->unrecorded_count,
				    &test->unrecorded_room);
	default: break;
	}
	if (!take_value(parser, &value))
		return false;
	parser->test->directory = value;
	return true;
}

/* --- lines --------------------------------------------------------------------------------------------------- */

struct budget_test *budget_find(const struct budget *budget, const char *name)
{
	for (size_t i = 0; i < budget->count; i++)
		if (strcmp(budget->tests[i].name, name) == 0)
			return &budget->tests[i];
	return NULL;
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
	       fail(parser->line.why, FAILURE_USAGE,
		    "%.90s:%u:%u: test \"%.100s\" has no command" BUDGET_SEE, parser->line.name,
		    test->line, test->column, test->name);
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
		return line_wrong(line, line->end, "] is expected here");
	line->end--;
	line_skip_blanks(line);
	const char *word = line_key(line, &bytes);
	if (!line_is_word(word, bytes, "test"))
		return line_wrong(line, word, "[test \"NAME\"] is the only kind of section");
	line_skip_blanks(line);
	word = line->at;
	if (!line_word(line, &parser->budget->keep, &name))
		return false;
	if (!*name || !line_is_at_end(line))
		return line_wrong(line, word, "a name in quotes is expected here");
	if (budget_find(parser->budget, name))
		return line_wrong(line, word, "there is a test \"%.100s\" already", name);
	parser->test = budget_add_test(parser->budget, name);
	parser->test->line = line->number;
	parser->test->column = line_column(line, from);
	return true;
}

static bool take_rule(struct parser *parser)
{
	struct budget_test *test = parser->test;
	struct budget_rule rule;

	if (!budget_rule_take(&parser->line, &parser->budget->keep, &rule))
		return false;
	test->rules = allocate_more(test->rules, test->rule_count, &test->rule_room,
				    sizeof *test->rules);
	test->rules[test->rule_count++] = rule;
	return true;
}

static bool take_line(struct parser *parser)
{
	struct line *line = &parser->line;
	size_t bytes;

	for (const char *at = line->begin; at < line->end; at++)
		if ((unsigned char)*at < ' ' && *at != '\t')
			return line_wrong(line, at, "a control character (%#x)", (unsigned char)*at);
	line_skip_blanks(line);
	line_cut_comment(line);
	if (line->at == line->end)
		return true;
	if (*line->at == '[')
		return take_section(parser);
	if (!parser->test)
		return line_wrong(line, line->at, "this belongs below a [test \"NAME\"]");
	const char *word = line_key(line, &bytes);
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
	       (ret->count || fail(why, FAILURE_USAGE,
				   "%.300s:1:1: no [test \"NAME\"] is in it" BUDGET_SEE, name));
}

bool budget_add_rule(struct budget *budget, struct budget_test *test, const char *text,
		     struct failure *why)
{
	struct parser parser = {.budget = budget,
				.test = test,
				.line = {.is_rule = true,
					 .begin = text,
					 .at = text,
					 .end = text + strlen(text),
					 .why = why}};

	line_skip_blanks(&parser.line);
	line_cut_comment(&parser.line);
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

bool budget_add_variable(struct budget *budget, struct budget_test *test, const char *text,
			 struct failure *why)
{
	char *variable = keep_text(&budget->keep, "%s", text);
	struct line line = {.why = why};

	if (!is_free(&line, NULL, variable, strcspn(variable, "=")))
		return false;
	add_variable(test, variable);
	return true;
}

void budget_add_unrecorded(struct budget *budget, struct budget_test *test, const char *pattern)
{
	add_text(&test->unrecorded, &test->unrecorded_count, &test->unrecorded_room,
		 keep_text(&budget->keep, "%s", pattern));
}

void budget_free(struct budget *budget)
{
	for (size_t i = 0; i < budget->count; i++) {
		free(budget->tests[i].rules);
		free(budget->tests[i].variables);
		free(budget->tests[i].suppressions);
		free(budget->tests[i].unrecorded);
	}
	free(budget->tests);
	keep_free(&budget->keep);
}
