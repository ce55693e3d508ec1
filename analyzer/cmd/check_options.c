/* SPDX-License-Identifier: MIT */
/* check_options.c: see check_options.h. */
#define _GNU_SOURCE
#include "cmd/check_options.h"

#include "cmd/command.h"
#include "cmd/suppressed.h"
#include "study/budget.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LETTER_MAX_PEAK = 256,
	LETTER_MAX_ALLOCS,
	LETTER_NO_LEAKS,
	LETTER_RULE,
	LETTER_RUNS,
	LETTER_TIMEOUT,
	LETTER_EXIT,
	LETTER_ENVIRONMENT,
	LETTER_TEST,
	LETTER_BASELINE,
	LETTER_AGAINST,
	LETTER_UPDATE,
	LETTER_RATCHET,
	LETTER_KEEP,
	LETTER_SUPPRESSIONS,
	LETTER_UNRECORDED,
	LETTER_NO_DEFAULTS,
	LETTER_LIB,
	LETTER_REPORT,
	LETTER_JSON,
};

static const struct command_option options[] = {
	{"-b, --budget FILE", "tests and what they may use (" BUDGET_DEFAULT ")"},
	{"--test NAME", "of the budget file this test alone; several times"},
	{"--max-peak SIZE",
	 "live.peak <= SIZE, as in 24MiB: of malloc alone; the sum of the peaks of its processes"},
	{"--max-allocs N", "alloc.count <= N"},
	{"--no-leaks", "leak.blocks = 0, less what is suppressed"},
	{"--rule RULE", "as in a budget file: 'alloc.count <= baseline + 0.5%'; several times"},
	{"--runs N", "of each test, 2 to 50 (2, and 7 where these differ); medians are compared"},
	{"--timeout TIME", "of a run of the program: seconds, or as in 500ms or 2min"},
	{"--exit CODE", "what the program ends with (0), or the signal that kills it: SIGSEGV"},
	{"--env NAME=VALUE, --env NAME",
	 "a variable of each test's environment, or the same as here; several times"},
	{"--baseline FILE",
	 "what tests were worth before (" BASELINE_DEFAULT " beside the budget file)"},
	{"--against CAPTURE", "a capture as baseline, recorded with POOLMEM=sites=all"},
	{"--update", "make the baseline anew"},
	{"--ratchet", "lower it where a test that is within its budget became better"},
	{"--keep DIRECTORY", "keep a capture of each test there, named after it"},
	SUPPRESSIONS_HELP,
	{"--unrecorded NAME",
	 "a program that the test may start without a record; a pattern; several times"},
	{"--report FORMAT=FILE",
	 "text, json, junit, markdown, github, gitlab or openmetrics; several times"},
	{"--json", "the report on stdout for machines"},
	{"--lib PATH", "the libpoolmem.so to use"},
	{NULL, NULL},
};

const struct command_help help_check = {
	.usage = "check [options] [--] [PROGRAM [ARGUMENTS]]",
	.purpose = "Runs tests and says whether they stayed within their memory budget: those of a budget\n"
		   "file, or a program by itself. Exits with 0 within, 1 over budget, 2 for a wrong command\n"
		   "line, budget or baseline, 3 when it could not be measured reliably, 4 when a program\n"
		   "under test failed.",
	.options = options,
	.examples =
		{
			{"poolmem check", "the tests of " BUDGET_DEFAULT},
			{"poolmem check --max-peak 24MiB --no-leaks -- ./app input.txt",
			 "one program, without a file"},
			{"poolmem check --update", "what they use now is the baseline from here on"},
		},
	.stops_at_operand = true,
};

static bool repeat(struct repeated *repeated, const char *option, const char *value)
{
	if (repeated->count == READER_REPEAT_MAX) {
		command_usage_error("check", "%s: more than %d", option, READER_REPEAT_MAX);
		return false;
	}
	repeated->list[repeated->count++] = value;
	return true;
}

/* The rule that an option stands for. */
static bool take_limit(struct check_wish *wish, const char *option, const char *metric,
		       const char *value)
{
	char *text;

	if (asprintf(&text, "%s <= %s", metric, value) < 0)
		abort();
	return repeat(&wish->rules, option, text); /* kept to the end */
}

static bool take_runs(struct check_wish *wish)
{
	char *end;
	unsigned long runs = strtoul(optarg, &end, 10);

	if (!*optarg || *end || runs < 2 || runs > BUDGET_RUNS_MAX) {
		command_usage_error("check", "--runs '%s': a number from 2 to %d", optarg,
				    BUDGET_RUNS_MAX);
		return false;
	}
	wish->runs = runs;
	return true;
}

static bool take_timeout(struct check_wish *wish)
{
	struct failure why;

	if (budget_time(optarg, &wish->timeout_ns, &why))
		return true;
	command_usage_error("check", "--timeout '%s': %s", optarg, why.text);
	return false;
}

static bool take_report(struct check_wish *wish)
{
	struct failure why = {FAILURE_NONE, ""};

	if (wish->report_count == READER_REPEAT_MAX)
		fail(&why, FAILURE_USAGE, "--report: more than %d", READER_REPEAT_MAX);
	else if (check_report_parse(optarg, &wish->reports[wish->report_count], &why))
		wish->report_count++;
	if (why.kind != FAILURE_NONE)
		command_usage_error("check", "%s", why.text);
	return why.kind == FAILURE_NONE;
}

