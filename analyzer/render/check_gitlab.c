/* SPDX-License-Identifier: MIT */
/*
 * check_gitlab.c: what a check found, as GitLab's code quality report: an array, an object for each problem.
 *
 * A fingerprint tells a problem from the same one of another run, so it is made of names alone: figures, lines and sites
 * change while the problem stays.
 */
#include "render/check.h"
#include "render/json.h"
#include "text/allocate.h"
#include "text/buffer.h"
#include "text/escape.h"
#include "text/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char project[] = "CI_PROJECT_DIR";

struct problems {
	struct check_problem *list;
	size_t count, room;
};

static struct problems find(const struct check *check)
{
	struct problems problems = {.list = NULL};
	struct check_walk walk = {.test = 0};
	struct check_problem problem;

	while (check_walk_next(&walk, check, &problem)) {
		problems.list = allocate_more(problems.list, problems.count, &problems.room,
					      sizeof *problems.list);
		problems.list[problems.count++] = problem;
	}
	return problems;
}

static void add(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text) + 1);
}

/* The end of each part belongs to it. */
static char *key_of(const struct check_problem *problem)
{
	struct buffer buffer = {.data = NULL};
	char *file = check_path(problem->test->place.file, project);
	size_t bytes;

	add(&buffer, file);
	add(&buffer, problem->test->name);
	add(&buffer, problem->rule ? problem->rule->text : "");
	for (size_t i = 0; i + 1 < buffer.bytes; i++)
		if (!buffer.data[i])
			buffer.data[i] = '\n';
	free(file);
	return buffer_take(&buffer, &bytes);
}

static json_t *fingerprint_json(const char *key, size_t nth)
{
	char text[40];

	snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, hash_word(hash_text(1, key), nth),
		 hash_word(hash_text(2, key), nth));
	return json_text(text);
}

static const char *severity_of(enum check_state state)
{
	static const char *const severities[CHECK_STATE_COUNT] = {
		[CHECK_PASSED] = "info",      [CHECK_EXCEEDED] = "major",
		[CHECK_UNRELIABLE] = "minor", [CHECK_FAILED] = "critical",
		[CHECK_INVALID] = "blocker",
	};
	return severities[state];
}

/* A path and a line must be there, whatever is known. */
static json_t *location_json(const struct check *check, const struct check_problem *problem)
{
	struct check_spot spot = check_problem_spot(problem, project);
	json_t *location = json_object(), *lines = json_object();
	char *budget = check_path(check->budget ? check->budget : "", project);
	const char *path = *spot.path ? spot.path : *budget ? budget : ".";

	json_put(location, "path", json_text(path));
	json_put(lines, "begin", json_count(spot.line ? spot.line : 1));
	json_put(location, "lines", lines);
	free(budget);
	free(spot.path);
	return location;
}

/* One line: a sentence, and the first of those that own the difference. */
static json_t *description_json(const struct check_problem *problem)
{
	const struct check_rule *rule = problem->rule;
	struct buffer buffer = {.data = NULL};
	size_t bytes;
	char *shown;

	const char *parts[] = {check_test_name(problem->test), ": ", check_problem_why(problem)};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		buffer_add(&buffer, parts[i], strlen(parts[i]));
	if (rule && rule->site_count) {
		char *name = check_site(&rule->sites[0]);
		char *change = check_site_change(rule, &rule->sites[0]);
		const char *stop = check_is_sentence(parts[2]) ? " " : ". ";
		const char *more[] = {stop, name, ": ", change};
		for (size_t i = 0; i < sizeof more / sizeof *more; i++)
			buffer_add(&buffer, more[i], strlen(more[i]));
		free(name);
		free(change);
	}
	char *text = buffer_take(&buffer, &bytes);
	json_t *json = json_text(shown = escape_text(text));
	free(shown);
	free(text);
	return json;
}

static json_t *problem_json(const struct check *check, const struct check_problem *problem,
			    json_t *fingerprint)
{
	json_t *object = json_object();

	json_put(object, "description", description_json(problem));
	json_put(object, "check_name", json_text(problem->rule ? problem->rule->metric : "program"));
	json_put(object, "fingerprint", fingerprint);
	json_put(object, "severity", json_text(severity_of(check_problem_state(problem))));
	json_put(object, "location", location_json(check, problem));
	return object;
}

static const struct check_test *test_of(const struct check *check, const char *name)
{
	for (size_t i = 0; i < check->test_count; i++)
		if (strcmp(check->tests[i].name, name) == 0)
			return &check->tests[i];
	return NULL;
}

/* As of a problem: the test, and a sentence. */
static char *note_text(const struct check_test *test, const struct check_note *note)
{
	const char *parts[] = {check_test_name(test), ": ", note->text};
	struct buffer buffer = {.data = NULL};
	size_t bytes;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		buffer_add(&buffer, parts[i], strlen(parts[i]));
	return buffer_take(&buffer, &bytes);
}

/* What else to know of a test, where the test stands. */
static void put_notes(const struct check *check, json_t *array)
{
	for (size_t i = 0; i < check->note_count; i++) {
		const struct check_note *note = &check->notes[i];
		const struct check_test *test = note->test ? test_of(check, note->test) : NULL;
		if (!test || !*note->text)
			continue;
		const struct check_problem problem = {test, NULL};
		json_t *object = json_object();
		char *text = note_text(test, note), *shown = escape_text(text);
		json_put(object, "description", json_text(shown));
		json_put(object, "check_name", json_text("note"));
		json_put(object, "fingerprint", fingerprint_json(text, 0));
		json_put(object, "severity", json_text("info"));
		json_put(object, "location", location_json(check, &problem));
		json_array_append_new(array, object);
		free(shown);
		free(text);
	}
}

bool check_gitlab(const struct check *check, struct sink *sink, struct failure *why)
{
	struct problems problems = find(check);
	char **keys = allocate(problems.count, sizeof *keys);
	json_t *array = json_array();

	(void)why;
	for (size_t i = 0; i < problems.count; i++)
		keys[i] = key_of(&problems.list[i]);
	size_t *nth = check_nth((const char *const *)keys, problems.count);
	for (size_t i = 0; i < problems.count; i++) {
		json_array_append_new(array, problem_json(check, &problems.list[i],
							  fingerprint_json(keys[i], nth[i])));
		free(keys[i]);
	}
	put_notes(check, array);
	json_print(array, sink);
	free(nth);
	free(keys);
	free(problems.list);
	return true;
}
