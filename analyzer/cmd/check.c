/* SPDX-License-Identifier: MIT */
/* check.c: `poolmem check`: runs tests, judges what they used, keeps the baseline. */
#define _GNU_SOURCE
#include "study/check.h"

#include "cmd/check_options.h"
#include "cmd/command.h"
#include "cmd/suppressed.h"
#include "cmd/version.h"
#include "launch/library.h"
#include "launch/say.h"
#include "launch/scratch.h"
#include "launch/trials.h"
#include "render/baseline.h"
#include "render/check.h"
#include "render/command.h"
#include "source/input.h"
#include "study/written.h"
#include "text/allocate.h"
#include "text/clock.h"
#include "text/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What it takes to do it. */
struct checking {
	struct check_wish wish;
	struct budget budget;
	struct baseline baseline;
	bool has_baseline;
	char baseline_path[PATH_MAX];
	char against[PATH_MAX]; /* the file itself, where a link was named */
	char keep[PATH_MAX], here[PATH_MAX], library[PATH_MAX];
	struct scratch scratch;
	bool has_scratch;
	struct trials_plan plan;
	struct check check;
	struct trial *trials; /* of all tests */
	size_t trial_count;
	int interrupted;
};

/* --- what to check ------------------------------------------------------------------------------------------------ */

/* ret_text: freed by the caller. */
static bool read_file(const char *path, char **ret_text, size_t *ret_bytes, struct failure *why)
{
	enum { BYTES_MAX = 65 << 20 };
	struct input input;

	if (!input_open_named(path, &input, why)) {
		why->kind = FAILURE_USAGE;
		return false;
	}
	bool done = input.bytes <= BYTES_MAX ||
		    fail(why, FAILURE_USAGE, "%.300s is too large", path);
	*ret_bytes = done ? input.bytes : 0;
	*ret_text = allocate(*ret_bytes + 1, 1);
	done = done && input_read(&input, 0, *ret_text, *ret_bytes, why);
	input_close(&input);
	if (!done)
		free(*ret_text);
	return done;
}

static bool read_budget(struct checking *checking, struct failure *why)
{
	const char *path = checking->wish.budget ? checking->wish.budget : BUDGET_DEFAULT;
	size_t bytes;
	char *text;

	if (!checking->wish.budget && access(path, F_OK) != 0)
		return fail(why, FAILURE_USAGE,
			    "which program? There is no " BUDGET_DEFAULT " here");
	if (!read_file(path, &text, &bytes, why))
		return false;
	bool done = budget_parse(text, bytes, path, &checking->budget, why);
	free(text);
	return done;
}

/* The program of the command line as a test, named after its file. */
static bool make_test(struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;
	const char *slash = strrchr(wish->argv[0], '/');
	struct budget *budget = &checking->budget;
	struct budget_test *test = budget_add_test(budget, slash ? slash + 1 : wish->argv[0]);

	test->argv = wish->argv;
	test->command = keep_taken(&budget->keep, command_line(wish->argv));
	test->timeout_ns = wish->timeout_ns;
	if (!wish->exit || budget_set(budget, test, "exit", wish->exit, why))
		return true;
	const struct failure inner = *why;
	return fail(why, FAILURE_USAGE, "--exit '%.100s': %.200s", wish->exit, inner.text);
}

typedef bool adder(struct budget *budget, struct budget_test *test, const char *text,
		   struct failure *why);

static bool add_unrecorded(struct budget *budget, struct budget_test *test, const char *text,
			   struct failure *why)
{
	return *text ? (budget_add_unrecorded(budget, test, text), true)
		     : fail(why, FAILURE_USAGE, "--unrecorded: which program?");
}

/* What was given several times, to each test. */
static bool add_all(struct checking *checking, const struct repeated *given, adder *add,
		    struct failure *why)
{
	struct budget *budget = &checking->budget;

	for (size_t i = 0; i < budget->count; i++)
		for (size_t k = 0; k < given->count; k++)
			if (!add(budget, &budget->tests[i], given->list[k], why))
				return false;
	return true;
}

static bool is_wanted(const struct check_wish *wish, const char *test)
{
	for (size_t i = 0; i < wish->tests.count; i++)
		if (strcmp(wish->tests.list[i], test) == 0)
			return true;
	return wish->tests.count == 0;
}

