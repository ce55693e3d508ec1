/* SPDX-License-Identifier: MIT */
/*
 * check_text.c: what a check found, for people: a line for each test, below it each rule that is not kept and who owns the
 * difference; at the end how it came out and what to do next.
 */
#include "render/check.h"
#include "study/alike.h"
#include "text/escape.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdlib.h>
#include <string.h>

enum {
	COLUMNS_DEFAULT = 80,
	COLUMNS_MIN = 40,
	STATE_COLUMNS = 10, /* "unreliable" */
	NAME_COLUMNS = 32,
	SITE_MOST = 5,
	STACK_MOST = 4,
	RULE_INDENT = 4,
	FACT_INDENT = 6,
	SITE_INDENT = 8,
};

static void put_blanks(size_t count, struct sink *sink)
{
	sink_print(sink, "%*s", (int)count, "");
}

static void begin(size_t indent, struct sink *sink)
{
	paragraph_begin(sink, indent);
	put_blanks(indent, sink);
}

/* Takes the folders out of "parse (/usr/src/x/load.c:12)" or "parse at /usr/src/x/load.c:12". */
static void drop_folders(char *text)
{
	char *slash = strrchr(text, '/'), *from = slash;

	while (from > text && from[-1] != ' ' && from[-1] != '(')
		from--;
	if (slash)
		memmove(from, slash + 1, strlen(slash + 1) + 1);
}

/* One line, without folders where it is too long, and cut where the terminal ends: names of C++ know no bounds. */
static void put_line(size_t indent, const char *lead, const char *text, struct sink *sink)
{
	size_t columns = sink->columns ? sink->columns : COLUMNS_DEFAULT;
	char *shown = escape_text(text);

	columns = (columns > COLUMNS_MIN ? columns : COLUMNS_MIN) - indent - strlen(lead);
	if (text_columns(shown) > columns)
		drop_folders(shown);
	text_cut(shown, columns);
	put_blanks(indent, sink);
	sink_print(sink, "%s%s\n", lead, shown);
	free(shown);
}

/* A sentence of the check's, with a full stop whether it came with one or not. */
static void say(size_t indent, const char *sentence, struct sink *sink)
{
	if (!sentence || !*sentence)
		return;
	begin(indent, sink);
	sink_name(sink, sentence, 0);
	sink_print(sink, check_is_sentence(sentence) ? "\n" : ".\n");
}

/* --- sites ----------------------------------------------------------------------------------------------- */

/* The innermost call is the site itself, unless it is one that only passes allocations on. */
static bool is_site_itself(const struct check_site *site, const char *call)
{
	const char *name = *site->function || !site->label ? site->function : site->label;
	size_t length = strlen(name);

	return length && strncmp(call, name, length) == 0 &&
	       (call[length] == 0 || strncmp(call + length, " (", 2) == 0);
}

static void put_more(size_t calls, struct sink *sink)
{
	if (!calls)
		return;
	put_blanks(SITE_INDENT + 2, sink);
	sink_print(sink, "< %s more\n", number_of(calls, "call").text);
}

/* The first few, and those that tell it from others that are called the same. */
static void put_stack(const struct check_rule *rule, size_t index, struct sink *sink)
{
	const struct check_site *site = &rule->sites[index];
	size_t first = site->stack_count && is_site_itself(site, site->stack[0]), hidden = 0;
	size_t telling = alike_next(rule->sites, rule->site_count, index, first + STACK_MOST);

	for (size_t i = first; i < site->stack_count; i++) {
		if (i >= first + STACK_MOST && i != telling) {
			hidden++;
			continue;
		}
		put_more(hidden, sink);
		hidden = 0;
		put_line(SITE_INDENT + 2, "< ", site->stack[i], sink);
		if (i == telling)
			telling = alike_next(rule->sites, rule->site_count, index, i + 1);
	}
	put_more(hidden, sink);
}

static void put_site(const struct check_rule *rule, size_t index, struct sink *sink)
{
	const struct check_site *site = &rule->sites[index];
	char *name = check_site(site), *change = check_site_change(rule, site);

	begin(FACT_INDENT, sink);
	sink_print(sink, "%s\n", change);
	put_line(SITE_INDENT, "", name, sink);
	put_stack(rule, index, sink);
	free(name);
	free(change);
}

static void put_sites(const struct check_rule *rule, struct sink *sink)
{
	size_t shown = rule->site_count < SITE_MOST ? rule->site_count : SITE_MOST;
	size_t more = rule->site_count - shown + rule->site_more;

	for (size_t i = 0; i < shown; i++)
		put_site(rule, i, sink);
	if (more && shown) {
		put_blanks(FACT_INDENT, sink);
		sink_print(sink, "and %s\n", number_of(more, "further site").text);
	}
}

/* --- rules ----------------------------------------------------------------------------------------------- */

static void put_rule(const struct check_rule *rule, struct sink *sink)
{
	char *place = check_place(&rule->place), *spread = check_spread(rule);

	begin(RULE_INDENT, sink);
	sink_name(sink, *rule->text ? rule->text : rule->metric, 0);
	sink_print(sink, "  (");
	sink_name(sink, place, 0);
	sink_print(sink, ")\n");
	say(FACT_INDENT, rule->why, sink);
	say(FACT_INDENT, spread, sink);
	say(FACT_INDENT, rule->remedy, sink);
	put_sites(rule, sink);
	free(spread);
	free(place);
}

/* --- tests ----------------------------------------------------------------------------------------------- */