/* false after a message. */
static bool take_option(int letter, struct check_wish *wish)
{
	switch (letter) {
	case 'b': wish->budget = optarg; return true;
	case LETTER_TEST: return repeat(&wish->tests, "--test", optarg);
	case LETTER_MAX_PEAK: return take_limit(wish, "--max-peak", "live.peak", optarg);
	case LETTER_MAX_ALLOCS: return take_limit(wish, "--max-allocs", "alloc.count", optarg);
	case LETTER_NO_LEAKS: return repeat(&wish->rules, "--no-leaks", "leak.blocks = 0");
	case LETTER_RULE: return repeat(&wish->rules, "--rule", optarg);
	case LETTER_RUNS: return take_runs(wish);
	case LETTER_TIMEOUT: return take_timeout(wish);
	case LETTER_EXIT: wish->exit = optarg; return true;
	case LETTER_ENVIRONMENT: return repeat(&wish->variables, "--env", optarg);
	case LETTER_BASELINE: wish->baseline = optarg; return true;
	case LETTER_AGAINST: wish->against = optarg; return true;
	case LETTER_UPDATE: wish->update = true; return true;
	case LETTER_RATCHET: wish->ratchet = true; return true;
	case LETTER_KEEP: wish->keep = optarg; return true;
	case LETTER_UNRECORDED: return repeat(&wish->unrecorded, "--unrecorded", optarg);
	case LETTER_SUPPRESSIONS: return repeat(&wish->suppressions, "--suppressions", optarg);
	case LETTER_NO_DEFAULTS: wish->no_defaults = true; return true;
	case LETTER_LIB: wish->library = optarg; return true;
	case LETTER_JSON: wish->json = true; return true;
	case LETTER_REPORT: return take_report(wish);
	default: return false;
	}
}

static bool is_sound(const struct check_wish *wish)
{
	if (*wish->argv && wish->budget)
		command_usage_error("check", "a budget file or a program, not both");
	else if (*wish->argv && wish->tests.count)
		command_usage_error("check", "--test names one of a budget file");
	else if (!*wish->argv && (wish->timeout_ns || wish->exit))
		command_usage_error("check", "%s is of a program; in a budget file it is a key",
				    wish->timeout_ns ? "--timeout" : "--exit");
	else if (wish->update && wish->ratchet)
		command_usage_error("check", "--update or --ratchet, not both");
	else if (wish->against && (wish->update || wish->ratchet || wish->baseline))
		command_usage_error("check", "--against is of a capture, %s of a baseline",
				    wish->update    ? "--update"
				    : wish->ratchet ? "--ratchet"
						    : "--baseline");
	else
		return true;
	return false;
}

static const struct option longs[] = {
	{"budget", required_argument, NULL, 'b'},
	{"test", required_argument, NULL, LETTER_TEST},
	{"max-peak", required_argument, NULL, LETTER_MAX_PEAK},
	{"max-allocs", required_argument, NULL, LETTER_MAX_ALLOCS},
	{"no-leaks", no_argument, NULL, LETTER_NO_LEAKS},
	{"rule", required_argument, NULL, LETTER_RULE},
	{"runs", required_argument, NULL, LETTER_RUNS},
	{"timeout", required_argument, NULL, LETTER_TIMEOUT},
	{"exit", required_argument, NULL, LETTER_EXIT},
	{"env", required_argument, NULL, LETTER_ENVIRONMENT},
	{"baseline", required_argument, NULL, LETTER_BASELINE},
	{"against", required_argument, NULL, LETTER_AGAINST},
	{"update", no_argument, NULL, LETTER_UPDATE},
	{"ratchet", no_argument, NULL, LETTER_RATCHET},
	{"keep", required_argument, NULL, LETTER_KEEP},
	{"unrecorded", required_argument, NULL, LETTER_UNRECORDED},
	{"suppressions", required_argument, NULL, LETTER_SUPPRESSIONS},
	{"no-default-suppressions", no_argument, NULL, LETTER_NO_DEFAULTS},
	{"report", required_argument, NULL, LETTER_REPORT},
	{"json", no_argument, NULL, LETTER_JSON},
	{"lib", required_argument, NULL, LETTER_LIB},
	{NULL, 0, NULL, 0},
};

bool check_options_parse(int argc, char **argv, struct check_wish *ret)
{
	static const char *words[sizeof longs / sizeof *longs - 1];
	int letter, at = 1;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		words[i] = longs[i].name;
	*ret = (struct check_wish){.runs = 0};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:b:", longs, NULL)) != -1) {
		at = optind;
		if (letter == ':')
			command_usage_error("check", "'%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			command_unknown_option("check", argv, words, sizeof words / sizeof *words);
		if (letter == '?' || letter == ':' || !take_option(letter, ret))
			return false;
	}
	ret->argv = argv + optind;
	if (optind > at && !*ret->argv) {
		command_usage_error("check", "which program? Nothing stands behind --");
		return false;
	}
	return is_sound(ret);
}
