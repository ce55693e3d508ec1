/* SPDX-License-Identifier: MIT */
/* analyzer_ledger.c: which call sites own a difference: lines that moved, functions that are called from elsewhere, sites that came and went. */
#include "study/ledger.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ledger_row row(const char *function, unsigned line, uint64_t names, int64_t count)
{
	/* Lines of a stack: as of one whose other calls stay where they are. */
	return (struct ledger_row){
		.function = function,
		.file = "a.c",
		.module = "app",
		.line = line,
		.names = names,
		.lines = names * 1000 + line,
		.figure = {[LEDGER_COUNT] = count},
	};
}

static struct check_site *compare(struct ledger_row *before, size_t before_count,
				  struct ledger_row *after, size_t after_count, struct keep *keep,
				  size_t *ret_count)
{
	struct ledger was = {.rows = before, .count = before_count};
	struct ledger is = {.rows = after, .count = after_count};

	ledger_sort(&was);
	ledger_sort(&is);
	return ledger_compare(&was, &is, LEDGER_COUNT, keep, ret_count);
}

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

Test(ledger, lines_that_moved_are_the_same)
{
	struct ledger_row before[] = {row("f", 10, 1, 500), row("f", 20, 1, 7), row("g", 30, 2, 9)};
	struct ledger_row after[] = {row("f", 12, 1, 500), row("f", 16, 1, 1), row("f", 24, 1, 7),
				     row("g", 34, 2, 9)};
	struct keep keep = {.count = 0};
	size_t count;
	struct check_site *sites = compare(before, COUNT(before), after, COUNT(after), &keep,
					   &count);

	cr_assert_eq(count, 1);
	cr_assert_eq(sites[0].line, 16);
	cr_assert_eq(sites[0].mark, DIFF_MARK_NEW);
	cr_assert_eq(sites[0].before, 0);
	cr_assert_eq(sites[0].after, 1);
	keep_free(&keep);
}

Test(ledger, grown_shrunk_new_and_gone_the_most_grown_first)
{
	struct ledger_row before[] = {row("f", 10, 1, 500), row("g", 20, 2, 70), row("h", 30, 3, 9)};
	struct ledger_row after[] = {row("f", 10, 1, 501), row("g", 20, 2, 60), row("k", 40, 4, 8)};
	struct keep keep = {.count = 0};
	size_t count;
	struct check_site *sites = compare(before, COUNT(before), after, COUNT(after), &keep,
					   &count);

	cr_assert_eq(count, 4);
	cr_assert(sites[0].mark == DIFF_MARK_NEW && sites[0].after == 8);
	cr_assert(sites[1].mark == DIFF_MARK_GROWN && sites[1].before == 500);
	cr_assert(sites[2].mark == DIFF_MARK_GONE && sites[2].before == 9);
	cr_assert(sites[3].mark == DIFF_MARK_SHRUNK && sites[3].after == 60);
	keep_free(&keep);
}

Test(ledger, another_caller_is_another_site)
{
	struct ledger_row before[] = {row("f", 10, 1, 500)};
	struct ledger_row after[] = {row("f", 10, 1, 500), row("f", 10, 2, 3)};
	struct keep keep = {.count = 0};
	size_t count;
	struct check_site *sites = compare(before, COUNT(before), after, COUNT(after), &keep,
					   &count);

	cr_assert_eq(count, 1);
	cr_assert(sites[0].mark == DIFF_MARK_NEW && sites[0].after == 3);
	keep_free(&keep);
}

Test(ledger, by_function_where_one_side_is)
{
	struct ledger_row before[] = {row("f", 10, 0, 503), row("g", 20, 0, 4)};
	struct ledger_row after[] = {row("f", 10, 1, 500), row("f", 10, 2, 3), row("g", 20, 3, 6)};
	struct ledger was = {.rows = before, .count = COUNT(before), .by_function = true};
	struct ledger is = {.rows = after, .count = COUNT(after)};
	struct keep keep = {.count = 0};
	size_t count;

	before[0].lines = before[1].lines = 0;
	ledger_sort(&was);
	ledger_sort(&is);
	struct check_site *sites = ledger_compare(&was, &is, LEDGER_COUNT, &keep, &count);
	cr_assert_eq(count, 1);
	cr_assert(strcmp(sites[0].function, "g") == 0 && sites[0].before == 4 && sites[0].after == 6);
	keep_free(&keep);
}

Test(ledger, without_a_baseline_what_there_is)
{
	struct ledger_row after[] = {row("f", 10, 1, 5), row("g", 20, 2, 70)};
	struct ledger is = {.rows = after, .count = COUNT(after)};
	struct keep keep = {.count = 0};
	size_t count;

	ledger_sort(&is);
	struct check_site *sites = ledger_compare(NULL, &is, LEDGER_COUNT, &keep, &count);
	cr_assert_eq(count, 2);
	cr_assert(sites[0].after == 70 && !sites[0].has_before);
	keep_free(&keep);
}

/* Places of one function whose lines are not known: nobody could tell the rows apart. */
Test(ledger, what_is_shown_alike_is_one)
{
	const char *const stack[] = {"f (libx.so)", "main (app)"};
	const char *const other[] = {"f (libx.so)", "exit (app)"};
	struct ledger_row after[] = {row("f", 0, 1, 3), row("f", 0, 2, 4), row("f", 0, 3, 5)};
	struct keep keep = {.count = 0};
	size_t count;

	for (size_t i = 0; i < COUNT(after); i++) {
		after[i].stack = i == 2 ? other : stack;
		after[i].stack_count = 2;
	}
	struct check_site *sites = compare(NULL, 0, after, COUNT(after), &keep, &count);
	cr_assert_eq(count, 2);
	cr_assert_eq(sites[0].after, 7);
	cr_assert_eq(sites[0].mark, DIFF_MARK_NEW);
	cr_assert_eq(sites[1].after, 5);
	keep_free(&keep);
}
