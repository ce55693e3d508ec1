/* SPDX-License-Identifier: MIT */
/* Suppressions: lines and patterns mean what LeakSanitizer takes them for. */
#include "study/suppression.h"

#include <criterion/criterion.h>

/* The cases of LLVM's sanitizer_suppressions_test.cpp, and those where its matcher stops early. */
Test(suppressions, patterns)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{"foobar", "foobar", true},
		{"foobar", "prefix_foobar_postfix", true},
		{"*foobar*", "foobar", true},
		{"*foobar*", "prefix_foobar_postfix", true},
		{"foo*bar", "foo_middle_bar", true},
		{"foo*bar", "foobar", true},
		{"foo*bar*baz", "foo_middle_bar_another_baz", true},
		{"foo*bar*baz", "foo_middle_barbaz", true},
		{"^foobar", "foobar", true},
		{"^foobar", "foobar_postfix", true},
		{"^*foobar", "foobar", true},
		{"^*foobar", "prefix_foobar", true},
		{"foobar$", "foobar", true},
		{"foobar$", "prefix_foobar", true},
		{"*foobar*$", "foobar", true},
		{"*foobar*$", "foobar_postfix", true},
		{"^foobar$", "foobar", true},
		{"foo", "baz", false},
		{"foobarbaz", "foobar", false},
		{"foobarbaz", "barbaz", false},
		{"foo*bar", "foobaz", false},
		{"foo*bar", "foo_baz", false},
		{"^foobar", "prefix_foobar", false},
		{"foobar$", "foobar_postfix", false},
		{"^foobar$", "prefix_foobar", false},
		{"^foobar$", "foobar_postfix", false},
		{"foo^bar", "foobar", false},
		{"foo$bar", "foobar", false},
		{"foo", "", false},
		{"*", "", false},
		{"b$", "abab", false}, /* the first b is not the last */
		{"a^b", "xa^by", true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(suppression_matches(cases[i].pattern, cases[i].name), cases[i].matches,
			     "'%s' and '%s'", cases[i].pattern, cases[i].name);
	cr_expect_not(suppression_matches("foo", NULL));
}

static void expect_patterns(const char *text, size_t count, const char *const *patterns)
{
	struct suppressions suppressions = {.count = 0};
	struct failure why;

	cr_assert(suppressions_parse(&suppressions, text, "rules", &why), "%s", why.text);
	cr_assert_eq(suppressions.count, count, "%zu of '%s'", suppressions.count, text);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(suppressions.list[i].pattern, patterns[i]);
	suppressions_free(&suppressions);
}

Test(suppressions, lines)
{
	static const char *const one[] = {"one two"}, *const three[] = {"a", "b", "c#d"};

	expect_patterns("", 0, NULL);
	expect_patterns("\n # leak:x\n\t\r\n#", 0, NULL);
	expect_patterns("leak:one two", 1, one);
	expect_patterns(" \tleak:one two \t\r\n", 1, one);
	expect_patterns("leak:a\n\nleak:b\n#\nleak:c#d\n", 3, three);
}

static void expect_refused(const char *text, const char *message)
{
	struct suppressions suppressions = {.count = 0};
	struct failure why;

	cr_expect_not(suppressions_parse(&suppressions, text, "rules", &why), "'%s'", text);
	cr_expect_eq(why.kind, FAILURE_USAGE);
	cr_expect_str_eq(why.text, message);
	suppressions_free(&suppressions);
}

Test(suppressions, what_is_none_is_refused)
{
	expect_refused("leak:a\nrace:b\n",
		       "rules, line 2: 'race:b' is no suppression: they are leak:PATTERN");
	expect_refused("leak:", "rules, line 1: 'leak:' is no suppression: they are leak:PATTERN");
	expect_refused("{\n", "rules, line 1: '{' is no suppression: they are leak:PATTERN");
}

Test(suppressions, those_that_are_known_hold_in_their_modules)
{
	struct suppressions suppressions = {.count = 0};

	suppressions_add_known(&suppressions);
	cr_expect_gt(suppressions.count, 30);
	for (size_t i = 0; i < suppressions.count; i++)
		cr_expect(suppressions.list[i].module && suppressions.list[i].why);
	suppressions_free(&suppressions);
}
