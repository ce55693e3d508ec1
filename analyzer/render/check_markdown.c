/* SPDX-License-Identifier: MIT */
/*
 * check_markdown.c: what a check found, for a pull request: a table of all tests, then of each that is not within its
 * budget the rules, and folded away who owns the difference.
 */
#include "render/check.h"
#include "render/markdown.h"

#include <stdlib.h>

/* A sentence as an item of a list; NULL: none. */
static void put_item(const char *sentence, struct sink *sink)
{
	if (!sentence || !*sentence)
		return;
	sink_print(sink, "- ");
	markdown_put(sentence, sink);
	sink_print(sink, "\n");
}

static void put_cell(const char *text, struct sink *sink)
{
	sink_print(sink, " ");
	markdown_put(text, sink);
	sink_print(sink, " |");
}

static void put_code_cell(const char *text, struct sink *sink)
{
	sink_print(sink, " ");
	markdown_code(text, sink);
	sink_print(sink, " |");
}

static void put_known_cell(enum metric_unit unit, struct known value, struct sink *sink)
{
	put_cell(value.is_known ? check_figure(unit, value.value).text : "", sink);
}

/* --- sites ----------------------------------------------------------------------------------------------- */

static void put_stack(const struct check_site *site, struct sink *sink)
{
	for (size_t i = 0; i < site->stack_count; i++) {
		sink_print(sink, i ? "<br>" : "");
		markdown_code(site->stack[i], sink);
	}
	sink_print(sink, " |\n");
}

static void put_site(const struct check_rule *rule, const struct check_site *site, struct sink *sink)
{
	const struct known before = {site->has_before, site->before}, after = {true, site->after};
	char *name = check_site(site);

	sink_print(sink, "|");
	put_cell(site->has_before ? diff_mark_keys[site->mark] : "", sink);
	put_cell(site->has_before ? check_change(rule->unit, site->before, site->after).text : "",
		 sink);
	put_known_cell(rule->unit, before, sink);
	put_known_cell(rule->unit, after, sink);
	put_code_cell(name, sink);
	sink_print(sink, " ");
	put_stack(site, sink);
	free(name);
}

static void put_sites(const struct check_rule *rule, struct sink *sink)
{
	if (!rule->site_count)
		return;
	sink_print(sink, "\n<details><summary>Call sites of ");
	markdown_code(rule->metric, sink);
	sink_print(sink, "</summary>\n\n");
	sink_print(sink, "| | change | before | after | call site | stack |\n");
	sink_print(sink, "| --- | ---: | ---: | ---: | --- | --- |\n");
	for (size_t i = 0; i < rule->site_count; i++)
		put_site(rule, &rule->sites[i], sink);
	if (rule->site_more)
		sink_print(sink, "\nand %s\n", number_of(rule->site_more, "further site").text);
	sink_print(sink, "\n</details>\n");
}

/* --- rules ----------------------------------------------------------------------------------------------- */

static void put_rule_row(const struct check_rule *rule, struct sink *sink)
{
	char *place = check_place(&rule->place);

	sink_print(sink, "|");
	put_code_cell(*rule->text ? rule->text : rule->metric, sink);
	put_cell(check_rule_state(rule), sink);
	put_known_cell(rule->unit, rule->value, sink);
	put_known_cell(rule->unit, rule->limit, sink);
	put_known_cell(rule->unit, rule->baseline, sink);
	put_code_cell(place, sink);
	sink_print(sink, "\n");
	free(place);
}

static bool is_wrong(const struct check_rule *rule)
{
	return check_rule_shown(rule) == CHECK_SHOWN_WRONG;
}

static void put_rules(const struct check_test *test, struct sink *sink)
{
	size_t shown = 0;

	for (size_t i = 0; i < test->rule_count; i++) {
		if (!is_wrong(&test->rules[i]))
			continue;
		if (!shown++)
			sink_print(sink, "\n| rule | state | measured | limit | baseline | where |\n"
					 "| --- | --- | ---: | ---: | ---: | --- |\n");
		put_rule_row(&test->rules[i], sink);
	}
}

