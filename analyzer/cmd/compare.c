/* SPDX-License-Identifier: MIT */
/* compare.c: `poolmem compare`: a program under each allocator; launch/rounds.c does the work. */
#define _GNU_SOURCE
#include "render/compare.h"
#include "cmd/chosen.h"
#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "launch/environment.h"
#include "launch/library.h"
#include "launch/rounds.h"
#include "launch/say.h"
#include "study/budget.h"
#include "text/failure.h"
#include "text/progress.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RUNS = 8,
	INTERVAL_MS = 20,
	INTERVAL_MS_MAX = 3600000,
	NS_PER_MS = 1000000,
};

static const struct command_option options[] = {
	{"--runs N", "runs of each, 1 to 50 (8); fewer than 5 prove little"},
	{"--with NAME=PATH", "another allocator's library; may be given several times"},
	{"--only LIST", "these alone, as in glibc,jemalloc, and those of --with"},
	{"--ready CMD", "a server is ready once this shell command succeeds"},
	{"--load CMD", "and this one loads it; its time is what counts"},
	{"--stop SIG", "and this signal ends it (TERM)"},
	{"--timeout TIME",
	 "most for a run, --ready or --load: seconds, or as in 2min (none; --ready 60)"},
	{"--json, --markdown", "for machines; for a page"},
	{"--svg FILE", "resident memory over time as a picture, too"},
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	{"-f, --force", "replace files that are there"},
	{"--output-of-program", "what the program prints, on stderr; else it goes nowhere"},
	{"--interval MS", "time between looks at resident memory (20)"},
	{"--lib PATH", "the libpoolmem.so to use"},
	{NULL, NULL},
};

const struct command_help help_compare = {
	.usage = "compare [options] [--] PROGRAM [ARGUMENTS]",
	.purpose = "Runs a program under each allocator that is found here, in turn: time, resident\n"
		   "memory, page faults, live bytes and fragmentation; and says which to pick, and\n"
		   "how sure that is. Standard input, when it is a file, is read from its beginning\n"
		   "by each run. An interrupt (Ctrl-C) shows the runs that were finished.",
	.options = options,
	.examples =
		{
			{"poolmem compare -- ./app input.txt", "eight runs of each"},
			{"poolmem compare --runs 10 --with mine=./libmine.so --svg rss.svg -- ./app",
			 "an allocator of one's own beside the others, and a picture"},
			{"poolmem compare --ready 'redis-cli ping' \\\n"
			 "      --load 'redis-benchmark -q -n 100000' -- redis-server --save ''",
			 "a server under a load"},
		},
	.stops_at_operand = true,
};

struct compare_options {
	size_t runs;
	uint64_t interval_ns, timeout_ns;
	const char *with[ALLOCATOR_MAX];
	size_t with_count;
	const char *only, *ready, *load, *library, *svg, *output;
	int stop_signal;
	bool json, markdown, overwrite, shows_output;
	char **argv;
};

enum letter {
	LETTER_RUNS = 256,
	LETTER_WITH,
	LETTER_ONLY,
	LETTER_READY,
	LETTER_LOAD,
	LETTER_STOP,
	LETTER_TIMEOUT,
	LETTER_JSON,
	LETTER_MARKDOWN,
	LETTER_SVG,
	LETTER_SHOW,
	LETTER_INTERVAL,
	LETTER_LIB,
};

static const struct option longs[] = {
	{"runs", required_argument, NULL, LETTER_RUNS},
	{"with", required_argument, NULL, LETTER_WITH},
	{"only", required_argument, NULL, LETTER_ONLY},
	{"ready", required_argument, NULL, LETTER_READY},
	{"load", required_argument, NULL, LETTER_LOAD},
	{"stop", required_argument, NULL, LETTER_STOP},
	{"timeout", required_argument, NULL, LETTER_TIMEOUT},
	{"json", no_argument, NULL, LETTER_JSON},
	{"markdown", no_argument, NULL, LETTER_MARKDOWN},
	{"svg", required_argument, NULL, LETTER_SVG},
	{"output", required_argument, NULL, 'o'},
	{"force", no_argument, NULL, 'f'},
	{"output-of-program", no_argument, NULL, LETTER_SHOW},
	{"interval", required_argument, NULL, LETTER_INTERVAL},
	{"lib", required_argument, NULL, LETTER_LIB},
	{NULL, 0, NULL, 0},
};

static bool parse_number(const char *text, long most, long *ret)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == 0 || *end || number < 1 || number > most)
		return false;
	*ret = number;
	return true;
}

