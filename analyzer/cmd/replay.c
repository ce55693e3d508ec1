/* SPDX-License-Identifier: MIT */
/* replay.c: `poolmem replay`: the calls that a program made, made again under each allocator. */
#define _GNU_SOURCE
#include "launch/replay.h"

#include "cmd/chosen.h"
#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "cmd/replay_what_if.h"
#include "launch/library.h"
#include "launch/script.h"
#include "render/compare.h"
#include "render/trace.h"
#include "study/budget.h"
#include "text/allocate.h"
#include "text/progress.h"
#include "text/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS_DEFAULT = 8 };

static const struct command_option options[] = {
	{"--under LIST", "allocators, as glibc,mine=./libmine.so (all that are here)"},
	{"--what-if", "under poolmem alone, with other values of its constants"},
	{"--speed", "touch no memory: the time of the calls alone"},
	{"--fast", "do not wait; some allocators give memory back by the clock"},
	{"--runs N", "replays under each allocator, in turn, 1 to 50 (8)"},
	{"--timeout TIME", "most for a replay: seconds, or as in 2min (none)"},
	{"--process N", "which process of the trace: 0 the first, others forks (0)"},
	{"--print", "print the calls as text, and replay nothing"},
	{"--lib PATH", "the libpoolmem.so to use"},
	{"--json", "for machines: bytes and nanoseconds"},
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	{"-f, --force", "replace the file when it is there"},
	{NULL, NULL},
};