static size_t count_shown(const struct check_test *test, enum check_shown shown)
{
	size_t count = 0;

	for (size_t i = 0; i < test->rule_count; i++)
		count += check_rule_shown(&test->rules[i]) == shown;
	return count;
}

static void put_counts(const struct check_test *test, struct sink *sink)
{
	size_t wrong = count_shown(test, CHECK_SHOWN_WRONG);
	size_t unmeasured = count_shown(test, CHECK_SHOWN_UNMEASURED);

	if (wrong && wrong < test->rule_count)
		sink_print(sink, "%s of ", number_count(wrong).text);
	sink_print(sink, "%s", number_of(test->rule_count, "rule").text);
	if (unmeasured && unmeasured < test->rule_count)
		sink_print(sink, ", %s not measured", number_count(unmeasured).text);
	else if (unmeasured)
		sink_print(sink, ", not measured");
	if (test->run_count)
		sink_print(sink, ", %s, %s", number_of(test->run_count, "run").text,
			   number_duration(test->elapsed_ns).text);
}

static size_t name_width(const struct check *check)
{
	size_t width = 0;

	for (size_t i = 0; i < check->test_count; i++) {
		char *name = escape_text(check_test_name(&check->tests[i]));
		size_t columns = text_columns(name);
		width = columns > width ? columns : width;
		free(name);
	}
	return width < NAME_COLUMNS ? width : NAME_COLUMNS;
}

static void put_name(const char *name, size_t width, struct sink *sink)
{
	char *shown = escape_text(name);

	text_cut(shown, width);
	sink_name(sink, shown, 0);
	put_blanks(width - text_columns(shown), sink);
	free(shown);
}

static void put_test(const struct check_test *test, size_t width, struct sink *sink)
{
	bool has_passed = test->state == CHECK_PASSED;

	paragraph_begin(sink, RULE_INDENT);
	sink_style(sink, has_passed ? STYLE_PLAIN : STYLE_WARN);
	sink_print(sink, "%-*s", STATE_COLUMNS, check_state_keys[test->state]);
	sink_style(sink, STYLE_PLAIN);
	sink_print(sink, "  ");
	put_name(check_test_name(test), width, sink);
	sink_print(sink, "  ");
	put_counts(test, sink);
	sink_print(sink, "\n");
	say(RULE_INDENT, test->why, sink);
	if (test->why && *test->why && test->state == CHECK_FAILED)
		put_line(RULE_INDENT, "$ ", test->command, sink);
	for (size_t i = 0; i < test->rule_count; i++)
		if (check_rule_shown(&test->rules[i]) == CHECK_SHOWN_WRONG)
			put_rule(&test->rules[i], sink);
	if (!has_passed && test->capture && *test->capture)
		put_line(RULE_INDENT, "recorded in ", test->capture, sink);
}

/* --- the whole ------------------------------------------------------------------------------------------- */

/* Where a rule was held to it. */
static void say_baseline(const struct check *check, struct sink *sink)
{
	bool is_used = false;

	for (size_t i = 0; i < check->test_count; i++)
		for (size_t k = 0; k < check->tests[i].rule_count; k++)
			is_used |= check->tests[i].rules[k].baseline.is_known;
	if (!check->baseline || !is_used)
		return;
	paragraph_begin(sink, 2);
	sink_print(sink, "Baseline: ");
	sink_name(sink, check->baseline, 0);
	sink_print(sink, "\n");
}

static void say_differences(const struct check *check, struct sink *sink)
{
	for (size_t i = 0; i < check->difference_count; i++) {
		char *sentence = check_difference(&check->differences[i]);
		paragraph_begin(sink, 2);
		sink_name(sink, sentence, 0);
		sink_print(sink, ".\n");
		free(sentence);
	}
}

static void say_notes(const struct check *check, struct sink *sink)
{
	size_t walk = 0;
	char *note;

	while ((note = check_note_next(check, &walk))) {
		say(0, note, sink);
		free(note);
	}
}

static void say_written(const struct check *check, struct sink *sink)
{
	const struct check_written *written = &check->written;
	char *sentence = check_written(check);

	for (size_t i = 0; sentence && written->is_ratchet && i < written->change_count; i++) {
		const struct check_change *change = &written->changes[i];
		sink_print(sink, "  ");
		sink_name(sink, change->subject, 0);
		sink_print(sink, " of ");
		sink_name(sink, change->test, 0);
		sink_print(sink, " %s -> %s\n", number_signed(change->then).text,
			   number_signed(change->now).text);
	}
	say(0, sentence, sink);
	free(sentence);
}

bool check_text(const struct check *check, struct sink *sink, struct failure *why)
{
	enum check_cause walk = CHECK_CAUSE_NONE;
	size_t width = name_width(check);
	const char *advice;
	char *counted = check_counted(check);

	(void)why;
	for (size_t i = 0; i < check->test_count; i++)
		put_test(&check->tests[i], width, sink);
	if (check->test_count)
		sink_print(sink, "\n");
	say_baseline(check, sink);
	say_differences(check, sink);
	say_notes(check, sink);
	sink_style(sink, check->state == CHECK_PASSED ? STYLE_TITLE : STYLE_WARN);
	sink_print(sink, "%s.\n", counted);
	sink_style(sink, STYLE_PLAIN);
	while ((advice = check_next(check, &walk)))
		say(0, advice, sink);
	say_written(check, sink);
	free(counted);
	return true;
}
