/* SPDX-License-Identifier: MIT */
/* leaks.c: `poolmem leaks`: who never freed. */
#include "render/leaks.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "cmd/suppressed.h"

#include <errno.h>
#include <stdlib.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--sort KEY", "bytes (the default) or blocks"},
	SITE_FILTER_HELP,
	SITE_SKIP_HELP,
	SUPPRESSIONS_HELP,
	{"-v, --verbose", "suppressions that were not used, too"},
	{"--error-exitcode N", "exit with N when anything is left"},
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_leaks = {
	.usage = "leaks [options] [FILE|PID|last]",
	.purpose = "Says who never freed: for each call stack the blocks that were live when the program\n"
		   "ended, less those that suppressions name. FILE is a capture or a segment; PID a process\n"
		   "that runs or ran under libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem leaks",
			 "what the newest run left, by call stack; record it with POOLMEM=sites=all"},
			{"poolmem leaks --suppressions lsan.supp --error-exitcode 9 app.pm",
			 "in a test: 9 when anything but that is left"},
			{"poolmem leaks --sort blocks --filter lib:libxml2 -n 5 app.pm",
			 "the five stacks through a library that left most blocks"},
		},
};

struct wish {
	struct site_query query;
	struct leaks_query leaks;
	struct suppressions suppressions;
	int error_exitcode;
};

/* --- the whole ------------------------------------------------------------------------------------------- */

static bool print(const struct study *study, const struct leaks *leaks, const struct wish *wish,
		  const struct reader *reader, struct failure *why)
{
	struct leaks_view view = {reader->view, reader->verbose, &wish->suppressions};
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		leaks_json(study, leaks, &view, &sink);
	else
		leaks_text(study, leaks, &view, &sink);
	return sink_close(&sink, why);
}

static bool leaks(const struct reader *reader, struct wish *wish, bool *ret_left,
		  struct failure *why)
{
	struct site_query all = wish->query;
	struct site_study of;
	struct leaks leaks;

	all.by_name = false;
	if (!site_study_open(reader->operand, &all, &of, why))
		return false;
	leaks_make(&of.study, &of.sites, &wish->leaks, &wish->suppressions, &leaks);
	notes_remove(&of.study.total.notes, NOTE_LEAK_WHOLE);
	*ret_left = leaks_are_left(&leaks, &wish->leaks);
	bool shown = leaks_found(&leaks, why) && print(&of.study, &leaks, wish, reader, why);
	site_study_close(&of);
	return shown;
}

static bool set_exitcode(const struct reader *reader, int *ret, struct failure *why)
{
	char *end;

	*ret = EXIT_DONE;
	if (!reader->error_exitcode)
		return true;
	errno = 0;
	long code = strtol(reader->error_exitcode, &end, 10);
	if (errno || end == reader->error_exitcode || *end || code < 0 || code > 255)
		return fail(why, FAILURE_USAGE,
			    "--error-exitcode takes a number from 0 to 255, not '%.200s'",
			    reader->error_exitcode);
	*ret = (int)code;
	return true;
}

/* What was asked for; `ret` is to be closed, whether it could be made or not. */
static bool set_wish(const struct reader *reader, struct wish *ret, struct failure *why)
{
	ret->leaks.sites = &ret->query;
	return leak_order_find(reader->order, &ret->leaks.order, why) &&
	       set_exitcode(reader, &ret->error_exitcode, why) &&
	       site_study_query(reader, NULL, &ret->query, why) &&
	       suppressed_set(reader, &ret->suppressions, why);
}

int cmd_leaks(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "leaks",
						      .order = true,
						      .filter = true,
						      .names = true,
						      .leaks = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.error_exitcode = EXIT_DONE};
	bool is_left = false;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (set_wish(&reader, &wish, &why) && leaks(&reader, &wish, &is_left, &why) && is_left)
		code = wish.error_exitcode;
	else
		code = command_failed("leaks", &why);
	site_query_close(&wish.query);
	suppressions_free(&wish.suppressions);
	return code;
}
