/* SPDX-License-Identifier: MIT */
/* check_json.c: what a check found, for programs: bytes, counts and nanoseconds, a member each. */
#include "render/check.h"
#include "render/json.h"

#include <math.h>

static json_t *known_json(struct known value)
{
	return value.is_known ? json_integer(value.value) : json_null();
}

/* What is not there is "": null. */
static json_t *text_or_null(const char *text)
{
	return json_text(text && *text ? text : NULL);
}

static json_t *cause_json(enum check_cause cause)
{
	return json_text(cause ? check_cause_keys[cause] : NULL);
}

static void put_place(json_t *object, const struct check_place *place)
{
	json_put(object, "file", text_or_null(place->file));
	json_put(object, "line", place->line ? json_count(place->line) : json_null());
	json_put(object, "column", place->column ? json_count(place->column) : json_null());
}

static json_t *texts_json(const char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(texts[i]));
	return array;
}

static json_t *site_json(const struct check_site *site)
{
	json_t *object = json_object();

	json_put(object, "mark", json_text(site->has_before ? diff_mark_keys[site->mark] : NULL));
	json_put(object, "function", text_or_null(site->function));
	json_put(object, "file", text_or_null(site->file));
	json_put(object, "line", site->line ? json_count(site->line) : json_null());
	json_put(object, "module", text_or_null(site->module));
	json_put(object, "before", site->has_before ? json_integer(site->before) : json_null());
	json_put(object, "after", json_integer(site->after));
	json_put(object, "is_estimated", json_boolean(site->is_estimated));
	json_put(object, "stack", texts_json(site->stack, site->stack_count));
	return object;
}

static json_t *runs_json(const struct check_rule *rule)
{
	if (!rule->value.is_known)
		return json_null();
	json_t *object = json_object();
	json_put(object, "count", json_count(rule->run_count));
	json_put(object, "least", json_integer(rule->least));
	json_put(object, "most", json_integer(rule->most));
	json_put(object, "is_stable", json_boolean(rule->is_stable));
	return object;
}

static json_t *rule_json(const struct check_rule *rule)
{
	static const char *const units[] = {"count", "bytes", "ns", "number"};
	json_t *object = json_object(), *sites = json_array();

	json_put(object, "rule", json_text(rule->text));
	json_put(object, "metric", json_text(rule->metric));
	json_put(object, "site", json_text(rule->site));
	json_put(object, "module", json_text(rule->module));
	put_place(object, &rule->place);
	json_put(object, "state", json_text(check_rule_state(rule)));
	json_put(object, "cause", cause_json(rule->cause));
	json_put(object, "why", json_text(rule->why));
	json_put(object, "remedy", text_or_null(rule->remedy));
	json_put(object, "unit", json_text(units[rule->unit]));
	json_put(object, "value", known_json(rule->value));
	json_put(object, "lower_limit", known_json(rule->lower_limit));
	json_put(object, "limit", known_json(rule->limit));
	json_put(object, "baseline", known_json(rule->baseline));
	json_put(object, "runs", runs_json(rule));
	json_put(object, "tolerance_millionths", known_json(rule->tolerance));
	json_put(object, "p", rule->p >= 0 && isfinite(rule->p) ? json_real(rule->p) : json_null());
	for (size_t i = 0; i < rule->site_count; i++)
		json_array_append_new(sites, site_json(&rule->sites[i]));
	json_put(object, "sites", sites);
	json_put(object, "sites_more", json_count(rule->site_more));
	return object;
}

/* Of what was measured: the median; of what differed, between what; what it was. */
static void put_metrics(json_t *object, const struct check_test *test)
{
	json_t *values = json_object(), *spread = json_object(), *baseline = json_object();

	for (size_t i = 0; i < test->metric_count; i++) {
		const struct check_metric *metric = &test->metrics[i];
		const char *key = metric_keys[metric->metric];
		json_put(values, key, json_integer(metric->value));
		if (!metric->is_stable) {
			json_t *range = json_object();
			json_put(range, "least", json_integer(metric->least));
			json_put(range, "most", json_integer(metric->most));
			json_put(spread, key, range);
		}
		if (metric->baseline.is_known)
			json_put(baseline, key, json_integer(metric->baseline.value));
	}
	json_put(object, "metrics", values);
	json_put(object, "spread", spread);
	json_put(object, "baseline_metrics", baseline);
}

static json_t *process_json(const struct check_process *process)
{
	json_t *object = json_object();

	json_put(object, "exe", json_text(process->name));
	json_put(object, "pid", json_integer(process->pid));
	json_put(object, "ppid", process->parent ? json_integer(process->parent) : json_null());
	json_put(object, "metrics", json_metrics(&process->metrics));
	return object;
}