static void put_sentences(const struct check_test *test, struct sink *sink)
{
	sink_print(sink, "\n");
	for (size_t i = 0; i < test->rule_count; i++) {
		const struct check_rule *rule = &test->rules[i];
		char *spread = is_wrong(rule) ? check_spread(rule) : NULL;
		if (is_wrong(rule)) {
			put_item(rule->why, sink);
			put_item(spread, sink);
			put_item(rule->remedy, sink);
		}
		free(spread);
	}
}

/* --- tests ----------------------------------------------------------------------------------------------- */

static size_t count_wrong(const struct check_test *test)
{
	size_t count = 0;

	for (size_t i = 0; i < test->rule_count; i++)
		count += is_wrong(&test->rules[i]);
	return count;
}

static void put_test_row(const struct check_test *test, struct sink *sink)
{
	bool has_passed = test->state == CHECK_PASSED;

	sink_print(sink, has_passed ? "|" : "| **");
	sink_print(sink, has_passed ? " %s |" : "%s** |", check_state_keys[test->state]);
	put_code_cell(check_test_name(test), sink);
	sink_print(sink, " %s |", number_count(test->rule_count).text);
	sink_print(sink, " %s |", number_count(count_wrong(test)).text);
	sink_print(sink, " %s |", number_count(test->run_count).text);
	sink_print(sink, " %s |\n", number_duration(test->elapsed_ns).text);
}

static void put_tests(const struct check *check, struct sink *sink)
{
	if (!check->test_count)
		return;
	sink_print(sink, "\n| | test | rules | not kept | runs | time |\n"
			 "| --- | --- | ---: | ---: | ---: | ---: |\n");
	for (size_t i = 0; i < check->test_count; i++)
		put_test_row(&check->tests[i], sink);
}

static void put_test(const struct check_test *test, struct sink *sink)
{
	sink_print(sink, "\n#### ");
	markdown_code(check_test_name(test), sink);
	sink_print(sink, ": %s\n\n", check_test_words(test));
	markdown_code(test->command, sink);
	sink_print(sink, "\n");
	if (test->why && *test->why) {
		sink_print(sink, "\n");
		put_item(test->why, sink);
	}
	put_rules(test, sink);
	put_sentences(test, sink);
	for (size_t i = 0; i < test->rule_count; i++)
		if (is_wrong(&test->rules[i]))
			put_sites(&test->rules[i], sink);
}

/* --- the whole ------------------------------------------------------------------------------------------- */

static void put_notes(const struct check *check, struct sink *sink)
{
	char *written = check_written(check);
	size_t walk = 0;

	sink_print(sink, "\n");
	for (size_t i = 0; i < check->difference_count; i++) {
		sink_print(sink, "- The baseline was made with another ");
		markdown_put(check->differences[i].what, sink);
		sink_print(sink, ": ");
		markdown_code(check->differences[i].then, sink);
		sink_print(sink, " then, ");
		markdown_code(check->differences[i].now, sink);
		sink_print(sink, " now.\n");
	}
	for (char *note; (note = check_note_next(check, &walk)); free(note))
		put_item(note, sink);
	put_item(written, sink);
	free(written);
}

bool check_markdown(const struct check *check, struct sink *sink, struct failure *why)
{
	enum check_cause walk = CHECK_CAUSE_NONE;
	char *counted = check_counted(check), *title = check_title(check);
	const char *advice;

	(void)why;
	sink_print(sink, "### poolmem check: %s\n\n", title);
	sink_print(sink, "%s.", counted);
	while ((advice = check_next(check, &walk)))
		sink_print(sink, " %s", advice);
	sink_print(sink, "\n");
	put_tests(check, sink);
	for (size_t i = 0; i < check->test_count; i++)
		if (check->tests[i].state != CHECK_PASSED)
			put_test(&check->tests[i], sink);
	if (check->difference_count || check->note_count || check->written.file)
		put_notes(check, sink);
	free(title);
	free(counted);
	return true;
}