static bool all_exist(const struct checking *checking, struct failure *why)
{
	const struct repeated *tests = &checking->wish.tests;

	for (size_t i = 0; i < tests->count; i++)
		if (!budget_find(&checking->budget, tests->list[i]))
			return fail(why, FAILURE_USAGE, "--test: there is no test \"%.200s\"",
				    tests->list[i]);
	return true;
}

static bool read_tests(struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;
	bool done = *wish->argv ? make_test(checking, why) : read_budget(checking, why);

	/* Variables of the command line go before those of a test. */
	return done && add_all(checking, &wish->rules, budget_add_rule, why) &&
	       add_all(checking, &wish->unrecorded, add_unrecorded, why) &&
	       add_all(checking, &wish->variables, budget_add_variable, why) &&
	       all_exist(checking, why);
}

/* --- what it was before ---------------------------------------------------------------------------------------------- */

static void place_baseline(struct checking *checking)
{
	const char *budget = checking->wish.budget, *given = checking->wish.baseline;
	const char *slash = budget ? strrchr(budget, '/') : NULL;

	snprintf(checking->baseline_path, PATH_MAX, "%.*s%s",
		 given || !slash ? 0 : (int)(slash + 1 - budget), budget ? budget : "",
		 given ? given : BASELINE_DEFAULT);
}

static bool find_against(struct checking *checking, struct failure *why)
{
	const char *path = checking->wish.against;

	return !path || realpath(path, checking->against) ||
	       fail(why, FAILURE_USAGE, "cannot open %.300s: %s", path, strerror(errno));
}

/* A rule does, or, where there is none, what holds without. */
static bool names_baseline(const struct checking *checking)
{
	for (size_t i = 0; i < checking->budget.count; i++) {
		const struct budget_test *test = &checking->budget.tests[i];
		for (size_t k = 0; k < test->rule_count; k++)
			if (test->rules[k].limit.is_of_baseline)
				return true;
		if (!test->rule_count)
			return true;
	}
	return false;
}

/* One that is to be made need not be there. */
static bool read_baseline(struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;
	bool makes = wish->update || wish->ratchet;
	bool is_asked_for = wish->baseline || makes || !*wish->argv || names_baseline(checking);
	size_t bytes;
	char *text;

	place_baseline(checking);
	if (!is_asked_for || (access(checking->baseline_path, F_OK) != 0 && errno == ENOENT &&
			      (makes || !wish->baseline)))
		return true;
	if (!read_file(checking->baseline_path, &text, &bytes, why))
		return false;
	checking->has_baseline = true;
	bool done = baseline_parse(text, bytes, checking->baseline_path, &checking->baseline, why);
	free(text);
	return done;
}

/* --- one test ----------------------------------------------------------------------------------------------------------- */

static bool read_suppressions(const struct checking *checking, const struct budget_test *test,
			      struct suppressions *ret, struct failure *why)
{
	const struct repeated *given = &checking->wish.suppressions;

	for (size_t i = 0; i < given->count; i++)
		if (!suppressed_read(ret, given->list[i], why))
			return false;
	for (size_t i = 0; i < test->suppression_count; i++)
		if (!suppressed_read(ret, test->suppressions[i], why))
			return false;
	if (!checking->wish.no_defaults)
		suppressions_add_known(ret);
	return true;
}

/* Without each call site of then it cannot be told which one grew. */
static const char *lacking(struct checking *checking, const struct measured *against,
			   const struct budget_test *test)
{
	check_note(&checking->check, test->name,
		   "%s does not have each call site (%s), so who grew since then cannot be told; "
		   "one that does: POOLMEM=sites=all,repeatable=1 poolmem run -o FILE -- %s",
		   checking->wish.against, against->site_flaw, test->command);
	return keep_text(&checking->check.keep, "%s does not have each call site",
			 checking->wish.against);
}

/* What a capture says of a test's figures, as its baseline. */
static bool read_against(struct checking *checking, const struct budget_test *test,
			 struct suppressions *suppressions, struct failure *why)
{
	const struct measure_plan plan = {
		.capture = checking->against,
		.test = test,
		.suppressions = suppressions,
		.directory = checking->here,
		.with_leaks = true,
		.with_ledger = true,
	};
	struct measured against;

