/* SPDX-License-Identifier: MIT */
/* replay.c: `poolmem replay`: the calls that a program made, made again under each allocator. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "cmd/command.h"
#include "cmd/replay_what_if.h"
#include "launch/script.h"
#include "render/replay.h"
#include "render/trace.h"
#include "text/allocate.h"
#include "text/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_DEFAULT = 3, RUNS_WHAT_IF = VARIANT_RUNS_MIN };

static const struct command_option options[] = {
	{"--under LIST",
	 "allocators by commas, as glibc,jemalloc,mine=./libmine.so (all that are here)"},
	{"--what-if", "under poolmem alone, with other pools, classes, placement and purge delay"},
	{"--speed", "touch no memory: the time of the calls alone"},
	{"--fast", "do not wait: allocators that give memory back by the clock then keep more"},
	{"--runs N", "replays under each, in turn; medians are shown (3, of --what-if 5)"},
	{"--process N", "which process of the trace: 0 the first, others were forked by it (0)"},
	{"--print", "print the calls as text, and replay nothing"},
	{"--lib PATH", "the libpoolmem.so to use"},
	{"--json", "for machines: bytes and nanoseconds"},
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	{NULL, NULL},
};

const struct command_help help_replay = {
	.usage = "replay [options] FILE\n       poolmem replay --what-if [options] [PARAM[=VALUE]...] FILE",
	.purpose = "Makes the calls of malloc's family again that a program made, from a trace that `run --trace`\n"
		   "or POOLMEM=trace=FILE wrote: thread by thread, under each allocator that is here. What they\n"
		   "cost in time and memory stands side by side, without what else the program did.",
	.options = options,
	.examples =
		{
			{"poolmem replay poolmem.app.1234.pmt",
			 "time and memory under each allocator"},
			{"poolmem replay --what-if pool purge=0 app.pmt",
			 "with other pools, and without delay"},
			{"poolmem replay --print app.pmt | head",
			 "what the program asked for, call by call"},
		},
};

struct replay_options {
	const char *file, *under, *library, *output;
	bool speed, fast, print, json, what_if;
	long runs, process; /* runs 0: as many as is usual */
	struct variant_choice choice;
};

static bool parse_number(const char *text, long least, long most, long *ret)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < least || number > most)
		return false;
	*ret = number;
	return true;
}

/* False after a message. */
static bool take_option(int letter, struct replay_options *ret)
{
	switch (letter) {
	case 'u': ret->under = optarg; return true;
	case 's': ret->speed = true; return true;
	case 'w': ret->what_if = true; return true;
	case 'f': ret->fast = true; return true;
	case 'p': ret->print = true; return true;
	case 'j': ret->json = true; return true;
	case 'l': ret->library = optarg; return true;
	case 'o': ret->output = optarg; return true;
	case 'r':
		if (parse_number(optarg, 1, REPLAY_RUNS_MAX, &ret->runs))
			return true;
		command_usage_error("replay", "--runs '%s': a number from 1 to %d", optarg,
				    REPLAY_RUNS_MAX);
		return false;
	default:
		if (parse_number(optarg, 0, INT32_MAX, &ret->process))
			return true;
		command_usage_error("replay", "--process '%s': a number from 0", optarg);
		return false;
	}
}

static bool takes_what_if(const struct replay_options *options)
{
	const char *other = options->under   ? "--under"
			    : options->speed ? "--speed"
			    : options->print ? "--print"
					     : NULL;

	if (options->what_if && other)
		command_usage_error("replay", "--what-if goes without %s", other);
	else if (options->what_if && options->runs > VARIANT_RUNS_MAX)
		command_usage_error("replay", "--runs: at most %d with --what-if", VARIANT_RUNS_MAX);
	else
		return true;
	return false;
}

/* The last operand is the trace; those before it name what --what-if tries. */
static bool take_operands(char *const *operands, size_t count, struct replay_options *ret)
{
	struct failure why;

	if (!takes_what_if(ret))
		return false;
	if (!count || (count > 1 && !ret->what_if)) {
		command_usage_error("replay", count ? "one trace at a time" : "which trace?");
		return false;
	}
	if (!ret->runs)
		ret->runs = ret->what_if ? RUNS_WHAT_IF : RUNS_DEFAULT;
	ret->file = operands[count - 1];
	if (variants_choose((const char *const *)operands, count - 1, &ret->choice, &why))
		return true;
	command_failed("replay", &why);
	return false;
}

static bool parse(int argc, char **argv, struct replay_options *ret)
{
	static const struct option longs[] = {
		{"under", required_argument, NULL, 'u'},
		{"speed", no_argument, NULL, 's'},
		{"fast", no_argument, NULL, 'f'},
		{"runs", required_argument, NULL, 'r'},
		{"process", required_argument, NULL, 'P'},
		{"print", no_argument, NULL, 'p'},
		{"lib", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{"output", required_argument, NULL, 'o'},
		{"what-if", no_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	static const char *const words[] = {"under", "speed", "fast", "runs",   "process",
					    "print", "lib",   "json", "output", "what-if"};
	int letter;

	*ret = (struct replay_options){.runs = 0};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":o:", longs, NULL)) != -1) {
		if (letter == ':')
			command_usage_error("replay", "'%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			command_unknown_option("replay", argv, words, sizeof words / sizeof *words);
		if (letter == '?' || letter == ':' || !take_option(letter, ret))
			return false;
	}
	return take_operands(argv + optind, (size_t)(argc - optind), ret);
}

static bool print_calls(struct trace *trace, const struct replay_options *options,
			struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, options->output, why))
		return false;
	bool printed = trace_print(trace, &sink, why);
	struct failure later;
	bool closed = sink_close(&sink, printed ? why : &later);

	return printed && closed;
}

