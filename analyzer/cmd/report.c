/* SPDX-License-Identifier: MIT */
/* report.c: `poolmem report`: what a program did with its memory. */
#include "render/report.h"

#include "cmd/command.h"
#include "cmd/reader.h"
#include "cmd/recorded.h"
#include "study/suppression.h"

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--sort KEY",
	 "allocations, frees, live, bytes; size, old, young (of classes), peak or start (of processes)"},
	READER_FILTER_HELP,
	{"--all", "a section for each process, in the same order"},
	{NULL, NULL},
};

const struct command_help help_report = {
	.usage = "report [options] [FILE|PID|last]",
	.purpose = "Says what a program did with its memory, while it runs or afterwards: at a glance, then\n"
		   "in tables. FILE is a capture or a segment; PID a process that runs or ran under\n"
		   "libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem report", "the newest run or segment"},
			{"poolmem report --sort bytes -n 5 $(pidof redis-server)",
			 "a program that runs: the five classes that hold most"},
			{"poolmem report --json --filter '/cc1$' build.pm | jq .metrics",
			 "the compilers of a recorded build, for machines"},
		},
};

static void print(const struct study *study, const struct reader *reader, struct sink *sink)
{
	struct progress progress = progress_begin("names of code");
	struct suppressions suppressions = {.list = NULL};
	const struct site_query all = {
		.order = SITE_ORDER_LIVE, .progress = &progress, .suppressions = &suppressions};
	struct advice_list advice;
	struct sites sites;

	suppressions_add_known(&suppressions);
	sites_make(study, NULL, &all, &sites);
	advice_make(study, &sites, &advice);
	if (reader->json)
		report_json(study, &sites, &advice, &reader->view, sink);
	else
		report_text(study, &sites, &advice, &reader->view, sink);
	advice_free(&advice);
	sites_free(&sites);
	suppressions_free(&suppressions);
}

static bool show(const struct recording *recording, const struct query *query,
		 const struct reader *reader, struct failure *why)
{
	struct study study;
	struct sink sink;
	bool shown = false;

	study_make(recording, query, &study);
	if (study_found(&study, why) && reader_open_sink(reader, &sink, why)) {
		print(&study, reader, &sink);
		shown = sink_close(&sink, why);
	}
	study_free(&study);
	return shown;
}

static bool report(const struct reader *reader, const struct query *query, struct failure *why)
{
	struct recording recording;

	if (!recorded_read(reader->operand, &recording, why))
		return false;
	bool done = show(&recording, query, reader, why);
	recording_free(&recording);
	return done;
}

int cmd_report(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "report", .order = true, .filter = true, .all = true, .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct query query;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (!query_open(&query, reader.filter, reader.order, &why))
		return command_usage_error("report", "%s", why.text);
	report(&reader, &query, &why);
	query_close(&query);
	return failure_report(&why);
}