const struct command_help help_replay = {
	.usage = "replay [options] FILE\n       poolmem replay --what-if [options] [PARAM[=VALUE]...] FILE",
	.purpose = "Makes the calls of malloc's family again that a program made, from a trace that\n"
		   "`run --trace` or POOLMEM=trace=FILE wrote: thread by thread, under each\n"
		   "allocator that is here. What they cost in time and memory stands side by side,\n"
		   "without what else the program did. An interrupt (Ctrl-C) shows the replays\n"
		   "that were finished.",
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
	bool speed, fast, print, json, what_if, overwrite;
	long runs, process;
	uint64_t timeout_ns;
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
	struct failure why;

	switch (letter) {
	case 'u': ret->under = optarg; return true;
	case 's': ret->speed = true; return true;
	case 'w': ret->what_if = true; return true;
	case 'a': ret->fast = true; return true;
	case 'f': ret->overwrite = true; return true;
	case 'p': ret->print = true; return true;
	case 'j': ret->json = true; return true;
	case 'l': ret->library = optarg; return true;
	case 'o': ret->output = optarg; return true;
	case 'r':
		if (parse_number(optarg, 1, COMPARE_RUNS_MAX, &ret->runs))
			return true;
		command_usage_error("replay", "--runs '%s': a number from 1 to %d", optarg,
				    COMPARE_RUNS_MAX);
		return false;
	case 't':
		if (budget_time(optarg, &ret->timeout_ns, &why))
			return true;
		command_usage_error("replay", "--timeout '%s': %s", optarg, why.text);
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
		{"fast", no_argument, NULL, 'a'},
		{"runs", required_argument, NULL, 'r'},
		{"timeout", required_argument, NULL, 't'},
		{"process", required_argument, NULL, 'P'},
		{"print", no_argument, NULL, 'p'},
		{"lib", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{"output", required_argument, NULL, 'o'},
		{"force", no_argument, NULL, 'f'},
		{"what-if", no_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	static const char *const words[] = {"under",   "speed",   "fast",    "runs",
					    "timeout", "process", "print",   "lib",
					    "json",    "output",  "what-if", "force"};
	int letter;

	*ret = (struct replay_options){.runs = RUNS_DEFAULT};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":o:f", longs, NULL)) != -1) {
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

/* One with a name for a moment, where the file system has no others. */
static int open_nameless(const char *directory)
{
	char path[PATH_MAX];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	snprintf(path, sizeof path, "%s/poolmem-replay.XXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static bool no_script(const char *directory, struct failure *why)
{
	const char *variable = getenv("TMPDIR");

	return fail(why, FAILURE_WRITE, "%s%.300s: the script of the replay cannot be there: %s",
		    variable && *variable ? "TMPDIR=" : "", directory, strerror(errno));
}

/* A file without a name, where there is room for it: nothing is left however this program ends. */
static bool open_script(int *ret_fd, struct failure *why)
{
	enum { ABOVE_OTHERS = 100 };
	const char *variable = getenv("TMPDIR");
	const char *directory = variable && *variable ? variable : "/tmp";
	int fd = open_nameless(directory);

	if (fd < 0)
		return no_script(directory, why);
	*ret_fd = fcntl(fd, F_DUPFD, ABOVE_OTHERS); /* replays inherit it, above all that they use */
	close(fd);
	return *ret_fd >= 0 || no_script(directory, why);
}

static const char *mode_of(const struct replay_options *options)
{
	if (options->speed)
		return SCRIPT_MODE_SPEED;
	return options->fast ? SCRIPT_MODE_TOUCH : SCRIPT_MODE_PACED;
}

static bool show(const struct replay_options *options, const struct comparison *comparison,
		 struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, options->output, why))
		return false;
	if (options->json)
		compare_json(comparison, &sink);
	else
		compare_text(comparison, &sink);
	return sink_close(&sink, why);
}

static struct compare_replay facts_from(const struct replay_options *options,
					const struct trace *trace, const struct script_facts *facts)
{
	const struct pm_trace_header *header = &trace->file->header;

	return (struct compare_replay){
		.exe = header->exe,
		.pid = trace->pid,
		.events = facts->events,
		.threads = facts->threads,
		.unknown = facts->unknown,
		.implied = facts->implied,
		.missed = header->missed,
		.live_peak = facts->live_peak,
		.live_end = facts->live_end,
		.is_full = header->flags & PM_TRACE_FULL,
		.touches = !options->speed,
		.waits = !options->speed && !options->fast,
	};
}

static bool choose(const struct replay_options *options, struct allocators *allocators,
		   struct failure *why)
{
	struct chosen chosen = {.allocators = allocators};

	if (!options->under)
		return true;
	if (!chosen_list(&chosen, "--under", options->under, why))
		return false;
	allocators_keep(allocators, chosen.wanted);
	return allocators->count || fail(why, FAILURE_USAGE, "--under which allocators?");
}

/* Before the trace is read: that may take long. */
static bool find_allocators(const struct replay_options *options, struct allocators *ret,
			    struct failure *why)
{
	char libpoolmem[PATH_MAX];

	if (!library_find(options->library, libpoolmem, why))
		return false;
	allocators_find(libpoolmem, ret);
	if (choose(options, ret, why))
		return true;
	allocators_free(ret);
	return false;
}

static bool measure(const struct replay_options *options, const struct allocators *allocators,
		    const struct replay_plan *plan, struct failure *why)
{
	struct comparison *comparison = allocate(1, sizeof *comparison);
	bool shown = replay_run(plan, allocators, comparison, why) && show(options, comparison, why);

	interrupted_end(comparison->interrupted, why);
	free(comparison);
	return shown;
}

/* allocators: NULL: --what-if. */
static bool replay_script(const struct replay_options *options, const struct allocators *allocators,
			  int fd, const struct compare_replay *facts, struct failure *why)
{
	struct progress progress = progress_begin("replays");
	const struct replay_what_if asked = {.choice = &options->choice,
					     .library = options->library,
					     .output = options->output,
					     .json = options->json};
	char script[32];
	const struct replay_plan plan = {
		.script = script,
		.mode = mode_of(options),
		.runs = (size_t)options->runs,
		.timeout_ns = options->timeout_ns,
		.facts = facts,
		.progress = &progress,
	};

	snprintf(script, sizeof script, "/proc/self/fd/%d", fd);
	return allocators ? measure(options, allocators, &plan, why)
			  : replay_what_if(&asked, &plan, why);
}

static bool make_and_replay(struct trace *trace, const struct replay_options *options,
			    const struct allocators *allocators, struct failure *why)
{
	struct script_facts facts;
	int fd = -1;

	if (!open_script(&fd, why))
		return false;
	bool made = script_make(trace, fd, &facts, why);
	struct compare_replay about = facts_from(options, trace, &facts);
	made = made && (about.events || fail(why, FAILURE_NOTHING,
					     "%.300s: the trace holds no call", options->file));
	bool done = made && replay_script(options, allocators, fd, &about, why);

	close(fd);
	return done;
}

static bool replay(struct trace *trace, const struct replay_options *options, struct failure *why)
{
	struct allocators allocators;

	if (options->what_if)
		return make_and_replay(trace, options, NULL, why);
	if (!find_allocators(options, &allocators, why))
		return false;
	bool done = make_and_replay(trace, options, &allocators, why);

	allocators_free(&allocators);
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

static bool is_same_file(const char *one, const char *other)
{
	struct stat first, second;

	return stat(one, &first) == 0 && stat(other, &second) == 0 &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Before anything is replayed. */
static bool may_write(const struct replay_options *options, struct failure *why)
{
	if (!options->output)
		return true;
	if (is_same_file(options->output, options->file))
		return fail(why, FAILURE_USAGE, "-o '%.300s' is the trace itself", options->output);
	return may_replace(options->output, options->overwrite, why);
}

int cmd_replay(int argc, char **argv)
{
	struct failure why = {FAILURE_NONE, ""};
	struct replay_options given;

	if (!parse(argc, argv, &given))
		return EXIT_USAGE;
	if (may_write(&given, &why))
		open_and_go(&given, &why);
	return command_failed("replay", &why);
}