/* "TERM", "SIGTERM", "15"; 0: no signal. */
static int parse_signal(const char *text)
{
	const char *bare = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
	long number;

	if (parse_number(text, NSIG - 1, &number))
		return (int)number;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);
		if (name && strcmp(name, bare) == 0)
			return i;
	}
	return 0;
}

/* Those that take a value which may be wrong.  false after a message. */
static bool take_value(int letter, struct compare_options *options)
{
	struct failure why;
	long number;

	if (letter == LETTER_RUNS && !parse_number(optarg, COMPARE_RUNS_MAX, &number)) {
		command_usage_error("compare", "--runs '%s': a number from 1 to %d", optarg,
				    COMPARE_RUNS_MAX);
		return false;
	}
	if (letter == LETTER_INTERVAL && !parse_number(optarg, INTERVAL_MS_MAX, &number)) {
		command_usage_error("compare",
				    "--interval '%s': a number of milliseconds from 1 to %d",
				    optarg, INTERVAL_MS_MAX);
		return false;
	}
	if (letter == LETTER_TIMEOUT && !budget_time(optarg, &options->timeout_ns, &why)) {
		command_usage_error("compare", "--timeout '%s': %s", optarg, why.text);
		return false;
	}
	if (letter == LETTER_STOP && !(options->stop_signal = parse_signal(optarg))) {
		command_usage_error("compare", "--stop '%s': no signal has that name", optarg);
		return false;
	}
	if (letter == LETTER_RUNS)
		options->runs = (size_t)number;
	if (letter == LETTER_INTERVAL)
		options->interval_ns = (uint64_t)number * NS_PER_MS;
	return true;
}

static bool take_with(struct compare_options *options)
{
	if (options->with_count == ALLOCATOR_MAX) {
		command_usage_error("compare", "--with: more than %d", ALLOCATOR_MAX);
		return false;
	}
	options->with[options->with_count++] = optarg;
	return true;
}

/* false after a message. */
static bool take_option(int letter, struct compare_options *options)
{
	switch (letter) {
	case LETTER_WITH: return take_with(options);
	case LETTER_ONLY: options->only = optarg; return true;
	case LETTER_READY: options->ready = optarg; return true;
	case LETTER_LOAD: options->load = optarg; return true;
	case LETTER_JSON: options->json = true; return true;
	case LETTER_MARKDOWN: options->markdown = true; return true;
	case LETTER_SVG: options->svg = optarg; return true;
	case LETTER_SHOW: options->shows_output = true; return true;
	case LETTER_LIB: options->library = optarg; return true;
	case 'o': options->output = optarg; return true;
	case 'f': options->overwrite = true; return true;
	default: return take_value(letter, options);
	}
}

static bool is_sound(const struct compare_options *options)
{
	if (!*options->argv)
		command_usage_error("compare", "which program?");
	else if (options->ready && !options->load)
		command_usage_error("compare", "--ready is for a server: what is its --load?");
	else if (options->only && !*options->only)
		command_usage_error("compare", "--only '': which allocators?");
	else if (options->svg && options->output && strcmp(options->svg, options->output) == 0)
		command_usage_error("compare", "-o and --svg are the same file, %s", options->svg);
	else if (options->json && options->markdown)
		command_usage_error("compare", "--json or --markdown, not both");
	else if (options->svg && strcmp(options->svg, "-") == 0)
		command_usage_error("compare", "--svg takes a file, not '-'");
	else
		return true;
	return false;
}

static bool parse(int argc, char **argv, struct compare_options *ret)
{
	static const char *words[sizeof longs / sizeof *longs - 1];
	int letter;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		words[i] = longs[i].name;
	*ret = (struct compare_options){.runs = RUNS,
					.interval_ns = (uint64_t)INTERVAL_MS * NS_PER_MS,
					.stop_signal = SIGTERM};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:o:f", longs, NULL)) != -1) {
		if (letter == ':')
			command_usage_error("compare", "'%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			command_unknown_option("compare", argv, words, sizeof words / sizeof *words);
		if (letter == '?' || letter == ':' || !take_option(letter, ret))
			return false;
	}
	ret->argv = argv + optind;
	return is_sound(ret);
}

/* --- which allocators ---------------------------------------------------------------------------------- */

/* Those of --with are wanted whatever --only names. */
static bool choose(const struct compare_options *options, struct allocators *allocators,
		   struct failure *why)
{
	struct chosen chosen = {.allocators = allocators};

