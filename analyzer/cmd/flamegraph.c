/* SPDX-License-Identifier: MIT */
/* flamegraph.c: `poolmem flamegraph`: the stacks of call sites as a picture. */
#include "render/flamegraph.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "cmd/suppressed.h"

#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	READER_FORCE_HELP,
	{"--of KEY", "what widths mean: live (the default), peak, allocated, temporary, leaked"},
	{"--collapsed", "lines of `main;load;parse 1234` instead: for programs that draw"},
	SITE_FILTER_HELP,
	SITE_THREAD_HELP,
	SITE_SKIP_HELP,
	SUPPRESSIONS_HELP,
	{"--min PERCENT", "frames with less are left out of the picture (default 0.1%)"},
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_flamegraph = {
	.usage = "flamegraph [options] -o FILE.svg [FILE|PID|last]",
	.purpose = "Draws the call stacks that allocate: the wider a frame, the more its calls hold. The\n"
		   "picture needs no other file and no network; a browser zooms and searches in it. FILE is\n"
		   "a capture or a segment; PID a process; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem flamegraph -o live.svg",
			 "what lives, of the newest run or segment"},
			{"poolmem flamegraph --of peak -o peak.svg build.pm",
			 "what lived when most did"},
			{"poolmem flamegraph --of allocated --collapsed >stacks.txt",
			 "lines for speedscope and others"},
		},
};

struct wish {
	struct site_query query;
	struct suppressions suppressions; /* of what was never freed */
	double share_min;
};

static bool print(const struct study *study, struct sites *sites, const struct wish *wish,
		  const struct reader *reader, struct failure *why)
{
	struct sink sink;

	if (sites->wanted.figure[site_order_figures[sites->order]].seen <= 0)
		return fail(why, FAILURE_NOTHING, "nothing to draw: of %s there are none%s",
			    site_order_words[sites->order],
			    sites->suppressed_count ? " but those that are suppressed" : "");
	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->collapsed)
		flamegraph_collapsed(sites, &sink);
	else
		flamegraph_svg(study, sites, wish->share_min, &sink);
	return sink_close(&sink, why);
}

static bool flamegraph(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct site_study of;

	if (!site_study_open(reader->operand, &wish->query, &of, why))
		return false;
	bool shown = sites_found(&of.sites, &wish->query, why) &&
		     print(&of.study, &of.sites, wish, reader, why);
	site_study_close(&of);
	return shown;
}

static int check(const struct reader *reader, double *ret_share)
{
	static const char *const keys[] = {"live", "peak", "allocated", "temporary", "leaked"};
	size_t count = sizeof keys / sizeof *keys;

	if (reader->of && query_find_key(keys, count, reader->of) == count)
		return command_usage_error("flamegraph",
					   "--of takes live, peak, allocated, temporary or leaked, "
					   "not '%s'",
					   reader->of);
	if (reader->json)
		return command_usage_error("flamegraph",
					   "for machines there is --collapsed, and sites --json");
	if (reader->min && !reader_share(reader->min, ret_share))
		return command_usage_error(
			"flamegraph", "--min takes a share such as 1%%, not '%s'", reader->min);
	if (!reader->collapsed && !reader->output && isatty(STDOUT_FILENO))
		return command_usage_error("flamegraph", "a picture is no text: give -o FILE.svg");
	return EXIT_DONE;
}

int cmd_flamegraph(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "flamegraph",
						      .filter = true,
						      .names = true,
						      .sites = true,
						      .site_pictures = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.share_min = 0.001};
	bool of_leaked;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if ((code = check(&reader, &wish.share_min)) != EXIT_DONE)
		return code;
	of_leaked = reader.of && strcmp(reader.of, "leaked") == 0;
	if (suppressed_query(&reader, reader.of, of_leaked, &wish.suppressions, &wish.query, &why))
		flamegraph(&reader, &wish, &why);
	site_query_close(&wish.query);
	suppressions_free(&wish.suppressions);
	return command_failed("flamegraph", &why);
}
