/* SPDX-License-Identifier: MIT */
/* check.c: what the reports of a check have in common. */
#define _GNU_SOURCE 1

#include "render/check.h"

#include "study/alike.h"
#include "text/allocate.h"
#include "text/buffer.h"
#include "text/escape.h"
#include "text/intern.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- formats --------------------------------------------------------------------------------------------- */

#define FORMAT_NAME(name, readers) #name,
static const char *const names[] = {CHECK_FORMATS(FORMAT_NAME)};
#undef FORMAT_NAME
#define FORMAT_WRITER(name, readers) check_##name,
static check_writer *const writers[] = {CHECK_FORMATS(FORMAT_WRITER)};
#undef FORMAT_WRITER

enum { FORMAT_COUNT = sizeof names / sizeof *names };

static bool refuse(const char *option, struct failure *why)
{
	char all[160] = "";

	for (size_t i = 0; i < FORMAT_COUNT; i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
			 !i                      ? ""
			 : i + 1 == FORMAT_COUNT ? " or "
						 : ", ",
			 names[i]);
	return fail(why, FAILURE_USAGE, "--report takes FORMAT=FILE, not '%.100s'; formats are %s",
		    option, all);
}

bool check_report_parse(const char *option, struct check_report *ret, struct failure *why)
{
	const char *equals = strchr(option, '=');

	if (!equals || !equals[1])
		return refuse(option, why);
	for (size_t i = 0; i < FORMAT_COUNT; i++) {
		if (strlen(names[i]) != (size_t)(equals - option) ||
		    strncmp(names[i], option, strlen(names[i])) != 0)
			continue;
		*ret = (struct check_report){writers[i], equals + 1};
		return true;
	}
	return refuse(option, why);
}

bool check_report_write(const struct check_report *report, const struct check *check,
			struct failure *why)
{
	const char *path = strcmp(report->path, "-") == 0 ? NULL : report->path;
	struct failure ignored = {FAILURE_NONE, ""};
	struct sink sink;

	if (!sink_open(&sink, path, why))
		return false;
	if (!path) /* other reports may follow there */
		sink.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	bool is_whole = report->write(check, &sink, why);
	return sink_close(&sink, is_whole ? why : &ignored) && is_whole;
}

/* --- figures --------------------------------------------------------------------------------------------- */

static uint64_t distance(int64_t before, int64_t after)
{
	return after > before ? (uint64_t)after - (uint64_t)before
			      : (uint64_t)before - (uint64_t)after;
}

static struct number with_sign(char sign, struct number number)
{
	struct number result;

	snprintf(result.text, sizeof result.text, "%c%.46s", sign, number.text);
	return result;
}

static struct number magnitude(enum metric_unit unit, uint64_t value)
{
	switch (unit) {
	case UNIT_BYTES: return number_bytes(value);
	case UNIT_NS: return number_duration(value);
	default: return number_count(value);
	}
}

struct number check_figure(enum metric_unit unit, int64_t value)
{
	struct number number = magnitude(unit, distance(0, value));
	return value < 0 ? with_sign('-', number) : number;
}

struct number check_exactly(enum metric_unit unit, int64_t value)
{
	struct number result;

	snprintf(result.text, sizeof result.text, "%.30s%s", number_signed(value).text,
		 unit == UNIT_BYTES && value == 1 ? " byte"
		 : unit == UNIT_BYTES             ? " bytes"
		 : unit == UNIT_NS                ? " ns"
						  : "");
	return result;
}

struct number check_change(enum metric_unit unit, int64_t before, int64_t after)
{
	struct number number = magnitude(unit, distance(before, after));

	if (before == after)
		return number;
	return with_sign(after > before ? '+' : '-', number);
}

struct number check_share(int64_t millionths)
{
	/* tenths of a percent are thousands of millionths */
	uint64_t tenths = millionths > 0 ? ((uint64_t)millionths + 999) / 1000 : 0;
	struct number result;

