/* SPDX-License-Identifier: MIT */
/*
 * The reports of a check: what other programs read in them (tests/reports/readers.py), and of an ordinary one each letter
 * (tests/reports/golden).  A change that is meant: POOLMEM_UPDATE=1, and read the diff.
 */
#include "render/check.h"
#include "render/markdown.h"
#include "text/buffer.h"
#include "unit/check_example.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORMAT_NAME(name, readers) #name,
static const char *const formats[] = {CHECK_FORMATS(FORMAT_NAME)};
#undef FORMAT_NAME

static char directory[128];

static const char *root(void)
{
	const char *of_run = getenv("POOLMEM_ROOT");
	return of_run ? of_run : ".";
}

static void enter(void)
{
	const char *top = getenv("TMPDIR");

	snprintf(directory, sizeof directory, "%s/reports.XXXXXX", top ? top : "/tmp");
	cr_assert(mkdtemp(directory));
	setenv("GITHUB_WORKSPACE", root(), 1);
	unsetenv("CI_PROJECT_DIR");
	cr_assert_eq(chdir(root()), 0);
}

static void leave(void)
{
	char command[200];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	cr_expect_eq(system(command), 0);
}

/* The file of a format. */
static const char *path_of(const char *name, const char *format)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s.%s", directory, name, format);
	return path;
}

static void write_report(const struct check *check, const char *name, const char *format)
{
	struct failure why = {FAILURE_NONE, ""};
	struct check_report report;
	char option[300];

	setenv("GITHUB_STEP_SUMMARY", path_of(name, "summary"), 1);
	snprintf(option, sizeof option, "%s=%s", format, path_of(name, format));
	cr_assert(check_report_parse(option, &report, &why), "%s", why.text);
	cr_assert(check_report_write(&report, check, &why), "%s", why.text);
}

static void write_all(const struct check *check, const char *name)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		write_report(check, name, formats[i]);
}

static void run(const char *command)
{
	int status = system(command);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", command);
}

/* What programs that read such files make of them, and whether they say the same. */
static void read_back(const char *name)
{
	char command[600];

	snprintf(command, sizeof command,
		 "/usr/bin/python3 '%s/tests/reports/readers.py' '%s/tests/reports' '%s' %s",
		 root(), root(), directory, name);
	run(command);
}

static size_t bytes_of(const char *path)
{
	struct stat status;
	cr_assert_eq(stat(path, &status), 0);
	return (size_t)status.st_size;
}

TestSuite(check_reports, .init = enter, .fini = leave);

Test(check_reports, readers_and_golden)
{
	struct check check = check_example();
	char command[600];

	write_all(&check, "example");
	check = check_example_passed();
	write_all(&check, "passed");
	snprintf(command, sizeof command, "%s '%s/tests/reports/golden' '%s'",
		 getenv("POOLMEM_UPDATE") ? "f() { rm -rf \"$1\"; cp -r \"$2\" \"$1\"; }; f"
					  : "diff -ru",
		 root(), directory);
	run(command);
	read_back("example");
	read_back("passed");
}

Test(check_reports, hostile_texts_and_figures)
{
	struct check check = check_hostile();

	write_all(&check, "hostile");
	read_back("hostile");
}

Test(check_reports, nothing_at_all)
{
	struct check check = {.state = CHECK_INVALID};

	write_all(&check, "nothing");
	read_back("nothing");
}

Test(check_reports, ten_thousand_rules)
{
	struct check check = check_many(10000);

	write_all(&check, "many");
	cr_expect_leq(bytes_of(path_of("many", "summary")), 1 << 20);
	cr_expect_gt(bytes_of(path_of("many", "summary")), 1000000, "as much as there is room for");
	read_back("many");
}

/* The summary ends within what is folded away, and closes it. */
Test(check_reports, a_stack_of_sites)
{
	struct check check = check_deep(4000);

	write_all(&check, "deep");
	cr_expect_gt(bytes_of(path_of("deep", "markdown")), 1 << 20);
	cr_expect_gt(bytes_of(path_of("deep", "summary")), 1000000);
	read_back("deep");
}

