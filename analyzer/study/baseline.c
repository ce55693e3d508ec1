/* SPDX-License-Identifier: MIT */
/* baseline.c: see baseline.h. */
#define _GNU_SOURCE 1
#include "study/baseline.h"

#include "text/allocate.h"
#include "text/escape.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 64 << 20 };

#define FACT_KEY(name, key, words) key,
#define FACT_WORDS(name, key, words) words,
const char *const baseline_fact_keys[BASELINE_FACT_COUNT] = {BASELINE_FACTS(FACT_KEY)};
const char *const baseline_fact_words[BASELINE_FACT_COUNT] = {BASELINE_FACTS(FACT_WORDS)};

bool baseline_keeps(enum metric metric)
{
	static const enum metric others[] = {
		METRIC_RSS_NOW,        METRIC_RSS_PEAK,       METRIC_PROCESS_PID,
		METRIC_PROCESS_EXIT,   METRIC_PROCESS_SIGNAL, METRIC_PROCESS_ELAPSED,
		METRIC_HEAP_TELEMETRY, METRIC_DROPPED_STACKS, METRIC_DROPPED_BLOCKS,
		METRIC_TRUNCATED,
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i] == metric)
			return false;
	return true;
}

static int value_order(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

int64_t baseline_median(const int64_t *runs, size_t run_count)
{
	int64_t sorted[BASELINE_RUNS_MAX];

	memcpy(sorted, runs, run_count * sizeof *sorted);
	qsort(sorted, run_count, sizeof *sorted, value_order);
	return sorted[(run_count - 1) / 2];
}

/* --- tests and values --------------------------------------------------------------------------------------- */

struct baseline_test *baseline_find(const struct baseline *baseline, const char *test)
{
	for (size_t i = 0; baseline && i < baseline->count; i++)
		if (strcmp(baseline->tests[i].name, test) == 0)
			return &baseline->tests[i];
	return NULL;
}

struct baseline_value *baseline_value(const struct baseline_test *test, const char *subject)
{
	for (size_t i = 0; test && i < test->value_count; i++)
		if (strcmp(test->values[i].subject, subject) == 0)
			return &test->values[i];
	return NULL;
}

static int test_order(const void *left, const void *right)
{
	const struct baseline_test *a = left, *b = right;
	return strcmp(a->name, b->name);
}

static void free_test(struct baseline_test *test)
{
	free(test->values);
	ledger_free(&test->ledger);
}

struct baseline_test *baseline_renew(struct baseline *baseline, const char *name)
{
	struct baseline_test *test = baseline_find(baseline, name);

	if (test) {
		free_test(test);
		*test = (struct baseline_test){.name = test->name};
		return test;
	}
	baseline->tests = allocate_more(baseline->tests, baseline->count, &baseline->room,
					sizeof *baseline->tests);
	baseline->tests[baseline->count++] = (struct baseline_test){
		.name = keep_text(&baseline->keep, "%s", name)};
	qsort(baseline->tests, baseline->count, sizeof *baseline->tests, test_order);
	return baseline_find(baseline, name);
}

static int subject_order(const void *left, const void *right)
{
	const struct baseline_value *a = left, *b = right;
	return strcmp(a->subject, b->subject);
}

void baseline_add(struct baseline *baseline, struct baseline_test *test, const char *subject,
		  const int64_t *runs, size_t run_count)
{
	bool is_same = true;

	if (baseline_value(test, subject))
		return;
	test->values = allocate_more(test->values, test->value_count, &test->value_room,
				     sizeof *test->values);
	struct baseline_value *value = &test->values[test->value_count++];
	value->subject = keep_text(&baseline->keep, "%s", subject);
	for (size_t i = 0; i < run_count; i++) {
		value->run[i] = runs[i];
		is_same &= runs[i] == runs[0];
	}
	value->run_count = is_same ? 1 : run_count;
	value->median = baseline_median(runs, run_count);
	qsort(test->values, test->value_count, sizeof *test->values, subject_order);
}

void baseline_free(struct baseline *baseline)
{
	for (size_t i = 0; i < baseline->count; i++)
		free_test(&baseline->tests[i]);
	free(baseline->tests);
	keep_free(&baseline->keep);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

enum { PATH_MOST = 8 };

/* Where one is in the document: keys from the outside in. */
struct reading {
	const char *text, *name;
	const char *path[PATH_MOST];
	size_t depth;
	struct baseline *baseline;
	struct failure *why;
};

static const char *find_key(const char *from, const char *key)
{
	json_t *json = json_string(key);
	char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
	const char *found = quoted ? strstr(from, quoted) : NULL;

	free(quoted);
	json_decref(json);
	return found;
}

/* The parser keeps no places: keys are looked for in their order. */
static void place_of(const struct reading *reading, unsigned *ret_line, unsigned *ret_column)
{
	const char *at = reading->text, *found;

	for (size_t i = 0; i < reading->depth; i++)
		if ((found = find_key(at, reading->path[i])))
			at = found;
	*ret_line = *ret_column = 1;
	for (const char *c = reading->text; c < at; c++) {
		*ret_column = *c == '\n' ? 1 : *ret_column + 1;
		*ret_line += *c == '\n';
	}
}

static bool wrong(const struct reading *reading, const char *what)
{
	unsigned line, column;

	place_of(reading, &line, &column);
	return fail(reading->why, FAILURE_USAGE, "%.200s:%u:%u: %s", reading->name, line, column,
		    what);
}

static struct reading below(const struct reading *reading, const char *key)
{
	struct reading inner = *reading;

	if (inner.depth < PATH_MOST)
		inner.path[inner.depth++] = key;
	return inner;
}

static bool take_runs(const struct reading *reading, const json_t *value, int64_t *runs,
		      size_t *ret_count)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (!count || count > BASELINE_RUNS_MAX)
		return wrong(reading,
			     keep_text(&reading->baseline->keep,
				       "1 to %d numbers are expected here", BASELINE_RUNS_MAX));
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		if (!json_is_integer(one) || json_integer_value(one) < 0)
			return wrong(
				reading,
				"a whole number, not below 0, or a list of such is expected here");
		runs[i] = json_integer_value(one);
	}
	*ret_count = count;
	return true;
}

