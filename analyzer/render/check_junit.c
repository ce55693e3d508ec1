/* SPDX-License-Identifier: MIT */
/*
 * check_junit.c: what a check found, as the XML of JUnit.
 *
 * A suite for each test of the budget; in it a case for the run of its program, and one for each rule.  A rule over its
 * limit is a failure; what could not be measured, or a program that failed, an error; a rule of which nothing was measured
 * is skipped.  Attributes and order of elements suit the schema of Ant and that of Jenkins.
 */
#define _GNU_SOURCE 1

#include "render/check.h"

#include "render/xml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_attribute(const char *name, const char *text, struct sink *sink)
{
	sink_print(sink, " %s=\"", name);
	xml_put(text, 0, sink);
	sink_print(sink, "\"");
}

static void put_count(const char *name, size_t count, struct sink *sink)
{
	sink_print(sink, " %s=\"%zu\"", name, count);
}

static void put_seconds(uint64_t ns, struct sink *sink)
{
	const uint64_t ms = ns / 1000000;

	sink_print(sink, " time=\"%" PRIu64 ".%03" PRIu64 "\"", ms / 1000, ms % 1000);
}

static bool is_failure(const struct check_problem *problem)
{
	return check_problem_state(problem) == CHECK_EXCEEDED;
}

/* Several lines: what is put between has its own line breaks. */
static void put_lines(const char *text, struct sink *sink)
{
	for (; *text; text += *text == '\n') {
		size_t length = 0;
		while (text[length] && text[length] != '\n')
			length++;
		char *line = strndup(text, length);
		xml_put(line, 0, sink);
		free(line);
		text += length;
		if (*text)
			sink_bytes(sink, "\n", 1);
	}
}

static void put_problem(const struct check_problem *problem, struct sink *sink)
{
	const char *element = is_failure(problem) ? "failure" : "error";
	char *text = check_problem_text(problem);

	sink_print(sink, "      <%s", element);
	put_attribute("message", check_problem_why(problem), sink);
	put_attribute("type", check_state_keys[check_problem_state(problem)], sink);
	sink_print(sink, ">");
	put_lines(text, sink);
	sink_print(sink, "</%s>\n", element);
	free(text);
}

static void begin_case(const struct check_test *test, const char *name, uint64_t ns,
		       struct sink *sink)
{
	sink_print(sink, "    <testcase");
	put_attribute("classname", check_test_name(test), sink);
	put_attribute("name", name, sink);
	put_seconds(ns, sink);
}

/* That the program ran and what it did could be measured. */
static void put_program(const struct check_test *test, struct sink *sink)
{
	struct check_problem problem;

	begin_case(test, "(program)", test->elapsed_ns, sink);
	if (!check_test_problem(test, &problem)) {
		sink_print(sink, "/>\n");
		return;
	}
	sink_print(sink, ">\n");
	put_problem(&problem, sink);
	sink_print(sink, "    </testcase>\n");
}

static void put_rule(const struct check_test *test, const struct check_rule *rule, struct sink *sink)
{
	const struct check_problem problem = {test, rule};
	enum check_shown shown = check_rule_shown(rule);

	begin_case(test, *rule->text ? rule->text : rule->metric, 0, sink);
	if (shown == CHECK_SHOWN_PASSED) {
		sink_print(sink, "/>\n");
		return;
	}
	sink_print(sink, ">\n");
	if (shown == CHECK_SHOWN_WRONG)
		put_problem(&problem, sink);
	else
		sink_print(sink, "      <skipped message=\"not measured\"/>\n");
	sink_print(sink, "    </testcase>\n");
}

struct totals {
	size_t tests, failures, errors, skipped;
};

static struct totals count(const struct check_test *test)
{
	struct totals totals = {.tests = 1 + test->rule_count};
	struct check_problem problem;

	if (check_test_problem(test, &problem))
		*(is_failure(&problem) ? &totals.failures : &totals.errors) += 1;
	for (size_t i = 0; i < test->rule_count; i++) {
		problem = (struct check_problem){test, &test->rules[i]};
		enum check_shown shown = check_rule_shown(problem.rule);
		if (shown == CHECK_SHOWN_WRONG)
			*(is_failure(&problem) ? &totals.failures : &totals.errors) += 1;
		totals.skipped += shown == CHECK_SHOWN_UNMEASURED;
	}
	return totals;
}

/* The schema of Ant wants a time, that of Jenkins can do without. */
static void put_timestamp(uint64_t real_ns, struct sink *sink)
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	char text[40];
	struct tm parts;

	if (!real_ns || !gmtime_r(&seconds, &parts) ||
	    !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts))
		return;
	put_attribute("timestamp", text, sink);
}

static bool is_of(const struct check_note *note, const struct check_test *test)
{
	return note->test && strcmp(note->test, test->name) == 0;
}

/* What else to know of it; of all tests with the first. */
static void put_notes(const struct check *check, const struct check_test *test, struct sink *sink)
{
	bool is_first = test == check->tests;
	size_t count = 0;

	for (size_t i = 0; is_first && i < check->difference_count; i++) {
		char *sentence = check_difference(&check->differences[i]);
		sink_print(sink, count++ ? "" : "    <system-out>");
		xml_put(sentence, 0, sink);
		sink_print(sink, ".\n");
		free(sentence);
	}
	for (size_t i = 0; i < check->note_count; i++) {
		const struct check_note *note = &check->notes[i];
		if (!*note->text || (!is_of(note, test) && !(is_first && !note->test)))
			continue;
		sink_print(sink, count++ ? "" : "    <system-out>");
		xml_put(note->text, 0, sink);
		sink_print(sink, ".\n");
	}
	sink_print(sink, count ? "</system-out>\n" : "    <system-out/>\n");
}

static void put_suite(const struct check *check, size_t number, struct sink *sink)
{
	const struct check_test *test = &check->tests[number];
	struct totals totals = count(test);

	sink_print(sink, "  <testsuite");
	put_attribute("name", check_test_name(test), sink);
	put_attribute("package", "poolmem", sink);
	put_count("id", number, sink);
	put_timestamp(check->began_real_ns, sink);
	put_attribute("hostname", "localhost", sink);
	put_count("tests", totals.tests, sink);
	put_count("failures", totals.failures, sink);
	put_count("errors", totals.errors, sink);
	put_count("skipped", totals.skipped, sink);
	put_seconds(test->elapsed_ns, sink);
	sink_print(sink, ">\n    <properties>\n      <property name=\"command\"");
	put_attribute("value", test->command, sink);
	sink_print(sink, "/>\n    </properties>\n");
	put_program(test, sink);
	for (size_t i = 0; i < test->rule_count; i++)
		put_rule(test, &test->rules[i], sink);
	put_notes(check, test, sink);
	sink_print(sink, "    <system-err/>\n  </testsuite>\n");
}

bool check_junit(const struct check *check, struct sink *sink, struct failure *why)
{
	(void)why;
	sink_print(sink, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	for (size_t i = 0; i < check->test_count; i++)
		put_suite(check, i, sink);
	sink_print(sink, "</testsuites>\n");
	return true;
}