	snprintf(result.text, sizeof result.text, "%" PRIu64 ".%" PRIu64 " %%", tenths / 10,
		 tenths % 10);
	return result;
}

/* --- words ----------------------------------------------------------------------------------------------- */

static char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	return length < 0 ? allocate(1, 1) : text;
}

static void add(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

static char *taken(struct buffer *buffer)
{
	size_t bytes;
	char *text = buffer_take(buffer, &bytes);

	return text ? text : allocate(1, 1);
}

enum check_shown check_rule_shown(const struct check_rule *rule)
{
	bool is_due_to_test = rule->state == CHECK_PASSED || rule->state == CHECK_FAILED ||
			      (rule->state == CHECK_UNRELIABLE && rule->cause == CHECK_CAUSE_NONE);

	if (!rule->value.is_known && is_due_to_test)
		return CHECK_SHOWN_UNMEASURED;
	return rule->state == CHECK_PASSED ? CHECK_SHOWN_PASSED : CHECK_SHOWN_WRONG;
}

const char *check_rule_state(const struct check_rule *rule)
{
	return check_rule_shown(rule) == CHECK_SHOWN_UNMEASURED ? "unmeasured"
								: check_state_keys[rule->state];
}

bool check_is_measured(const struct check_test *test)
{
	return test->cause == CHECK_CAUSE_NONE;
}

const char *check_test_name(const struct check_test *test)
{
	return *test->name ? test->name : "(no name)";
}

char *check_place(const struct check_place *place)
{
	if (place->is_default)
		return format("default rules");
	if (!*place->file)
		return format("command line");
	return place->line ? format("%s:%u", place->file, place->line) : format("%s", place->file);
}

char *check_site(const struct check_site *site)
{
	const char *function = *site->function                 ? site->function
			       : site->label && *site->label   ? site->label
			       : site->module && *site->module ? site->module
							       : "(not known)";

	if (*site->file && site->line)
		return format("%s at %s:%u", function, site->file, site->line);
	return *site->file ? format("%s at %s", function, site->file) : format("%s", function);
}

char *check_spread(const struct check_rule *rule)
{
	struct buffer buffer = {.data = NULL};
	char *range;

	if (rule->is_stable || !rule->value.is_known)
		return NULL;
	range = format("between %s and %s in %s", check_exactly(rule->unit, rule->least).text,
		       check_exactly(rule->unit, rule->most).text,
		       number_of(rule->run_count, "run").text);
	add(&buffer, range);
	free(range);
	if (rule->tolerance.is_known) {
		add(&buffer, "; a tolerance of ");
		add(&buffer, check_share(rule->tolerance.value).text);
		add(&buffer, " would hold them");
	}
	return taken(&buffer);
}

char *check_counted(const struct check *check)
{
	struct buffer buffer = {.data = NULL};

	if (!check->test_count)
		return format("No test was run: %s", check_state_words[check->state]);
	add(&buffer, number_of(check->test_count, "test").text);
	for (size_t state = 0, shown = 0; state < CHECK_STATE_COUNT; state++) {
		if (!check->counts[state])
			continue;
		add(&buffer, shown++ ? ", " : ": ");
		add(&buffer, number_count(check->counts[state]).text);
		add(&buffer, " ");
		add(&buffer, check_state_keys[state]);
	}
	return taken(&buffer);
}

/* --- how it came out ---------------------------------------------------------------------------------------- */

static const char *invalid_words(enum check_cause cause)
{
	switch (cause) {
	case CHECK_CAUSE_NO_PROGRAM: return "its command cannot be run";
	case CHECK_CAUSE_NO_BASELINE: return "it has no baseline";
	case CHECK_CAUSE_CAPTURE: return "the capture has no baseline for it";
	default: return check_state_words[CHECK_INVALID];
	}
}

const char *check_test_words(const struct check_test *test)
{
	enum check_cause cause = test->cause;

	if (test->state != CHECK_INVALID)
		return check_state_words[test->state];
	for (size_t i = 0; !cause && i < test->rule_count; i++)
		if (test->rules[i].state == CHECK_INVALID)
			cause = test->rules[i].cause;
	return invalid_words(cause);
}

/* Those of all tests that came out so, if they have the same. */
static const char *worst_words(const struct check *check)
{
	const char *words = NULL;

	for (size_t i = 0; i < check->test_count; i++) {
		if (check->tests[i].state != check->state)
			continue;
		const char *own = check_test_words(&check->tests[i]);
		if (words && strcmp(words, own) != 0)
			return check_state_words[check->state];
		words = own;
	}
	return words ? words : check_state_words[check->state];
}

char *check_title(const struct check *check)
{
	const char *words = worst_words(check);

	if (check->state == CHECK_PASSED || check->test_count < 2)
		return format("%s", words);
	return format("%s of %s: %s", number_count(check->counts[check->state]).text,
		      number_of(check->test_count, "test").text, words);
}

char *check_written(const struct check *check)
{
	const struct check_written *written = &check->written;

	if (!written->file)
		return NULL;
	if (written->is_ratchet && written->passed_count && !written->test_count)
		return format("baseline %s: nothing to lower", written->file);
	return format("baseline %s: %s %s", written->file,
		      number_of(written->test_count, "test").text,
		      written->is_ratchet ? "taken, where better or new" : "written");
}

/* --- what else to know ---------------------------------------------------------------------------------------- */

static bool is_same_note(const struct check_note *note, const struct check_note *other)
{
	return !note->test == !other->test && strcmp(note->text, other->text) == 0;
}

static bool was_said(const struct check *check, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_same_note(&check->notes[i], &check->notes[index]))
			return true;
	return false;
}

