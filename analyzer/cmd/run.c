/* SPDX-License-Identifier: MIT */
/* run.c: `poolmem run`: options, what is said before and after; launch/record.c does the work. */
#define _GNU_SOURCE
#include "cmd/command.h"
#include "launch/environment.h"
#include "launch/library.h"
#include "launch/name.h"
#include "launch/record.h"
#include "launch/say.h"
#include "launch/settings.h"
#include "launch/traces.h"
#include "render/json.h"
#include "render/words.h"
#include "study/summary.h"
#include "text/failure.h"
#include "text/number.h"
#include "text/quote.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INTERVAL_MS = 100, INTERVAL_MS_MAX = 3600000, NS_PER_MS = 1000000, FAULT_COUNT_MAX = 3 };

static const struct command_option options[] = {
	{"-o, --output FILE", "the capture; may hold %e %p %h %t %n %% (" NAME_DEFAULT ")"},
	{"-f, --force", "replace the file when it is there"},
	{"--only PATTERN", "keep only executables whose name matches, as in 'gcc*'"},
	{"--frag", "note where each block is, at peaks and at the end, for frag"},
	{"--trace[=FILE]", "record each call, for replay (poolmem.NAME.%p.pmt)"},
	{"--interval MS", "time between looks at resident memory (100)"},
	{"--lib PATH", "the libpoolmem.so to use"},
	{"--json", "the summary as JSON, on stderr"},
	{"-q, --quiet", "no warnings before and no summary after"},
	{NULL, NULL},
};

const struct command_help help_run = {
	.usage = "run [options] [--] PROGRAM [ARGUMENTS]",
	.purpose = "Runs a program with libpoolmem.so preloaded and keeps one capture of it and of\n"
		   "every process it starts. Output and exit code of the program pass through.",
	.options = options,
	.examples =
		{
			{"poolmem run -- ./app input.txt",
			 "writes poolmem.app.PID.pm, to read with report"},
			{"poolmem run -o build-%n.pm --only 'cc1*' -- make -j2",
			 "the compilers of a build"},
			{"poolmem run -q -f -o app.pm -- ./app | less",
			 "nothing of its own on the screen"},
		},
	.stops_at_operand = true,
};

struct run_options {
	const char *pattern, *only, *library;
	bool overwrite, quiet, json, surveys, traces;
	const char *trace; /* NULL: the name by default */
	uint64_t interval_ns;
	char **argv;
};

static bool parse_interval(const char *text, uint64_t *ret_ns)
{
	char *end;
	long ms = strtol(text, &end, 10);

	if (*text == 0 || *end || ms < 1 || ms > INTERVAL_MS_MAX)
		return false;
	*ret_ns = (uint64_t)ms * NS_PER_MS;
	return true;
}

/* False after a message. */
static bool take_option(int letter, struct run_options *options)
{
	switch (letter) {
	case 'o': options->pattern = optarg; break;
	case 'f': options->overwrite = true; break;
	case 'q': options->quiet = true; break;
	case 'j': options->json = true; break;
	case 'O': options->only = optarg; break;
	case 'l': options->library = optarg; break;
	case 'F': options->surveys = true; break;
	case 't':
		options->traces = true;
		options->trace = optarg;
		break;
	case 'i':
		if (parse_interval(optarg, &options->interval_ns))
			break;
		command_usage_error("run", "--interval '%s': a number of milliseconds from 1 to %d",
				    optarg, INTERVAL_MS_MAX);
		return false;
	default: return false;
	}
	return true;
}

