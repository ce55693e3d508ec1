/* SPDX-License-Identifier: MIT */
/* frag.c: `poolmem frag`: where each resident byte is, and who pins it. */
#include "render/frag.h"
#include "render/timeline.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "launch/settings.h"

#include <string.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	READER_FORCE_HELP,
	{"--all", "each process, not the one with the largest heap alone"},
	{"--free SIZE", "name those whose blocks, gone, give so much back (half of what is pinned)"},
	MOMENT_HELP,
	SITE_SKIP_HELP,
	{"--svg FILE", "the parts as a picture"},
	{"--by AXIS", "what was live when: by time (the default) or by allocs"},
	{"--timeline FILE", "the same as a picture"},
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_frag = {
	.usage = "frag [options] [FILE|PID|last]",
	.purpose = "Says where the resident memory is: asked for, slack, free but pinned by live blocks,\n"
		   "kept, not heap; and whose blocks keep free memory from going back. Record with run\n"
		   "--frag, and POOLMEM=sites=all for call sites. FILE is a capture or a segment; PID a\n"
		   "process that runs or ran under libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem frag last", "after POOLMEM=sites=all poolmem run --frag -- ./app"},
			{"poolmem frag --free 100M last",
			 "whose blocks to free or to move for 100 MiB less"},
			{"poolmem frag --svg parts.svg app.pm", "the parts as a picture, too"},
		},
};

struct wish {
	struct site_query query;
	uint64_t free_bytes;
	enum moment moment;
	enum time_axis axis;
};

static bool print(struct frag *frag, enum time_axis axis, const struct reader *reader,
		  struct failure *why)
{
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		frag_json(frag, &reader->view, &sink);
	else
		frag_text(frag, axis, &reader->view, &sink);
	return sink_close(&sink, why);
}

static bool draw(const struct frag *frag, const char *path, struct failure *why)
{
	struct sink sink;

	if (!sink_open(&sink, path, why))
		return false;
	frag_svg(frag, &sink);
	return sink_close(&sink, why);
}

static bool draw_timeline(const struct frag *frag, enum time_axis axis, const char *path,
			  struct failure *why)
{
	const struct over_time *over_time = &frag->list[0].over_time;
	struct sink sink;

	if (!over_time->count)
		return fail(why, FAILURE_NOTHING,
			    "%s is not drawn: it is not known what was live when", path);
	if (!sink_open(&sink, path, why))
		return false;
	timeline_svg(frag->study, over_time, axis, &sink);
	return sink_close(&sink, why);
}

static bool show(struct site_study *of, const struct wish *wish, const struct reader *reader,
		 struct failure *why)
{
	struct frag frag;
	bool shown = false;

	frag_make(&of->study, &of->sites, wish->free_bytes, wish->moment, &frag);
	if (!frag.count)
		fail(why, FAILURE_NOTHING, "no process is in there");
	else
		shown = print(&frag, wish->axis, reader, why) &&
			(!reader->svg || draw(&frag, reader->svg, why)) &&
			(!reader->timeline ||
			 draw_timeline(&frag, wish->axis, reader->timeline, why));
	frag_free(&frag);
	return shown;
}

static bool frag(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct site_study of;

	if (!site_study_open_surveyed(reader->operand, &wish->query, wish->moment, &of, why))
		return false;
	bool shown = false;
	if (recording_has_note(&of.recording, PM_NOTE_NEXT)) {
		fail(why, FAILURE_NOTHING,
		     "another allocator served the memory (heap=next): where it lies is not known; "
		     "poolmem compare sets what is resident against what is live");
	} else {
		shown = show(&of, wish, reader, why);
	}
	site_study_close(&of);
	return shown;
}

int cmd_frag(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "frag",
						      .all = true,
						      .names = true,
						      .pictures = true,
						      .frees = true,
						      .over_time = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.axis = AXIS_TIME};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (reader.svg && strcmp(reader.svg, "-") == 0)
		return command_usage_error("frag", "--svg takes a file, not '-'");
	if (reader.timeline && strcmp(reader.timeline, "-") == 0)
		return command_usage_error("frag", "--timeline takes a file, not '-'");
	if (reader.by && !time_axis_parse(reader.by, &wish.axis))
		return command_usage_error("frag", "--by takes time or allocs, not '%s'", reader.by);
	if (reader.free && (!settings_bytes(reader.free, &wish.free_bytes) || !wish.free_bytes))
		return command_usage_error("frag", "--free takes a size as 100M, not '%s'",
					   reader.free);
	if (reader.at && !moment_parse(reader.at, &wish.moment))
		return command_usage_error("frag", "--at is end, peak or live-peak, not '%s'",
					   reader.at);
	if (!site_study_query(&reader, NULL, &wish.query, &why))
		return command_usage_error("frag", "%s", why.text);
	frag(&reader, &wish, &why);
	site_query_close(&wish.query);
	return failure_report(&why);
}
