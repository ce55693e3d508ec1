/* SPDX-License-Identifier: MIT */
/* analyzer_budget.c: what a budget file says, where it is wrong, and what its limits are worth. */
#include "study/baseline.h"
#include "study/budget.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD "[test \"a\"]\ncommand = x\n"

static void refused(const char *text, const char *message)
{
	struct failure why = {FAILURE_NONE, ""};
	struct budget budget;

	cr_assert_not(budget_parse(text, strlen(text), "b", &budget, &why), "%s", text);
	cr_assert_eq(why.kind, FAILURE_USAGE);
	cr_assert_eq(strncmp(why.text, message, strlen(message)), 0, "%s\n%s\n%s", text, why.text,
		     message);
	budget_free(&budget);
}

Test(budget, where_it_is_wrong)
{
	refused("", "b:1:1: no [test");
	refused("# nothing\n\n", "b:1:1: no [test");
	refused("alloc.count = 1", "b:1:1: this belongs below");
	refused("[test]", "b:1:6: a name in quotes");
	refused("[test \"\"]", "b:1:7: a name in quotes");
	refused("[test \"a\"", "b:1:10: ] is expected");
	refused("[rest \"a\"]", "b:1:2: [test \"NAME\"] is the only");
	refused("[test \"a\"]\n[test \"b\"]\n", "b:1:1: test \"a\" has no command");
	refused(HEAD "[test \"a\"]\n", "b:3:7: there is a test \"a\" already");
	refused(HEAD "command =\n", "b:3:10: which program?");
	refused(HEAD "command = 'x\n", "b:3:11: the quote ' is not closed");
	refused(HEAD "alloc.cuont = 1\n", "b:3:1: there is no metric or key 'alloc.cuont'");
	refused(HEAD "  alloc.count 1\n", "b:3:15: <= or = is expected");
	refused(HEAD "alloc.count >= 1\n", "b:3:13: <= or = is expected");
	refused(HEAD "alloc.count <= x\n", "b:3:16: a number is expected");
	refused(HEAD "alloc.count <= 1 MiB\n", "b:3:18: 'MiB' is no unit here; a count");
	refused(HEAD "live.peak <= 1 MiBB\n", "b:3:16: 'MiBB' is no unit here; bytes");
	refused(HEAD "live.peak <= 1.5\n", "b:3:14: this is no whole number");
	refused(HEAD "live.peak <= 9223372036854775808\n", "b:3:14: this number is too large");
	refused(HEAD "live.peak <= 9999999999 GiB\n", "b:3:14: this number is too large");
	refused(HEAD "live.peak <= 5%\n", "b:3:15: % is of a baseline");
	refused(HEAD "live.peak <= baseline +- 5%\n", "b:3:28: baseline +- is for =");
	refused(HEAD "live.peak <= baseline * 2\n", "b:3:23: +, - or +- is expected");
	refused(HEAD "live.peak <= 5 B 6\n", "b:3:18: '6' is too much here");
	refused(HEAD "site \"f\" realloc.count = 1\n", "b:3:10: realloc.count is not known");
	refused(HEAD "site \"\" alloc.count = 1\n", "b:3:6: which site?");
	refused(HEAD "timeout = 5 x\n", "b:3:13: 'x' is no unit here; a time");
	refused(HEAD "timeout = 5 s 3\n", "b:3:11: a time above 0 is expected");
	refused(HEAD "timeout = 0\n", "b:3:11: a time above 0 is expected");
	refused(HEAD "alloc.count <= 5 5\n", "b:3:18: '5' is too much here: a limit is one number");
	refused(HEAD "alloc.count <= 5 5\n",
		"b:3:18: '5' is too much here: a limit is one number, with a unit or none; see "
		"poolmem-budget(5)");
	refused(HEAD "env = =x\n", "b:3:7: which variable?");
	refused(HEAD "env = POOLMEM=x\n", "b:3:7: POOLMEM cannot be set");
	refused(HEAD "env.POOLMEM = x\n", "b:3:5: POOLMEM cannot be set");
	refused(HEAD "exit = 256\n", "b:3:8: a number from 0 to 255");
	refused(HEAD "runs = 1\n", "b:3:8: a number from 2 to 50");
	refused(HEAD "directory = a b\n", "b:3:13: one word is expected");
	refused(HEAD "env.A\n", "b:3:6: = is expected");
	refused(HEAD "process.pid = 1\n", "b:3:1: process.pid is another");
	refused(HEAD "live.peak\001 = 1\n", "b:3:10: a control character (0x1)");
}

static struct budget_rule *rule_of(struct budget *budget, const char *text)
{
	static char whole[400];
	struct failure why = {FAILURE_NONE, ""};

	snprintf(whole, sizeof whole, HEAD "%s\n", text);
	cr_assert(budget_parse(whole, strlen(whole), "b", budget, &why), "%s", why.text);
	cr_assert_eq(budget->tests[0].rule_count, 1);
	return &budget->tests[0].rules[0];
}