static bool take_metrics(const struct reading *reading, json_t *metrics, struct baseline_test *test)
{
	int64_t runs[BASELINE_RUNS_MAX];
	const char *key;
	json_t *value;
	size_t count = 0;

	if (!json_is_object(metrics))
		return wrong(reading, "\"metrics\" is expected here: names with a number each");
	json_object_foreach(metrics, key, value)
	{
		struct reading inner = below(reading, key);
		if (!take_runs(&inner, value, runs, &count))
			return false;
		baseline_add(reading->baseline, test, key, runs, count);
	}
	return true;
}

static bool take_facts(const struct reading *reading, const json_t *facts,
		       struct baseline_test *test)
{
	if (facts && !json_is_object(facts))
		return wrong(reading, "names with a text each are expected here");
	for (unsigned i = 0; facts && i < BASELINE_FACT_COUNT; i++) {
		const json_t *value = json_object_get(facts, baseline_fact_keys[i]);
		struct reading inner = below(reading, baseline_fact_keys[i]);
		if (value && !json_is_string(value))
			return wrong(&inner, "a text is expected here");
		if (value)
			test->fact[i] = keep_text(&reading->baseline->keep, "%s",
						  json_string_value(value));
	}
	return true;
}

static const char *text_of(const struct reading *reading, const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return keep_text(&reading->baseline->keep, "%s", text ? text : "");
}

static uint64_t hex_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text ? strtoull(text, NULL, 16) : 0;
}