static bool parse(int argc, char **argv, struct run_options *ret)
{
	static const struct option longs[] = {
		{"output", required_argument, NULL, 'o'},
		{"force", no_argument, NULL, 'f'},
		{"only", required_argument, NULL, 'O'},
		{"interval", required_argument, NULL, 'i'},
		{"lib", required_argument, NULL, 'l'},
		{"frag", no_argument, NULL, 'F'},
		{"trace", optional_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	static const char *const words[] = {"output", "force", "only", "interval", "lib",
					    "json",   "quiet", "frag", "trace"};
	int letter;

	*ret = (struct run_options){.pattern = NAME_DEFAULT,
				    .interval_ns = (uint64_t)INTERVAL_MS * NS_PER_MS};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:o:fq", longs, NULL)) != -1) {
		if (letter == ':')
			command_usage_error("run", "'%s' needs a value", argv[optind - 1]);
		if (letter == '?')
			command_unknown_option("run", argv, words, sizeof words / sizeof *words);
		if (letter == '?' || letter == ':')
			return false;
		if (!take_option(letter, ret))
			return false;
	}
	ret->argv = argv + optind;
	if (!*ret->argv)
		command_usage_error("run", "which program?");
	else if (traces_has_name(ret->trace, ret->pattern))
		command_usage_error("run", "-o and --trace: both are to go to '%s'", ret->pattern);
	else
		return true;
	return false;
}

static void say_findings(const struct target *target)
{
	char text[PATH_MAX + 2 * TARGET_DETAIL_MAX];

	for (size_t i = 0; i < target->finding_count; i++) {
		target_finding_text(&target->finding[i], text, sizeof(text));
		say("%s", text);
	}
}

/* Once for all processes: they get what is good. */
static void say_faults(void)
{
	struct settings_fault fault[FAULT_COUNT_MAX];
	const char *text = getenv("POOLMEM");
	size_t count = text && !environment_is_off() ? settings_faults(text, fault, FAULT_COUNT_MAX)
						     : 0;

	for (size_t i = 0; i < count && i < FAULT_COUNT_MAX; i++)
		say("%s", fault[i].text);
	if (count > FAULT_COUNT_MAX)
		say("POOLMEM: %zu more are wrong: poolmem doctor", count - FAULT_COUNT_MAX);
}

/* Why the program's calls will not arrive, as far as it can be known before. */
static void say_before(const struct run_options *options, const struct target *target)
{
	if (options->quiet)
		return;
	say_faults();
	say_findings(target);
	if (environment_is_off())
		say("POOLMEM=off is set: the library will stand aside");
	if (options->surveys && environment_is_next())
		say("--frag: with heap=next another allocator places the blocks: poolmem frag will have nothing to "
		    "show");
	if (options->traces && environment_is_next())
		say("--trace: with heap=next another allocator serves: its calls are not recorded");
}

static void say_peak(const struct metrics *all)
{
	say("peak           %s live, %s resident", number_bytes(metric(all, METRIC_LIVE_PEAK)).text,
	    all->value[METRIC_RSS_PEAK].is_known ? number_bytes(metric(all, METRIC_RSS_PEAK)).text
						 : "too short to see what was");
}

static void say_allocations(const struct summary *summary)
{
	struct number count = number_count(metric(&summary->total, METRIC_ALLOC_COUNT));
	struct number programs = number_of(summary->exec_count, "program");

	if (summary->fork_count)
		say("allocations    %s, in %s and %s", count.text, programs.text,
		    number_of(summary->fork_count, "fork").text);
	else
		say("allocations    %s, in %s", count.text, programs.text);
}

static void say_figures(const struct summary *summary)
{
	const struct metrics *all = &summary->total;

	say_peak(all);
	say_allocations(summary);
	say("never freed    %s, %s", words_blocks(all, METRIC_LEAK_BLOCKS).text,
	    words_bytes(all, METRIC_LEAK_BYTES).text);
	if (metric(all, METRIC_HEAP_COMMITTED_PEAK))
		say("fragmentation  heap mapped at its peak: %s; live: %s",
		    words_bytes(all, METRIC_HEAP_COMMITTED_PEAK).text,
		    number_bytes(metric(all, METRIC_LIVE_PEAK)).text);
}

static void say_missing(const struct record *record, const struct summary *summary)
{
	if (summary->unrecorded_count)
		say("not recorded   %s: %s", number_of(summary->unrecorded_count, "program").text,
		    summary->unrecorded);
	if (record->outlived)
		say("still running  %zu process%s, segments in %s", record->outlived,
		    record->outlived == 1 ? "" : "es", record->directory);
	if (record->left_out)
		say("left out       %zu other program%s (--only)", record->left_out,
		    record->left_out == 1 ? "" : "s");
}

/* The path as the user would type it from here. */
static const char *short_path(const char *path)
{
	char here[PATH_MAX];
	size_t length = getcwd(here, sizeof(here)) ? strlen(here) : 0;
	bool is_here = length > 1 && strncmp(path, here, length) == 0 && path[length] == '/' &&
		       !strchr(path + length + 1, '/');

	return is_here ? path + length + 1 : path;
}

static void print_json(const struct record *record, const struct summary *summary)
{
	json_t *json = json_pack(
		"{s:i, s:o, s:o, s:[], s:o, s:I, s:I, s:I}", "schema", JSON_SCHEMA, "metrics",
		json_metrics(&summary->total), "estimated", json_estimated(&summary->total),
		"notes", "file", json_text(record->capture), "segments",
		(json_int_t)record->segments, "left_out", (json_int_t)record->left_out,
		"still_running", (json_int_t)record->outlived);
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);

	fprintf(stderr, "%s\n", text ? text : "{}");
	free(text);
	json_decref(json);
}

/* What the user would type, whatever the name is: a number would be a pid, and a dash begins an option. */
static void say_next(const char *path, bool has_surveys)
{
	bool is_taken = !path[strspn(path, "0123456789")] || path[0] == '-' ||
			strcmp(path, "last") == 0;
	char *word = quote_word(path);

	say("next           poolmem %s %s%s", has_surveys ? "frag" : "report", is_taken ? "./" : "",
	    word);
	free(word);
}

static void say_summary(const struct record *record, const struct summary *summary)
{
	const char *path = short_path(record->capture);

	say_figures(summary);
	say_missing(record, summary);
	say("file           %s", path);
	say_next(path, record->watch->peak.is_wanted);
}