/* Others have written to it: what they wrote stays, and counts. */
Test(check_reports, summary_is_appended)
{
	struct check check = check_many(10000);
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s", path_of("appended", "summary"));
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	cr_assert_eq(write(fd, "mine\n", 5), 5);
	cr_assert_eq(ftruncate(fd, 1000000), 0);
	close(fd);
	write_report(&check, "appended", "github");
	cr_expect_leq(bytes_of(path), 1 << 20);
	cr_expect_gt(bytes_of(path), 1000000 + 20000);
	write_report(&check, "appended", "github");
	cr_assert_eq(truncate(path, 1 << 20), 0);
	write_report(&check, "appended", "github");
	cr_expect_eq(bytes_of(path), 1 << 20, "no room: nothing");
}

Test(check_reports, summary_that_cannot_be_written)
{
	struct check check = check_example();
	struct failure why = {FAILURE_NONE, ""};
	struct check_report report;

	cr_assert(check_report_parse("github=/dev/null", &report, &why));
	setenv("GITHUB_STEP_SUMMARY", "/nowhere/at/all", 1);
	cr_expect(!check_report_write(&report, &check, &why));
	cr_expect_eq(why.kind, FAILURE_WRITE);
	cr_expect(strstr(why.text, "/nowhere/at/all"), "%s", why.text);
	setenv("GITHUB_STEP_SUMMARY", "", 1);
	cr_expect(check_report_write(&report, &check, &why));
}

/* --- words ----------------------------------------------------------------------------------------------- */

static void expect_title(const struct check *check, const char *expected)
{
	char *title = check_title(check);
	cr_expect_str_eq(title, expected);
	free(title);
}

Test(check_reports, the_title_is_of_what_is_wrong)
{
	struct check_rule rule = {.state = CHECK_INVALID, .cause = CHECK_CAUSE_NO_BASELINE};
	struct check_test tests[9] = {[3] = {.state = CHECK_INVALID, .cause = CHECK_CAUSE_NO_PROGRAM},
				      [5] = {.state = CHECK_EXCEEDED}};
	struct check check = {.state = CHECK_INVALID,
			      .tests = tests,
			      .test_count = COUNT(tests),
			      .counts = {7, 1, 0, 0, 1}};

	expect_title(&check, "1 of 9 tests: its command cannot be run");
	tests[4] = (struct check_test){.state = CHECK_INVALID, .rules = &rule, .rule_count = 1};
	check.counts[CHECK_INVALID] = 2;
	expect_title(&check, "2 of 9 tests: its command, budget or baseline is wrong");
	tests[3].state = CHECK_PASSED;
	check.counts[CHECK_INVALID] = 1;
	expect_title(&check, "1 of 9 tests: it has no baseline");
	tests[4].state = CHECK_PASSED;
	check.state = CHECK_EXCEEDED;
	expect_title(&check, "1 of 9 tests: over its budget");
	check.test_count = 1;
	expect_title(&check, "over its budget");
	check.state = CHECK_PASSED;
	check.test_count = COUNT(tests);
	expect_title(&check, "within its budget");
}

static void expect_note(const struct check *check, size_t *walk, const char *expected)
{
	char *note = check_note_next(check, walk);
	cr_expect_str_eq(note ? note : "(none)", expected);
	free(note);
}

Test(check_reports, what_is_to_know_of_several_tests_is_said_once)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
	struct check_note notes[COUNT(names) + 3];
	struct check check = {.notes = notes, .note_count = COUNT(notes), .test_count = 8};
	size_t walk = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		notes[i] = (struct check_note){names[i], "x"};
	notes[COUNT(names)] = (struct check_note){"a", "y"};
	notes[COUNT(names) + 1] = (struct check_note){NULL, "x"};
	notes[COUNT(names) + 2] = (struct check_note){"c", "y"};
	expect_note(&check, &walk, "tests \"a\", \"b\", \"c\", \"d\", \"e\" and 2 more: x");
	expect_note(&check, &walk, "tests \"a\", \"c\": y");
	expect_note(&check, &walk, "x");
	expect_note(&check, &walk, "(none)");
	check.test_count = COUNT(names);
	walk = 0;
	expect_note(&check, &walk, "each test: x");
	check.test_count = check.note_count = 1;
	walk = 0;
	expect_note(&check, &walk, "test \"a\": x");
}