/* Where there is room for it: beside nothing of the user's. */
static char *script_path(void)
{
	const char *directory = getenv("TMPDIR");
	char *path;

	if (asprintf(&path, "%s/poolmem-replay.%ld.script",
		     directory && *directory ? directory : "/tmp", (long)getpid()) < 0)
		abort();
	return path;
}

static const char *mode_of(const struct replay_options *options)
{
	if (options->speed)
		return SCRIPT_MODE_SPEED;
	return options->fast ? SCRIPT_MODE_TOUCH : SCRIPT_MODE_PACED;
}

static bool show(const struct replay_options *options, const struct replay_view *view,
		 struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, options->output, why))
		return false;
	if (options->json)
		replay_json(view, &sink);
	else
		replay_text(view, &sink);
	return sink_close(&sink, why);
}

static bool measure(const struct replay_options *options, const struct replay_plan *plan,
		    const struct allocator *const *allocator, size_t count,
		    struct replay_view *view, struct failure *why)
{
	struct replay_row *rows = allocate(count + 1, sizeof *rows);

	view->row = rows;
	view->row_count = count;
	bool measured = replay_run_all(plan, allocator, rows, count, why);

	progress_end(plan->progress);
	bool shown = measured && show(options, view, why);

	free(rows);
	return shown;
}

static bool measure_all(const struct replay_options *options, const struct replay_plan *plan,
			struct replay_view *view, struct failure *why)
{
	const struct allocator *here[ALLOCATOR_MAX];
	struct allocators all;
	size_t count;

	if (!replay_find(options->under, options->library, &all, here, &count, why))
		return false;
	bool shown = measure(options, plan, here, count, view, why);

	allocators_free(&all);
	return shown;
}

static bool measure_what_if(const struct replay_options *options, const struct replay_plan *plan,
			    struct replay_view *view, struct failure *why)
{
	const struct replay_what_if asked = {.choice = &options->choice,
					     .library = options->library,
					     .output = options->output,
					     .json = options->json};

	return replay_what_if(&asked, plan, view, why);
}

static bool replay_script(const struct replay_options *options, const char *script,
			  const struct trace *trace, const struct script_facts *facts,
			  struct failure *why)
{
	const struct pm_trace_header *header = &trace->file->header;
	struct progress progress = progress_begin("replays");
	const struct replay_plan plan = {.script = script,
					 .mode = mode_of(options),
					 .runs = (size_t)options->runs,
					 .progress = &progress};
	struct replay_view view = {
		.exe = header->exe,
		.pid = trace->pid,
		.events = facts->events,
		.threads = facts->threads,
		.unknown = facts->unknown,
		.implied = facts->implied,
		.live_peak = facts->live_peak,
		.live_end = facts->live_end,
		.missed = header->missed,
		.is_full = header->flags & PM_TRACE_FULL,
		.touches = !options->speed,
		.waits = !options->speed && !options->fast,
	};

	return options->what_if ? measure_what_if(options, &plan, &view, why)
				: measure_all(options, &plan, &view, why);
}

/* Its name goes: nothing is left however this program ends.  Replays inherit the descriptor, above all that they use. */
static bool open_only(const char *script, int *ret_fd, struct failure *why)
{
	enum { ABOVE_OTHERS = 100 };
	int fd = open(script, O_RDONLY | O_CLOEXEC);

	*ret_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD, ABOVE_OTHERS);
	bool done = *ret_fd >= 0 || fail(why, FAILURE_WRITE, "%s: %s", script, strerror(errno));

	if (fd >= 0)
		close(fd);
	unlink(script);
	return done;
}

static bool replay(struct trace *trace, const struct replay_options *options, struct failure *why)
{
	struct script_facts facts;
	char *script = script_path(), open_script[32];
	int fd = -1;
	bool made = script_make(trace, script, &facts, why) && open_only(script, &fd, why);

	snprintf(open_script, sizeof open_script, "/proc/self/fd/%d", fd);
	bool done = made && replay_script(options, open_script, trace, &facts, why);

	if (fd >= 0)
		close(fd);
	free(script);
	return done;
}

static bool open_and_go(const struct replay_options *options, struct failure *why)
{
	struct trace_file file;
	struct trace trace;

	if (!trace_file_open(options->file, &file, why))
		return false;
	bool begun = trace_begin(&trace, &file, (uint32_t)options->process, why);
	bool done = begun && (options->print ? print_calls(&trace, options, why)
					     : replay(&trace, options, why));

	if (begun)
		trace_end(&trace);
	trace_file_close(&file);
	return done;
}

int cmd_replay(int argc, char **argv)
{
	struct failure why = {FAILURE_NONE, ""};
	struct replay_options given;

	if (!parse(argc, argv, &given))
		return EXIT_USAGE;
	open_and_go(&given, &why);
	return failure_report(&why);
}