static void put_outcome(json_t *object, const struct check_test *test)
{
	json_put(object, "state", json_text(check_state_keys[test->state]));
	json_put(object, "cause", cause_json(test->cause));
	json_put(object, "why", text_or_null(test->why));
	json_put(object, "exit", known_json(test->exit_status));
	json_put(object, "signal", known_json(test->signal));
	json_put(object, "timed_out", json_boolean(test->timed_out));
	json_put(object, "run_count", json_count(test->run_count));
	json_put(object, "elapsed_ns", json_count(test->elapsed_ns));
	json_put(object, "capture", text_or_null(test->capture));
}

static size_t argument_count(const struct check_test *test)
{
	size_t count = 0;

	while (test->argv && test->argv[count])
		count++;
	return count;
}

static json_t *test_json(const struct check_test *test)
{
	json_t *object = json_object(), *rules = json_array(), *processes = json_array();

	json_put(object, "name", json_text(test->name));
	json_put(object, "command", json_text(test->command));
	json_put(object, "argv", texts_json(test->argv, argument_count(test)));
	json_put(object, "directory", text_or_null(test->directory));
	put_place(object, &test->place);
	put_outcome(object, test);
	put_metrics(object, test);
	for (size_t i = 0; i < test->rule_count; i++)
		json_array_append_new(rules, rule_json(&test->rules[i]));
	json_put(object, "rules", rules);
	for (size_t i = 0; i < test->process_count; i++)
		json_array_append_new(processes, process_json(&test->processes[i]));
	json_put(object, "processes", processes);
	return object;
}

static json_t *counts_json(const struct check *check)
{
	json_t *object = json_object();

	for (size_t state = 0; state < CHECK_STATE_COUNT; state++)
		json_put(object, check_state_keys[state], json_count(check->counts[state]));
	return object;
}

static json_t *differences_json(const struct check *check)
{
	json_t *array = json_array();

	for (size_t i = 0; i < check->difference_count; i++) {
		const struct check_difference *difference = &check->differences[i];
		json_t *object = json_object();
		json_put(object, "what", json_text(difference->what));
		json_put(object, "then", json_text(difference->then));
		json_put(object, "now", json_text(difference->now));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *notes_json(const struct check *check)
{
	json_t *array = json_array();

	for (size_t i = 0; i < check->note_count; i++) {
		json_t *object = json_object();
		json_put(object, "test", json_text(check->notes[i].test));
		json_put(object, "text", json_text(check->notes[i].text));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *changes_json(const struct check_written *written)
{
	json_t *array = json_array();

	for (size_t i = 0; i < written->change_count; i++) {
		const struct check_change *change = &written->changes[i];
		json_t *object = json_object();
		json_put(object, "test", json_text(change->test));
		json_put(object, "metric", json_text(change->subject));
		json_put(object, "then", json_integer(change->then));
		json_put(object, "now", json_integer(change->now));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *written_json(const struct check_written *written)
{
	if (!written->file)
		return json_null();
	json_t *object = json_object();
	json_put(object, "file", json_text(written->file));
	json_put(object, "how", json_text(written->is_ratchet ? "ratchet" : "update"));
	json_put(object, "tests", texts_json(written->tests, written->test_count));
	json_put(object, "changes", changes_json(written));
	return object;
}

bool check_json(const struct check *check, struct sink *sink, struct failure *why)
{
	struct json_stream stream;

	(void)why;
	json_stream_begin(&stream, sink);
	json_stream_member(&stream, "schema", json_integer(JSON_SCHEMA));
	json_stream_member(&stream, "state", json_text(check_state_keys[check->state]));
	json_stream_member(&stream, "exit_code", json_integer(check_state_codes[check->state]));
	json_stream_member(&stream, "counts", counts_json(check));
	json_stream_member(&stream, "budget", json_text(check->budget));
	json_stream_member(&stream, "baseline", json_text(check->baseline));
	json_stream_member(&stream, "began_ns",
			   check->began_real_ns ? json_count(check->began_real_ns) : json_null());
	json_stream_member(&stream, "elapsed_ns", json_count(check->elapsed_ns));
	json_stream_member(&stream, "differences", differences_json(check));
	json_stream_member(&stream, "notes", notes_json(check));
	json_stream_member(&stream, "written", written_json(&check->written));
	json_stream_array(&stream, "tests");
	for (size_t i = 0; i < check->test_count; i++)
		json_stream_element(&stream, test_json(&check->tests[i]));
	json_stream_array_end(&stream);
	json_stream_end(&stream);
	return true;
}