/* Four calls are shown of a stack; where these are the same, and the rest is not, it is shown what is not. */
Test(check_reports, sites_that_are_called_the_same_are_told_apart)
{
	const char *const by_load[] = {"f (a.c:1)",    "b",   "c", "d", "e", "g",
				       "load (l.c:7)", "main"};
	const char *const by_save[] = {"f (a.c:1)",    "b",   "c", "d", "e", "g",
				       "save (s.c:8)", "main"};
	struct check_site sites[] = {
		{.function = "f",
		 .file = "a.c",
		 .line = 1,
		 .module = "x",
		 .stack = by_load,
		 .stack_count = COUNT(by_load),
		 .after = 5},
		{.function = "f",
		 .file = "a.c",
		 .line = 1,
		 .module = "x",
		 .stack = by_save,
		 .stack_count = COUNT(by_save),
		 .after = 5},
	};
	struct check check = check_many(1);
	char command[700];

	check.tests[0].rules[0].sites = sites;
	check.tests[0].rules[0].site_count = COUNT(sites);
	write_all(&check, "apart");
	snprintf(command, sizeof command,
		 "cd '%s' && for f in text junit github; do grep -q 'load (l.c:7)' apart.$f && "
		 "grep -q 'save (s.c:8)' apart.$f || exit 1; done; "
		 "[ $(grep -c '< 1 call more' apart.text) = 4 ] && "
		 "[ $(grep -c '< 2 calls more' apart.text) = 0 ] && ! grep -q 'main\\|< g' apart.junit",
		 directory);
	run(command);
}

Test(check_reports, options)
{
	static const char *const wrong[] = {"", "text", "text=", "=file", "jso=file", "jsonx=file"};
	struct failure why = {FAILURE_NONE, ""};
	struct check_report report;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		cr_expect(!check_report_parse(wrong[i], &report, &why), "%s", wrong[i]);
		cr_expect_eq(why.kind, FAILURE_USAGE);
		cr_expect(strstr(why.text, "text, json, junit, markdown, github, gitlab or "
					   "openmetrics"));
	}
	cr_assert(check_report_parse("json=a=b", &report, &why));
	cr_expect_str_eq(report.path, "a=b");
	cr_expect_eq(report.write, check_json);
}

Test(check_reports, full_disk)
{
	struct check check = check_many(100);
	struct failure why = {FAILURE_NONE, ""};
	char option[64];

	unsetenv("GITHUB_STEP_SUMMARY");
	for (size_t i = 0; i < COUNT(formats); i++) {
		struct check_report report;
		snprintf(option, sizeof option, "%s=/dev/full", formats[i]);
		cr_assert(check_report_parse(option, &report, &why));
		cr_expect(!check_report_write(&report, &check, &why), "%s", formats[i]);
		cr_expect_eq(why.kind, FAILURE_WRITE);
	}
}

/* --- parts ----------------------------------------------------------------------------------------------- */

static void expect_path(const char *path, const char *expected)
{
	char *shown = check_path(path, "GITHUB_WORKSPACE");
	cr_expect_str_eq(shown, expected, "%s: %s, not %s", path, shown, expected);
	free(shown);
}