/* `test "a"`, `tests "a", "b" and 3 more`, `each test` */
static char *note_tests(const struct check *check, size_t index)
{
	enum { NAMES_MAX = 5 };
	struct buffer buffer = {.data = NULL};
	size_t count = 0;

	for (size_t i = index; i < check->note_count; i++) {
		const struct check_note *note = &check->notes[i];
		if (!is_same_note(note, &check->notes[index]) || count++ >= NAMES_MAX)
			continue;
		add(&buffer, count == 1 ? " \"" : ", \"");
		add(&buffer, note->test);
		add(&buffer, "\"");
	}
	if (count > NAMES_MAX) {
		add(&buffer, " and ");
		add(&buffer, number_count(count - NAMES_MAX).text);
		add(&buffer, " more");
	}
	char *names = taken(&buffer);
	char *text = count > 1 && count == check->test_count
			     ? format("each test")
			     : format("test%s%s", count > 1 ? "s" : "", names);
	free(names);
	return text;
}

char *check_note_next(const struct check *check, size_t *walk)
{
	while (*walk < check->note_count) {
		size_t index = (*walk)++;
		const struct check_note *note = &check->notes[index];
		if (!*note->text || was_said(check, index))
			continue;
		if (!note->test)
			return format("%s", note->text);
		char *tests = note_tests(check, index);
		char *text = format("%s: %s", tests, note->text);
		free(tests);
		return text;
	}
	return NULL;
}

/* --- what to do ----------------------------------------------------------------------------------------------- */

static bool came_up(const struct check *check, enum check_cause cause)
{
	for (size_t i = 0; i < check->test_count; i++) {
		const struct check_test *test = &check->tests[i];
		if (test->state != CHECK_PASSED && test->cause == cause)
			return true;
		for (size_t k = 0; k < test->rule_count; k++)
			if (test->rules[k].cause == cause &&
			    check_rule_shown(&test->rules[k]) == CHECK_SHOWN_WRONG)
				return true;
	}
	return false;
}

const char *check_next(const struct check *check, enum check_cause *walk)
{
	while (++*walk < CHECK_CAUSE_COUNT)
		if (came_up(check, *walk))
			return check_cause_advice[*walk];
	return NULL;
}

char *check_difference(const struct check_difference *difference)
{
	return format("The baseline was made with another %s: %s then, %s now", difference->what,
		      difference->then, difference->now);
}

