/* SPDX-License-Identifier: MIT */
/* sites.c: `poolmem sites`: who allocates. */
#include "render/sites.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "cmd/suppressed.h"

#include <string.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--sort KEY",
	 "live (the default), peak, allocated, count, leaked, slack, temporary, remote"},
	SITE_FILTER_HELP,
	SITE_THREAD_HELP,
	SITE_SKIP_HELP,
	{"--stacks", "below each site its whole stack"},
	{"--bottom-up", "a tree, from what allocates to its callers"},
	{"--top-down", "a tree, from main to what allocates"},
	{"--advice", "what a change would save at most, site by site, instead of the table"},
	{"--min PERCENT", "branches of a tree with less are left out (default 1%)"},
	SUPPRESSIONS_HELP,
	{"--full-names", "functions of C++ and Rust with all their arguments, however long"},
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_sites = {
	.usage = "sites [options] [FILE|PID|last]",
	.purpose = "Says who allocates: for each call stack what it allocated, what of that lives, and how\n"
		   "sure that is. FILE is a capture or a segment; PID a process that runs or ran under\n"
		   "libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem sites", "who holds most memory in the newest run or segment"},
			{"poolmem sites --sort leaked --stacks -n 5 build.pm",
			 "five stacks that never freed most, call by call"},
			{"poolmem sites --bottom-up --filter lib:libxml2 $(pidof server)",
			 "who in a program that runs makes a library allocate"},
		},
};

struct wish {
	struct site_query query;
	struct suppressions suppressions; /* of what was never freed */
	struct site_view view;
};

static bool print(const struct study *study, struct sites *sites, const struct wish *wish,
		  const struct reader *reader, struct failure *why)
{
	struct site_view view = wish->view;
	struct advice_list advice = {.list = NULL};
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json || reader->advice) {
		advice_make(study, sites, &advice);
		view.advice = &advice;
	}
	if (wish->view.full_names)
		sink.columns = 0;
	if (reader->json)
		sites_json(study, sites, &view, &sink);
	else
		sites_text(study, sites, &view, &sink);
	advice_free(&advice);
	return sink_close(&sink, why);
}

static bool sites(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct site_study of;

	if (!site_study_open(reader->operand, &wish->query, &of, why))
		return false;
	bool shown = sites_found(&of.sites, &wish->query, why) &&
		     print(&of.study, &of.sites, wish, reader, why);
	site_study_close(&of);
	return shown;
}

static int set_view(const struct reader *reader, struct site_view *ret)
{
	*ret = (struct site_view){
		.view = reader->view,
		.stacks = reader->stacks,
		.tree = reader->bottom_up || reader->top_down,
		.tree_root = reader->bottom_up ? TREE_OF_ALLOCATORS : TREE_OF_CALLERS,
		.full_names = reader->full_names,
		.share_min = 0.01,
	};
	if (reader->stacks + reader->bottom_up + reader->top_down + reader->advice > 1)
		return command_usage_error("sites", "--stacks, --bottom-up, --top-down and --advice "
						    "are four views: give one");
	if (reader->advice && reader->thread)
		return command_usage_error("sites", "--advice is of all threads: not with --thread");
	if (reader->json && ret->tree)
		return command_usage_error("sites", "--json has all stacks: no tree with it");
	if (reader->min && !ret->tree)
		return command_usage_error("sites", "--min is for --bottom-up and --top-down");
	if (reader->min && !reader_share(reader->min, &ret->share_min))
		return command_usage_error("sites", "--min takes a share such as 1%%, not '%s'",
					   reader->min);
	return EXIT_DONE;
}

static bool set_query(const struct reader *reader, struct wish *ret, struct failure *why)
{
	bool by_leaked = reader->order && strcmp(reader->order, "leaked") == 0;

	return suppressed_query(reader, reader->order, reader->json || reader->advice || by_leaked,
				&ret->suppressions, &ret->query, why);
}

int cmd_sites(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "sites",
						      .order = true,
						      .filter = true,
						      .names = true,
						      .sites = true,
						      .site_tables = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.suppressions = {.list = NULL}};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if ((code = set_view(&reader, &wish.view)) != EXIT_DONE)
		return code;
	if (set_query(&reader, &wish, &why))
		sites(&reader, &wish, &why);
	site_query_close(&wish.query);
	suppressions_free(&wish.suppressions);
	return command_failed("sites", &why);
}