Test(check_reports, paths_are_relative_to_the_root)
{
	char inside[256], link[256], file[300], *here;

	snprintf(inside, sizeof inside, "%s/sub", directory);
	cr_assert_eq(mkdir(inside, 0755), 0);
	cr_assert_eq(chdir(inside), 0);
	here = getcwd(NULL, 0);
	snprintf(file, sizeof file, "%s/x.c", here);
	setenv("GITHUB_WORKSPACE", directory, 1);
	expect_path("x.c", "sub/x.c");
	expect_path("./a//b/../x.c", "sub/a/x.c");
	expect_path("../x.c", "x.c");
	expect_path(file, "sub/x.c");
	expect_path("../../x.c", "../../x.c");
	expect_path("/usr/include/x.h", "/usr/include/x.h");
	expect_path("", "");
	snprintf(link, sizeof link, "%s/link", directory);
	cr_assert_eq(symlink(directory, link), 0);
	setenv("GITHUB_WORKSPACE", link, 1);
	expect_path("x.c", "sub/x.c");
	unsetenv("GITHUB_WORKSPACE");
	expect_path("x.c", "x.c");
	expect_path(file, "x.c");
	expect_path("../x.c", "../x.c");
	free(here);
}

Test(check_reports, what_was_not_measured_has_not_passed)
{
	struct check_rule rule = {.state = CHECK_PASSED};

	cr_expect_eq(check_rule_shown(&rule), CHECK_SHOWN_UNMEASURED);
	rule.value.is_known = true;
	cr_expect_eq(check_rule_shown(&rule), CHECK_SHOWN_PASSED);
	rule = (struct check_rule){.state = CHECK_FAILED};
	cr_expect_eq(check_rule_shown(&rule), CHECK_SHOWN_UNMEASURED, "its test says it");
	rule = (struct check_rule){.state = CHECK_UNRELIABLE};
	cr_expect_eq(check_rule_shown(&rule), CHECK_SHOWN_UNMEASURED, "its test says it");
	rule.cause = CHECK_CAUSE_INCOMPLETE;
	cr_expect_eq(check_rule_shown(&rule), CHECK_SHOWN_WRONG);
}

Test(check_reports, figures)
{
	cr_expect_str_eq(check_change(UNIT_BYTES, 0, 1024).text, "+1.0 KiB");
	cr_expect_str_eq(check_change(UNIT_COUNT, 5, 3).text, "-2");
	cr_expect_str_eq(check_change(UNIT_COUNT, 5, 5).text, "0");
	cr_expect_str_eq(check_change(UNIT_COUNT, INT64_MIN, INT64_MAX).text,
			 "+18,446,744,073,709,551,615");
	cr_expect_str_eq(check_exactly(UNIT_BYTES, 1).text, "1 byte");
	cr_expect_str_eq(check_exactly(UNIT_BYTES, INT64_MIN).text,
			 "-9,223,372,036,854,775,808 bytes");
	cr_expect_str_eq(check_figure(UNIT_NS, 1500000000).text, "1.50 s");
	cr_expect_str_eq(check_figure(UNIT_BYTES, -2048).text, "-2.0 KiB");
	/* A tolerance that is rounded down would not hold what it is to hold. */
	cr_expect_str_eq(check_share(9901).text, "1.0 %");
	cr_expect_str_eq(check_share(10000).text, "1.0 %");
	cr_expect_str_eq(check_share(10001).text, "1.1 %");
	cr_expect_str_eq(check_share(1).text, "0.1 %");
}

static void expect_markdown(const char *text, const char *expected)
{
	struct buffer buffer = {.data = NULL};
	struct failure why;
	struct sink sink;

	sink_open_memory(&sink, &buffer);
	markdown_put(text, &sink);
	cr_assert(sink_close(&sink, &why));
	cr_expect_str_eq(buffer.data, expected);
	buffer_free(&buffer);
}

Test(check_reports, markdown_has_no_marks)
{
	expect_markdown("a|b`c<d", "a&#124;b&#96;c&#60;d");
	expect_markdown("x 24.0 MiB, 3.1 % (a.c:4)", "x 24.0 MiB, 3.1 % (a.c:4)");
	expect_markdown("@root", "&#64;<!-- -->root");
	expect_markdown("http://x", "http:<!-- -->//x");
	expect_markdown("www.x", "www<!-- -->.x");
	expect_markdown("a\nb", "a&#92;nb");
}