/* --- places ---------------------------------------------------------------------------------------------- */

/* Without "." and ".." and doubled slashes; of an absolute path. */
static void normalise(char *path)
{
	char *end = path;

	for (char *at = path; *at;) {
		size_t slashes = strspn(at, "/"), length = strcspn(at + slashes, "/");
		const char *part = at + slashes;
		bool is_up = length == 2 && strncmp(part, "..", 2) == 0;
		at += slashes + length;
		if (!length || (length == 1 && *part == '.'))
			continue;
		if (is_up) {
			while (end > path && *--end != '/')
				;
			continue;
		}
		*end++ = '/';
		memmove(end, part, length);
		end += length;
	}
	*end = 0;
}

/* NULL: there is no working directory. */
static char *absolute(const char *path)
{
	char *directory = *path == '/' ? NULL : getcwd(NULL, 0);

	if (*path != '/' && !directory)
		return NULL;
	char *whole = format("%s/%s", directory ? directory : "", path);
	free(directory);
	normalise(whole);
	return whole;
}

/* NULL: it does not lie there.  Lets go of the folder. */
static const char *below_folder(const char *path, char *folder)
{
	size_t length = folder ? strlen(folder) : 0;
	bool is_below = folder && strncmp(path, folder, length) == 0 && path[length] == '/';

	free(folder);
	return is_below ? path + length + 1 : NULL;
}

/* What is left of it below the root, whose name may be a link; NULL: it does not lie there. */
static const char *below(const char *path, const char *variable)
{
	const char *named = getenv(variable), *root = named && *named == '/' ? named : ".";
	const char *rest = below_folder(path, absolute(root));

	return rest ? rest : below_folder(path, realpath(root, NULL));
}

char *check_path(const char *path, const char *variable)
{
	char *whole = *path ? absolute(path) : NULL;
	const char *rest = whole ? below(whole, variable) : NULL;
	char *result = format("%s", rest ? rest : path);

	free(whole);
	return result;
}

static bool is_file_below(const char *path, const char *variable)
{
	char *whole = *path ? absolute(path) : NULL;
	struct stat status;
	bool is_there = whole && below(whole, variable) && stat(whole, &status) == 0 &&
			S_ISREG(status.st_mode);

	free(whole);
	return is_there;
}

struct check_spot check_problem_spot(const struct check_problem *problem, const char *variable)
{
	const struct check_rule *rule = problem->rule;
	const struct check_place *place = rule ? &rule->place : &problem->test->place;

	for (size_t i = 0; rule && i < rule->site_count; i++)
		if (rule->sites[i].line && is_file_below(rule->sites[i].file, variable))
			return (struct check_spot){check_path(rule->sites[i].file, variable),
						   rule->sites[i].line};
	if (!*place->file)
		place = &problem->test->place;
	return (struct check_spot){check_path(place->file, variable), place->line};
}

/* --- problems -------------------------------------------------------------------------------------------- */

static bool has_wrong_rule(const struct check_test *test)
{
	for (size_t i = 0; i < test->rule_count; i++)
		if (check_rule_shown(&test->rules[i]) == CHECK_SHOWN_WRONG)
			return true;
	return false;
}

bool check_test_problem(const struct check_test *test, struct check_problem *ret)
{
	bool has_words = test->why && *test->why;

	if (test->state == CHECK_PASSED || (!has_words && has_wrong_rule(test)))
		return false;
	*ret = (struct check_problem){test, NULL};
	return true;
}

static bool next_rule(struct check_walk *walk, const struct check_test *test,
		      struct check_problem *ret)
{
	while (walk->rule < test->rule_count) {
		const struct check_rule *rule = &test->rules[walk->rule++];
		if (check_rule_shown(rule) != CHECK_SHOWN_WRONG)
			continue;
		*ret = (struct check_problem){test, rule};
		return true;
	}
	return false;
}