	if (!measured_read(&plan, &against, why)) {
		measured_free(&against);
		why->kind = FAILURE_USAGE;
		return false;
	}
	struct trial trial = {.test = test, .runs = &against, .run_count = 1};
	const char *lacks = against.site_flaw ? lacking(checking, &against, test) : NULL;
	if (lacks)
		measured_forget_sites(&against, test);
	trial_to_baseline(&trial, &checking->baseline, false);
	baseline_find(&checking->baseline, test->name)->lacks = lacks;
	measured_free(&against);
	return true;
}

static void judge(struct checking *checking, struct trial *trial)
{
	const struct baseline_test *before = baseline_find(&checking->baseline, trial->test->name);
	bool renews = checking->wish.update || (checking->wish.ratchet && !before);
	enum check_making making = renews                   ? CHECK_RENEWS
				   : checking->wish.ratchet ? CHECK_LOWERS
							    : CHECK_KEEPS;
	struct check_test *test = check_add(&checking->check, trial, before, making);

	if (!check_wants_sites(test))
		return;
	trials_read_sites(&checking->plan, trial);
	check_again(&checking->check, test, trial, before, making);
}

/* What holds without a rule: no worse than before. */
static bool add_defaults(struct checking *checking, struct budget_test *test, struct failure *why)
{
	static const struct repeated rules = {{"alloc.count <= baseline", "alloc.bytes <= baseline",
					       "live.peak <= baseline", "leak.blocks <= baseline"},
					      4};

	if (test->rule_count)
		return true;
	for (size_t i = 0; i < rules.count; i++) {
		if (!budget_add_rule(&checking->budget, test, rules.list[i], why))
			return false;
		test->rules[test->rule_count - 1].is_default = true;
	}
	return true;
}

static bool run_test(struct checking *checking, struct budget_test *test, struct failure *why)
{
	struct suppressions suppressions = {.count = 0};
	struct trial *trial = &checking->trials[checking->trial_count];

	checking->plan.suppressions = &suppressions;
	bool done = add_defaults(checking, test, why) &&
		    read_suppressions(checking, test, &suppressions, why) &&
		    (!checking->wish.against || read_against(checking, test, &suppressions, why));
	if (done) {
		checking->interrupted = trials_run(&checking->plan, test, trial);
		checking->trial_count++;
		if (!checking->interrupted)
			judge(checking, trial);
	}
	checking->plan.suppressions = NULL;
	suppressions_free(&suppressions);
	return done && !checking->interrupted;
}

/* --- the baseline from here on ------------------------------------------------------------------------------------------- */

