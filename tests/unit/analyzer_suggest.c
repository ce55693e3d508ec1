/* SPDX-License-Identifier: MIT */
/* "Did you mean": what is near enough. */
#include "cmd/suggest.h"

#include <criterion/criterion.h>

static const char *near(const char *typed)
{
	static const char *const words[] = {"run",   "report", "list",
					    "clean", "doctor", "flamegraph"};
	return suggest(typed, words, sizeof words / sizeof *words);
}

Test(suggest, near_words)
{
	cr_expect_str_eq(near("report"), "report");
	cr_expect_str_eq(near("reprot"), "report");
	cr_expect_str_eq(near("repor"), "report");
	cr_expect_str_eq(near("reports"), "report");
	cr_expect_str_eq(near("lits"), "list");
	cr_expect_str_eq(near("rum"), "run");
	cr_expect_str_eq(near("flamegrahp"), "flamegraph");
}

Test(suggest, far_words)
{
	cr_expect_null(near("xyzzy"));
	cr_expect_null(near(""));
	cr_expect_null(near("go"));
	cr_expect_null(near("a-very-long-word-that-nobody-ever-meant-to-type"));
}