	for (size_t i = 0; i < options->with_count; i++)
		if (!chosen_add(&chosen, options->with[i], why))
			return false;
	if (!options->only)
		return true;
	if (!chosen_list(&chosen, "--only", options->only, why))
		return false;
	allocators_keep(allocators, chosen.wanted);
	return true;
}

/* --- the whole -------------------------------------------------------------------------------------------- */

static bool is_free(const char *path, const struct compare_options *options, struct failure *why)
{
	bool is_there = path && !options->overwrite && access(path, F_OK) == 0;

	return !is_there || fail(why, FAILURE_WRITE, "%s is there already; -f replaces it", path);
}

static bool write_to(const char *path, const struct comparison *comparison,
		     void (*put)(const struct comparison *, struct sink *), struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, path, why))
		return false;
	put(comparison, &sink);
	return sink_close(&sink, why);
}

static bool print(const struct compare_options *options, const struct comparison *comparison,
		  struct failure *why)
{
	if (options->svg && !write_to(options->svg, comparison, compare_svg, why))
		return false;
	return write_to(options->output, comparison,
			options->json       ? compare_json
			: options->markdown ? compare_markdown
					    : compare_text,
			why);
}

static bool is_runnable(const struct target *target, const char *name, struct failure *why)
{
	char text[400];

	if (target->error)
		return fail(why, FAILURE_NOTHING, "%s: %s", name, strerror(target->error));
	for (size_t i = 0; i < target->finding_count; i++) {
		if (target_finding_weight(target->finding[i].kind) == TARGET_PARTLY)
			continue;
		target_finding_text(&target->finding[i], text, sizeof text);
		return fail(why, FAILURE_NOTHING, "no other allocator can serve it: %s", text);
	}
	return true;
}

static void say_what_is_left_out(void)
{
	char *allocators = environment_allocators();

	if (*allocators)
		say("left out of LD_PRELOAD, as it serves malloc in the place of each: %s",
		    allocators);
	free(allocators);
}

/* What came through a pipe is there once, for one of the runs; most of those that are idle are not meant. */
static void say_what_was_not_read(void)
{
	struct stat status;
	int waiting = 0;

	if (fstat(STDIN_FILENO, &status) == 0 && S_ISFIFO(status.st_mode) &&
	    ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting)
		say("standard input is no file: each run found it empty; a file, as in <FILE, is read "
		    "anew by each");
}

/* Each has said why, above. */
static bool has_any(const struct comparison *comparison, struct failure *why)
{
	for (size_t i = 0; i < comparison->row_count; i++)
		if (comparison->row[i].state == COMPARE_DONE)
			return true;
	return fail(why, FAILURE_NOTHING, "no run came to its end under any of them");
}

static bool compare(const struct compare_options *options, const struct allocators *allocators,
		    const char *library, struct failure *why)
{
	static struct comparison comparison;
	static struct target target;
	struct progress progress = progress_begin("runs");
	struct rounds_plan plan = {
		.bare = {.argv = options->argv,
			 .target = &target,
			 .interval_ns = options->interval_ns,
			 .shows_output = options->shows_output,
			 .load = options->load,
			 .ready = options->ready,
			 .stop_signal = options->stop_signal,
			 .timeout_ns = options->timeout_ns},
		.library = library,
		.runs = options->runs,
		.progress = &progress,
	};

	target_inspect(options->argv[0], getenv("PATH"), &target);
	if (!is_runnable(&target, options->argv[0], why))
		return false;
	say_what_is_left_out();
	bool done = rounds_run(&plan, allocators, &comparison, why);
	progress_end(&progress);
	say_what_was_not_read();
	done = done && print(options, &comparison, why) && has_any(&comparison, why);
	rounds_free(&comparison);
	interrupted_end(comparison.interrupted, why);
	return done;
}

int cmd_compare(int argc, char **argv)
{
	static struct allocators allocators;
	struct failure why = {FAILURE_NONE, ""};
	struct compare_options options;
	char library[PATH_MAX];

	if (!parse(argc, argv, &options))
		return EXIT_USAGE;
	if (!library_find(options.library, library, &why) ||
	    !is_free(options.output, &options, &why) || !is_free(options.svg, &options, &why))
		return failure_report(&why);
	allocators_find(library, &allocators);
	if (choose(&options, &allocators, &why))
		compare(&options, &allocators, library, &why);
	allocators_free(&allocators);
	return why.kind == FAILURE_USAGE ? command_usage_error("compare", "%s", why.text)
					 : failure_report(&why);
}