bool check_walk_next(struct check_walk *walk, const struct check *check, struct check_problem *ret)
{
	for (; walk->test < check->test_count; *walk = (struct check_walk){.test = walk->test + 1}) {
		const struct check_test *test = &check->tests[walk->test];
		bool was_inside = walk->is_inside;
		walk->is_inside = true;
		if (!was_inside && check_test_problem(test, ret))
			return true;
		if (next_rule(walk, test, ret))
			return true;
	}
	return false;
}

enum check_state check_problem_state(const struct check_problem *problem)
{
	return problem->rule ? problem->rule->state : problem->test->state;
}

char *check_problem_title(const struct check_problem *problem)
{
	enum check_state state = check_problem_state(problem);
	const struct check_rule *rule = problem->rule;

	return format("%s: %s%s%s", check_test_name(problem->test), rule ? rule->metric : "",
		      rule ? " " : "", check_state_keys[state]);
}

const char *check_problem_why(const struct check_problem *problem)
{
	const char *why = problem->rule ? problem->rule->why : problem->test->why;

	return why && *why ? why : check_state_words[check_problem_state(problem)];
}

bool check_is_sentence(const char *text)
{
	size_t length = strlen(text);

	return length && strchr(".?!", text[length - 1]);
}

static void add_line(struct buffer *buffer, const char *lead, const char *text)
{
	char *shown = text && *text ? escape_text(text) : NULL;

	if (!shown)
		return;
	add(buffer, buffer->bytes ? "\n" : "");
	add(buffer, lead);
	add(buffer, shown);
	free(shown);
}

char *check_site_change(const struct check_rule *rule, const struct check_site *site)
{
	const char *sure = site->is_estimated ? " (estimated)" : "";

	if (!site->has_before)
		return format("has %s%s", check_figure(rule->unit, site->after).text, sure);
	return format("%s %s: %s before, %s after%s", diff_mark_keys[site->mark],
		      check_change(rule->unit, site->before, site->after).text,
		      check_figure(rule->unit, site->before).text,
		      check_figure(rule->unit, site->after).text, sure);
}

/* Calls that tell it from others that are called the same. */
static void add_apart(struct buffer *buffer, const struct check_rule *rule, size_t index)
{
	const struct check_site *site = &rule->sites[index];
	size_t call = alike_next(rule->sites, rule->site_count, index, 0);

	for (; call < site->stack_count;
	     call = alike_next(rule->sites, rule->site_count, index, call + 1))
		add_line(buffer, "  < ", site->stack[call]);
}

static void add_sites(struct buffer *buffer, const struct check_rule *rule)
{
	for (size_t i = 0; i < rule->site_count; i++) {
		char *name = check_site(&rule->sites[i]);
		char *change = check_site_change(rule, &rule->sites[i]);
		add_line(buffer, "- ", name);
		add_apart(buffer, rule, i);
		add_line(buffer, "  ", change);
		free(name);
		free(change);
	}
	if (rule->site_count && rule->site_more)
		add_line(buffer, "- and ", number_of(rule->site_more, "further site").text);
}

char *check_problem_text(const struct check_problem *problem)
{
	const struct check_rule *rule = problem->rule;
	struct buffer buffer = {.data = NULL};

	add_line(&buffer, "", check_problem_why(problem));
	if (!rule) {
		add_line(&buffer, "$ ", problem->test->command);
		return taken(&buffer);
	}
	char *spread = check_spread(rule), *place = check_place(&rule->place);
	add_line(&buffer, "rule: ", rule->text);
	add_line(&buffer, "in: ", place);
	add_line(&buffer, "", spread);
	add_line(&buffer, "", rule->remedy);
	add_sites(&buffer, rule);
	free(spread);
	free(place);
	return taken(&buffer);
}

size_t *check_nth(const char *const *keys, size_t count)
{
	struct interned names = {.list = NULL};
	size_t *nth = allocate(count, sizeof *nth), *seen = allocate(count, sizeof *seen);

	for (size_t i = 0; i < count; i++)
		nth[i] = seen[intern(&names, keys[i])]++;
	interned_free(&names);
	free(seen);
	return nth;
}