static bool take_site(const struct reading *reading, const json_t *json, struct ledger *ledger)
{
	if (!json_is_object(json))
		return wrong(reading, "a call site is expected here: names with their values");
	struct ledger_row row = {
		.function = text_of(reading, json, "function"),
		.file = text_of(reading, json, "file"),
		.module = text_of(reading, json, "module"),
		.is_program = json_is_true(json_object_get(json, "program")),
		.line = (unsigned)json_integer_value(json_object_get(json, "line")),
		.names = hex_of(json, "names"),
		.lines = hex_of(json, "lines"),
	};

	for (unsigned i = 0; i < LEDGER_FIGURE_COUNT; i++) {
		const char *key = metric_keys[ledger_metrics[i]];
		const json_t *value = json_object_get(json, key);
		struct reading inner = below(reading, key);
		if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
			return wrong(&inner, "a whole number, not below 0, is expected here");
		row.figure[i] = json_integer_value(value);
	}
	ledger->rows = allocate_more(ledger->rows, ledger->count, &ledger->room, sizeof row);
	ledger->rows[ledger->count++] = row;
	return true;
}

static bool take_sites(const struct reading *reading, const json_t *test, struct ledger *ledger)
{
	const json_t *sites = json_object_get(test, "sites");
	const json_t *by = json_object_get(test, "sites_by");
	const json_t *left_out = json_object_get(test, "sites_left_out");
	size_t count = json_array_size(sites);

	if (sites && !json_is_array(sites))
		return wrong(reading, "a list is expected here");
	ledger->by_function = json_is_string(by) && strcmp(json_string_value(by), "function") == 0;
	ledger->left_out = json_integer_value(left_out) > 0 ? (size_t)json_integer_value(left_out)
							    : 0;
	for (size_t i = 0; i < count; i++)
		if (!take_site(reading, json_array_get(sites, i), ledger))
			return false;
	ledger_sort(ledger);
	return true;
}

static bool take_test(const struct reading *reading, json_t *json, const char *name)
{
	const struct reading at = below(reading, name);

	if (!json_is_object(json))
		return wrong(&at,
			     "a test is expected here: \"environment\", \"metrics\", \"sites\"");
	struct baseline_test *test = baseline_renew(reading->baseline, name);
	const struct reading facts = below(&at, "environment"), metrics = below(&at, "metrics"),
			     sites = below(&at, "sites");
	const json_t *command = json_object_get(json, "command");
	if (json_is_string(command))
		test->command = keep_text(&reading->baseline->keep, "%s",
					  json_string_value(command));
	return take_facts(&facts, json_object_get(json, "environment"), test) &&
	       take_metrics(&metrics, json_object_get(json, "metrics"), test) &&
	       take_sites(&sites, json, &test->ledger);
}

static bool take_whole(const struct reading *reading, const json_t *root)
{
	const struct reading schema_at = below(reading, "schema"), at = below(reading, "tests");
	const json_t *schema = json_object_get(root, "schema");
	json_t *tests = json_object_get(root, "tests"), *test;
	const char *name;

	if (!json_is_integer(schema) || json_integer_value(schema) < 1)
		return wrong(&schema_at, "no baseline of poolmem: \"schema\" is missing");
	if (json_integer_value(schema) > BASELINE_SCHEMA)
		return wrong(&schema_at, "made by a newer poolmem");
	if (!json_is_object(tests))
		return wrong(&at, "no baseline of poolmem: \"tests\" is missing");
	json_object_foreach(tests, name, test)
	{
		if (!take_test(&at, test, name))
			return false;
	}
	return true;
}

bool baseline_parse(const char *text, size_t byte_count, const char *name, struct baseline *ret,
		    struct failure *why)
{
	json_error_t error;

	*ret = (struct baseline){.count = 0};
	if (byte_count > BYTES_MAX)
		return fail(why, FAILURE_USAGE, "%.300s has more than 64 MiB: no baseline", name);
	json_t *root = json_loadb(text, byte_count, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return fail(why, FAILURE_USAGE, "%.200s:%d:%d: %.100s", name,
			    error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 1,
			    error.text);
	/* Text may hold NULs behind what was read: a copy ends at the first. */
	char *copy = keep_bytes(&ret->keep, text, byte_count);
	const struct reading reading = {.text = copy, .name = name, .baseline = ret, .why = why};
	bool done = take_whole(&reading, root);
	json_decref(root);
	return done;
}