/* Before it is reported, so that reports have what was written. */
static bool write_baseline(struct checking *checking, struct failure *why)
{
	bool is_ratchet = checking->wish.ratchet;
	struct check *check = &checking->check;
	struct sink file;

	if (!checking->wish.update && !is_ratchet)
		return true;
	for (size_t i = 0; i < checking->trial_count; i++)
		if (written_is_taken(&check->tests[i], &checking->trials[i], is_ratchet))
			written_take(check, &checking->trials[i], &checking->baseline, is_ratchet);
	if (!sink_open(&file, checking->baseline_path, why))
		return false;
	baseline_json(&checking->baseline, &file);
	if (!sink_close(&file, why))
		return false;
	check->written.file = checking->baseline_path;
	return true;
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

static bool make_places(struct checking *checking, struct failure *why)
{
	const char *keep = checking->wish.keep;

	if (!getcwd(checking->here, sizeof checking->here))
		return fail(why, FAILURE_NOTHING, "the working directory: %s", strerror(errno));
	if (keep && mkdir(keep, 0777) != 0 && errno != EEXIST)
		return fail(why, FAILURE_USAGE, "cannot make %.300s: %s", keep, strerror(errno));
	if (keep && !realpath(keep, checking->keep))
		return fail(why, FAILURE_USAGE, "%.300s: %s", keep, strerror(errno));
	checking->has_scratch = scratch_open_on_disk("check", &checking->scratch, why);
	return checking->has_scratch;
}

/* Told before anything runs: runs may take long. */
static bool can_write(const struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;

	for (size_t i = 0; i < wish->report_count; i++)
		if (strcmp(wish->reports[i].path, "-") != 0 && !sink_try(wish->reports[i].path, why))
			return false;
	return (!wish->update && !wish->ratchet) || sink_try(checking->baseline_path, why);
}

static void prepare(struct checking *checking)
{
	const struct check_wish *wish = &checking->wish;

	checking->plan = (struct trials_plan){
		.library = checking->library,
		.version = POOLMEM_VERSION,
		.scratch = checking->scratch.directory,
		.keep = wish->keep ? checking->keep : NULL,
		.directory = checking->here,
		.runs = wish->runs,
		.with_sites = wish->update || wish->ratchet,
	};
	checking->check.began_real_ns = clock_ns(CLOCK_REALTIME);
	checking->check.budget = *wish->argv ? NULL : checking->budget.file;
	checking->check.is_against = wish->against != NULL;
	checking->check.baseline = wish->against            ? wish->against
				   : checking->has_baseline ? checking->baseline_path
							    : NULL;
	checking->trials = allocate(checking->budget.count, sizeof *checking->trials);
}

static bool is_something(const struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;
	bool has_before = checking->has_baseline || wish->against || wish->update || wish->ratchet;

	for (size_t i = 0; i < checking->budget.count; i++)
		if (!checking->budget.tests[i].rule_count && !has_before)
			return fail(why, FAILURE_USAGE,
				    "nothing to hold test \"%.100s\" to: no rule, no baseline",
				    checking->budget.tests[i].name);
	return true;
}

static bool run_tests(struct checking *checking, struct failure *why)
{
	for (size_t i = 0; i < checking->budget.count; i++)
		if (is_wanted(&checking->wish, checking->budget.tests[i].name) &&
		    !run_test(checking, &checking->budget.tests[i], why))
			return false;
	check_conclude(&checking->check);
	return true;
}

/*
 * The exit code is that of the tests, whatever can be written of them; a report that is missing is no pass either.  What
 * goes to stdout comes last: it is closed then.
 */
static bool report(const struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;
	const struct reader to_stdout = {.json = wish->json};
	struct sink sink;
	bool done = true;

	for (size_t i = 0; i < wish->report_count; i++)
		done = check_report_write(&wish->reports[i], &checking->check, why) && done;
	if (!reader_open_sink(&to_stdout, &sink, why))
		return false;
	done = (wish->json ? check_json : check_text)(&checking->check, &sink, why) && done;
	return sink_close(&sink, why) && done;
}

static bool check(struct checking *checking, struct failure *why)
{
	const struct check_wish *wish = &checking->wish;

	if (!library_find(wish->library, checking->library, why) || !read_tests(checking, why) ||
	    !find_against(checking, why) || !read_baseline(checking, why) ||
	    !is_something(checking, why) || !can_write(checking, why) || !make_places(checking, why))
		return false;
	prepare(checking);
	if (!run_tests(checking, why))
		return false;
	struct failure ignored = {FAILURE_NONE, ""};
	bool is_written = write_baseline(checking, why);
	return report(checking, is_written ? why : &ignored) && is_written;
}

static void close_all(struct checking *checking)
{
	for (size_t i = 0; i < checking->trial_count; i++)
		trials_free(&checking->trials[i]);
	free(checking->trials);
	if (checking->has_scratch)
		scratch_close(&checking->scratch);
	check_free(&checking->check);
	baseline_free(&checking->baseline);
	budget_free(&checking->budget);
}

/* No failure of poolmem itself passes for a budget that is exceeded. */
static int exit_code_of(const struct failure *why)
{
	int code = why->kind == FAILURE_USAGE ? command_failed("check", why) : failure_report(why);

	return code == EXIT_USAGE ? EXIT_USAGE : check_state_codes[CHECK_UNRELIABLE];
}

int cmd_check(int argc, char **argv)
{
	static struct checking checking;
	struct failure why = {FAILURE_NONE, ""};

	if (!check_options_parse(argc, argv, &checking.wish))
		return EXIT_USAGE;
	bool done = check(&checking, &why);
	int code = done ? check_state_codes[checking.check.state] : 0;
	int interrupted = checking.interrupted;
	close_all(&checking);
	if (interrupted) {
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
	return done ? code : exit_code_of(&why);
}