/* Reads the capture back: what can be summed up can be read later. */
static bool sum_up(const struct run_options *options, const struct record *record,
		   size_t *ret_programs, struct failure *why)
{
	struct summary summary;

	if (!summary_read(record->capture, &summary, why))
		return false;
	*ret_programs = summary.exec_count;
	summary.total.value[METRIC_PROCESS_PID] = (struct known){true, record->watch->child};
	if (options->json)
		print_json(record, &summary);
	else
		say_summary(record, &summary);
	return true;
}

static void say_signal(const struct record *record)
{
	int status = record->watch->wait_status;

	if (WIFSIGNALED(status))
		say("ended          %s", words_signal(WTERMSIG(status)).text);
}

/* ret_programs: of those that were kept; 0: not known. */
static bool say_after(const struct run_options *options, const struct record *record,
		      size_t *ret_programs, struct failure *why)
{
	*ret_programs = 0;
	if (options->quiet)
		return true;
	if (!options->json)
		say_signal(record);
	if (record->capture[0])
		return sum_up(options, record, ret_programs, why);
	if (record->left_out)
		say("no capture: no program of %zu matches --only %s", record->left_out,
		    options->only);
	else
		say("no capture: the program left no segment (poolmem doctor %s says more)",
		    options->argv[0]);
	return true;
}

/* Where to find what was recorded, when it is not all in a capture. */
static void say_failure(const struct record *record, const struct failure *why)
{
	if (!record->told)
		failure_report(why);
	if (record->capture[0])
		say("%zu segment%s saved before: poolmem report %s", record->segments,
		    record->segments == 1 ? " was" : "s were", record->capture);
	if (record->staying)
		say("the %ssegments are in %s: poolmem list", record->capture[0] ? "other " : "",
		    record->directory);
}

static void say_traces(const struct record *record, const struct traces *traces, size_t programs)
{
	size_t seen = programs + record->left_out, traced = traces->count + traces->unpacked;

	if (traces->count)
		say("trace          %s in %s: poolmem replay %s", number_bytes(traces->bytes).text,
		    number_of(traces->count, "file").text, short_path(traces->largest));
	if (traced && seen > traced && !traces_are_apart(traces))
		say("not traced     %s more: the first one has the file; a %%p in its name gives each its own",
		    number_of(seen - traced, "program").text);
}

/*
 * What outlives the run still writes.  A trace that is missing is told in any case, and changes nothing: program and capture are
 * as they are.
 */
static void keep_traces(const struct run_options *options, const struct record *record,
			struct traces *traces, size_t programs)
{
	if (record->outlived) {
		say("trace          not packed: it is being written (%s)", traces->pattern);
		return;
	}
	traces_pack(traces, record->run_id);
	if (!traces->count && !traces->unpacked)
		say("no trace: the program left none");
	if (!options->quiet && !options->json)
		say_traces(record, traces, programs);
}

/* The exit code. */
static int run_target(const struct run_options *options, const struct target *target,
		      const char *library, struct traces *traces)
{
	struct record_request request = {
		.argv = options->argv,
		.target = target,
		.library = library,
		.pattern = options->pattern,
		.only = options->only,
		.overwrite = options->overwrite,
		.interval_ns = options->interval_ns,
		.surveys = options->surveys,
		.trace = traces ? traces->pattern : NULL,
	};
	struct record record;
	struct failure why;
	size_t programs = 0;

	if (!record_run(&request, &record, &why)) {
		say_failure(&record, &why);
	} else if (!say_after(options, &record, &programs, &why)) {
		failure_report(&why);
		record.exit_code = RECORD_FAILED;
	}
	if (traces && record.started)
		keep_traces(options, &record, traces, programs);
	if (traces)
		free(traces->largest);
	record_free(&record);
	return record.exit_code;
}

int cmd_run(int argc, char **argv)
{
	struct run_options options;
	char library[PATH_MAX];
	struct target target;
	struct traces traces;
	struct failure why;

	if (!parse(argc, argv, &options))
		return RECORD_FAILED;
	if (!name_check(options.pattern, &why) || !library_find(options.library, library, &why)) {
		failure_report(&why);
		return RECORD_FAILED;
	}
	target_inspect(options.argv[0], getenv("PATH"), &target);
	if (target.error) {
		say("%s: %s", *options.argv[0] ? options.argv[0] : "''", strerror(target.error));
		return target.error == ENOENT ? RECORD_NOT_FOUND : RECORD_NOT_EXECUTABLE;
	}
	bool traces_calls = options.traces && !environment_is_next();

	if (traces_calls &&
	    !traces_place(options.trace, options.argv[0], options.overwrite, &traces, &why)) {
		failure_report(&why);
		return RECORD_FAILED;
	}
	say_before(&options, &target);
	settings_adopt();
	options.surveys = options.surveys && !environment_is_next();
	bool preloads = !environment_is_off() && target_weight(&target) != TARGET_STANDS_ASIDE;

	return run_target(&options, &target, preloads ? library : NULL,
			  traces_calls ? &traces : NULL);
}
