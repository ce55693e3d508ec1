/* SPDX-License-Identifier: MIT */
/* diff.c: `poolmem diff`: what changed between two recordings. */
#include "render/diff.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "cmd/suppressed.h"

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--of KEY", "live (the default), peak, allocated, churn, leaked, temporary"},
	{"--blocks", "blocks instead of bytes"},
	{"--sort KEY", "growth (the default), shrinkage, change"},
	{"--lines", "the same function at another line is another site"},
	{"--stacks", "below each site its whole stack"},
	SITE_FILTER_HELP,
	SITE_SKIP_HELP,
	SUPPRESSIONS_HELP,
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_diff = {
	.usage = "diff [options] BEFORE AFTER",
	.purpose = "Says what changed between two recordings, by call site: who holds, held at the peak or\n"
		   "allocated more, and who less. Sites are compared by names, so that a program may have\n"
		   "been built anew. BEFORE and AFTER are captures, segments, PIDs, or last.",
	.options = options,
	.examples =
		{
			{"poolmem diff main.pm branch.pm", "whose live bytes grew most"},
			{"poolmem diff --of allocated --blocks -n 5 main.pm branch.pm",
			 "who calls malloc more often now"},
			{"poolmem diff --of leaked --json small.pm large.pm | jq .sites[0]",
			 "what grows with the input and is never freed, for machines"},
		},
};

struct wish {
	struct site_query query;
	struct suppressions suppressions; /* of what was never freed */
	struct diff_query diff;
};

static bool print(const struct diff *diff, const struct reader *reader, struct failure *why)
{
	const struct diff_view view = {
		.view = reader->view,
		.stacks = reader->stacks,
		.names = {reader->operand, reader->other},
	};
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		diff_json(diff, &view, &sink);
	else
		diff_text(diff, &view, &sink);
	return sink_close(&sink, why);
}

static bool compare(struct site_study *of, const struct wish *wish, const struct reader *reader,
		    struct failure *why)
{
	const struct study *const study[] = {&of[DIFF_BEFORE].study, &of[DIFF_AFTER].study};
	struct sites *const sites[] = {&of[DIFF_BEFORE].sites, &of[DIFF_AFTER].sites};
	struct diff diff;

	diff_make(study, sites, &wish->diff, &diff);
	bool shown = diff_found(&diff, &wish->diff, why) && print(&diff, reader, why);
	diff_free(&diff);
	return shown;
}

static bool diff(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct site_query all = wish->query;
	struct site_study of[DIFF_SIDES];
	bool shown = false;

	all.by_name = false;
	if (!site_study_open(reader->operand, &all, &of[DIFF_BEFORE], why))
		return false;
	if (site_study_open(reader->other, &all, &of[DIFF_AFTER], why)) {
		shown = compare(of, wish, reader, why);
		site_study_close(&of[DIFF_AFTER]);
	}
	site_study_close(&of[DIFF_BEFORE]);
	return shown;
}

int cmd_diff(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "diff", .order = true, .filter = true, .names = true, .pair = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.diff.sites = &wish.query};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	wish.diff.in_blocks = reader.blocks;
	wish.diff.by_line = reader.lines;
	if (diff_query_open(&wish.diff, reader.of, reader.order, &why) &&
	    suppressed_query(&reader, NULL, wish.diff.of == DIFF_LEAKED, &wish.suppressions,
			     &wish.query, &why))
		diff(&reader, &wish, &why);
	site_query_close(&wish.query);
	suppressions_free(&wish.suppressions);
	return command_failed("diff", &why);
}