Test(budget, what_limits_are_worth)
{
	static const struct {
		const char *rule;
		int64_t baseline, low, high;
	} cases[] = {
		{"alloc.count <= 1,000", 5, 1000, 1000},
		{"alloc.count=1.5M", 5, 1500000, 1500000},
		{"live.peak <= 24 MiB", 0, 24 << 20, 24 << 20},
		{"live.peak <= 1.5KiB # more", 0, 1536, 1536},
		{"live.peak <= 2 kB", 0, 2000, 2000},
		{"process.elapsed_ns <= 1.5 s", 0, 1500000000, 1500000000},
		{"alloc.count <= baseline", 7, 7, 7},
		{"alloc.count <= baseline + 0.5%", 1000, 1005, 1005},
		{"alloc.count <= baseline+0.5%", 199, 199, 199}, /* less than a whole one */
		{"alloc.count <= baseline + 12", 30, 42, 42},
		{"alloc.count <= baseline - 10%", 30, 27, 27},
		{"alloc.count <= baseline - 100", 30, 0, 0},
		{"alloc.count = baseline +- 10%", 30, 27, 33},
		{"live.peak = baseline +- 1 KiB", 5000, 3976, 6024},
		{"live.peak <= baseline + 100%", INT64_MAX, INT64_MAX, INT64_MAX},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct budget budget;
		struct budget_rule *rule = rule_of(&budget, cases[i].rule);
		cr_assert_eq(budget_highest(rule, cases[i].baseline), cases[i].high, "%s",
			     cases[i].rule);
		cr_assert_eq(budget_lowest(rule, cases[i].baseline), cases[i].low, "%s",
			     cases[i].rule);
		budget_free(&budget);
	}
}

Test(budget, times_are_seconds_or_have_a_unit)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{"5", 5000000000},
		{"1.5", 1500000000},
		{" 300ms", 300000000},
		{"2 min", UINT64_C(120000000000)},
		{"0.5 s", 500000000},
		{"7ns", 7},
		{"", 0},
		{"0", 0},
		{"x", 0},
		{"5 6", 0},
		{"5 x", 0},
		{"-1", 0},
		{"5%", 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct failure why = {FAILURE_NONE, ""};
		uint64_t ns = 0;
		cr_assert_eq(budget_time(cases[i].text, &ns, &why), cases[i].ns != 0, "%s",
			     cases[i].text);
		cr_assert_eq(ns, cases[i].ns, "%s", cases[i].text);
	}
}

Test(budget, a_rule_of_the_command_line_is_shown_with_its_column)
{
	struct failure why = {FAILURE_NONE, ""};
	struct budget budget = {.count = 0};
	struct budget_test *test = budget_add_test(&budget, "a");

	cr_assert_not(budget_add_rule(&budget, test, "alloc.count <= 5 5", &why));
	cr_assert_str_eq(why.text,
			 "'alloc.count <= 5 5', column 18: '5' is too much here: a limit is one "
			 "number, with a unit or none; see poolmem-budget(5)");
	budget_free(&budget);
}

Test(budget, a_variable_takes_the_place_of_one_of_its_name)
{
	struct failure why = {FAILURE_NONE, ""};
	struct budget budget = {.count = 0};
	struct budget_test *test = budget_add_test(&budget, "a");

	cr_assert(budget_add_variable(&budget, test, "A=1", &why));
	cr_assert(budget_add_variable(&budget, test, "AB", &why));
	cr_assert(budget_add_variable(&budget, test, "A=b # c", &why));
	cr_assert(budget_add_variable(&budget, test, "AB=", &why));
	cr_assert_eq(test->variable_count, 2);
	cr_assert_str_eq(test->variables[0], "A=b # c");
	cr_assert_str_eq(test->variables[1], "AB=");
	cr_assert_not(budget_add_variable(&budget, test, "=x", &why));
	cr_assert_not(budget_add_variable(&budget, test, "POOLMEM=x", &why));
	cr_assert(budget_add_variable(&budget, test, "POOLMEMORY=x", &why));
	budget_free(&budget);
}

Test(budget, names_of_sites_are_words)
{
	struct budget budget;
	struct budget_rule *rule = rule_of(&budget, "site \"a b\" alloc.count <= 1 ; no");

	cr_assert_str_eq(rule->site, "a b");
	cr_assert_str_eq(rule->text, "site \"a b\" alloc.count <= 1");
	cr_assert_str_eq(rule->subject, "site \"a b\" alloc.count");
	cr_assert_eq(rule->line, 3);
	budget_free(&budget);
}

static void baseline_refused(const char *text, const char *message)
{
	struct failure why = {FAILURE_NONE, ""};
	struct baseline baseline;

	cr_assert_not(baseline_parse(text, strlen(text), "b", &baseline, &why), "%s", text);
	cr_assert_eq(strncmp(why.text, message, strlen(message)), 0, "%s\n%s\n%s", text, why.text,
		     message);
	baseline_free(&baseline);
}

Test(baseline, where_it_is_wrong)
{
	baseline_refused("", "b:1:1: ");
	baseline_refused("{\n \"schema\": 1,\n x }", "b:3:2: ");
	baseline_refused("[1]", "b:1:1: no baseline");
	baseline_refused("{\"schema\": 2, \"tests\": {}}", "b:1:2: made by a newer");
	baseline_refused("{\"schema\": 1}", "b:1:1: no baseline of poolmem: \"tests\"");
	baseline_refused("{\"schema\": 1,\n\"tests\": {\n\"a\": 5}}", "b:3:1: a test is expected");
	baseline_refused(
		"{\"schema\": 1,\n\"tests\": {\"a\": {\n\"metrics\": {\n\"x\": 1,\n  \"y\": -1}}}}",
		"b:5:3: a whole number");
	baseline_refused("{\"schema\": 1,\n\"tests\": {\"a\": {\n\"metrics\": {\"y\": []}}}}",
			 "b:3:13: 1 to 50 numbers");
	baseline_refused("{\"schema\": 1, \"tests\": {\"a\": {\"metrics\": {},\n\"sites\": {}}}}",
			 "b:2:1: a list is expected");
}
