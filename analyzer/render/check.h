/* SPDX-License-Identifier: MIT */
/*
 * check.h: what `poolmem check` found, for people and for what runs it: text, and a file for each of several programs.
 *
 * Each format shows the same states and the same sentences.  A rule of which nothing was measured, because its test was not
 * run or failed first, is never shown as passed.  Names in it are valid UTF-8 without control characters (text/escape.h),
 * escaped once more for the format.
 */
#ifndef POOLMEM_RENDER_CHECK_H
#define POOLMEM_RENDER_CHECK_H

#include "study/check.h"
#include "text/number.h"
#include "text/sink.h"

/*
 * X(name, "what reads it").  A format NAME lives in render/check_NAME.c.
 */
#define CHECK_FORMATS(X)                                                                           \
	X(text, "people")                                                                          \
	X(json, "programs")                                                                        \
	X(junit, "Jenkins, GitLab, most others")                                                   \
	X(markdown, "a pull request")                                                              \
	X(github, "GitHub Actions")                                                                \
	X(gitlab, "GitLab's code quality")                                                         \
	X(openmetrics, "Prometheus")

/* False: something beside the sink could not be written (the job summary of github); `why` has it. */
typedef bool check_writer(const struct check *check, struct sink *sink, struct failure *why);

#define CHECK_WRITER(name, readers) check_writer check_##name;
CHECK_FORMATS(CHECK_WRITER)
#undef CHECK_WRITER

/* `--report FMT=FILE`. */
struct check_report {
	check_writer *write;
	const char *path; /* part of the option's text; "-": standard output */
};

/* False: it is not of that form, or no format has that name; `why` has all names. */
bool check_report_parse(const char *option, struct check_report *ret, struct failure *why);

/* Writes the file, which appears when it is whole, and takes the place of one that is there. */
bool check_report_write(const struct check_report *report, const struct check *check,
			struct failure *why);

/* --- what formats have in common ------------------------------------------------------------------------- */

/* Whether its runs were measured as a whole: a figure of others may be of a part. */
bool check_is_measured(const struct check_test *test);

/* What is shown of a rule: its state, but only that it was not measured where its test did not come so far. */
enum check_shown { CHECK_SHOWN_PASSED, CHECK_SHOWN_UNMEASURED, CHECK_SHOWN_WRONG };
enum check_shown check_rule_shown(const struct check_rule *rule);
const char *check_rule_state(const struct check_rule *rule); /* a key; "unmeasured" */

/* A figure in its unit: "24.0 MiB", "10,120". */
struct number check_figure(enum metric_unit unit, int64_t value);

/* To the last digit: "25,165,824 bytes", "10,120". */
struct number check_exactly(enum metric_unit unit, int64_t value);

/* With its sign: "+2.2 MiB". */
struct number check_change(enum metric_unit unit, int64_t before, int64_t after);

/* "3.1 %" of a share in millionths; no smaller than it is, as a tolerance must be. */
struct number check_share(int64_t millionths);

/* "budget:4"; "command line"; "default rules".  Freed by the caller, as are all that follow. */
char *check_place(const struct check_place *place);

/* "parse at load.c:12", "libx.so", "(not known)". */
char *check_site(const struct check_site *site);

/* "grown +2.2 MiB: 12.0 MiB before, 14.2 MiB after"; "has 14.2 MiB" where there is nothing to compare with. */
char *check_site_change(const struct check_rule *rule, const struct check_site *site);

/* "between 1,000 and 1,010 in 3 runs; a tolerance of 1.0 % would hold them"; NULL: it is the same in all. */
char *check_spread(const struct check_rule *rule);

/* "over its budget", "its program cannot be run"; of the whole "2 of 9 tests: over its budget". */
const char *check_test_words(const struct check_test *test);
char *check_title(const struct check *check);

/*
 * What else to know: the next sentence, each once, with the tests that it is of; begin with 0.  Bytes of unknown origin.  NULL: there
 * are no more.
 */
char *check_note_next(const struct check *check, size_t *walk);

/* "baseline poolmem.baseline.json: 2 tests written"; NULL: nothing was written. */
char *check_written(const struct check *check);

/* "7 tests: 5 passed, 2 exceeded" */
char *check_counted(const struct check *check);

/* What to do next: a sentence for each cause that came up; begin with 0.  NULL: there are no more. */
const char *check_next(const struct check *check, enum check_cause *walk);

/* "The baseline was made with another libc: ... then, ... now"; bytes of unknown origin. */
char *check_difference(const struct check_difference *difference);

/* Whether it ends as a sentence does. */
bool check_is_sentence(const char *text);

/* A name of the test that a machine shows: never empty. */
const char *check_test_name(const struct check_test *test);

/* What is wrong: a rule that is not kept; with rule NULL the test itself, such as a program that failed. */
struct check_problem {
	const struct check_test *test;
	const struct check_rule *rule;
};

/* Of all tests in turn; begin with all zero.  False: there are no more. */
struct check_walk {
	size_t test, rule;
	bool is_inside; /* the test itself was looked at */
};
bool check_walk_next(struct check_walk *walk, const struct check *check, struct check_problem *ret);
bool check_test_problem(const struct check_test *test, struct check_problem *ret); /* itself */

enum check_state check_problem_state(const struct check_problem *problem);

/* "live.peak exceeded", "the program under test failed"; bytes of unknown origin, as all below. */
char *check_problem_title(const struct check_problem *problem);

/* A sentence. */
const char *check_problem_why(const struct check_problem *problem);

/* The sentence, the rule and its place, the remedy and the sites, a line each; escaped. */
char *check_problem_text(const struct check_problem *problem);

/*
 * A path as a CI service wants it, relative to the root of the repository: what `variable` of the environment names, or
 * the working directory.  A path that lies elsewhere stays as it is.
 */
char *check_path(const char *path, const char *variable);

/*
 * Where to point at: the line of source of the first site that is a file below the root, else the line of the budget.
 * path "": neither is known; line 0: of that.
 */
struct check_spot {
	char *path; /* freed by the caller */
	unsigned line;
};
struct check_spot check_problem_spot(const struct check_problem *problem, const char *variable);

/*
 * A number for each of several names, from 0, that tells those apart that are called the same: the first has 0.  Freed by
 * the caller.
 */
size_t *check_nth(const char *const *keys, size_t count);

#endif
