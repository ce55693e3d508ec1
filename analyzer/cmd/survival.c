/* SPDX-License-Identifier: MIT */
/* survival.c: `poolmem survival`: who dies young, who never dies. */
#include "render/survival.h"

#include "cmd/command.h"
#include "cmd/reader.h"
#include "cmd/recorded.h"

#include <string.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	{"--sort KEY",
	 "of size classes: old (the default), young, allocations, frees, live, bytes, size"},
	{"--filter REGEX", "processes whose program or arguments match; class:REGEX: size classes"},
	{"--all", "a section for each process"},
	{"--thresholds N:N:N", "what would be promoted with this gen.threshold"},
	{"--svg FILE", "the survival curve as a picture"},
	{"-f, --force", "replace the picture when it is there"},
	{NULL, NULL},
};

const struct command_help help_survival = {
	.usage = "survival [options] [FILE|PID|last]",
	.purpose = "Says who dies young and who never dies: generations as Python's gc.get_stats() shows\n"
		   "them, a survival curve, ages at death, size classes, and phases between the marks that\n"
		   "the program set. FILE is a capture or a segment; PID a process that runs or ran under\n"
		   "libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem survival", "the newest run or segment"},
			{"poolmem survival --thresholds 4000:10:10 build.pm",
			 "with epochs four times as long as the recorded ones"},
			{"poolmem survival --svg curve.svg $(pidof redis-server)",
			 "a program that runs, and a picture of its curve"},
		},
};

struct wish {
	struct query query;
	bool has_thresholds;
	uint32_t threshold[GENERATION_COUNT];
};

static bool draw(const struct study *study, const char *path, struct failure *why)
{
	struct sink sink;

	if (!study->total.curve.count)
		return fail(why, FAILURE_NOTHING,
			    "%s is not drawn: no age is known that blocks outlived", path);
	if (!reader_may_write(path, why) || !sink_open(&sink, path, why))
		return false;
	survival_svg(study, &sink);
	return sink_close(&sink, why);
}

static bool print(const struct study *study, const struct wish *wish, const struct reader *reader,
		  struct failure *why)
{
	struct what_if what_if;
	struct sink sink;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (wish->has_thresholds)
		what_if_of(study, wish->threshold, &what_if);
	if (reader->json)
		survival_json(study, wish->has_thresholds ? &what_if : NULL, &reader->view, &sink);
	else
		survival_text(study, wish->has_thresholds ? &what_if : NULL, &reader->view, &sink);
	return sink_close(&sink, why);
}

static bool show(const struct recording *recording, const struct wish *wish,
		 const struct reader *reader, struct failure *why)
{
	struct study study;

	study_make(recording, &wish->query, &study);
	bool shown = study_found(&study, why) && print(&study, wish, reader, why) &&
		     (!reader->svg || draw(&study, reader->svg, why));
	study_free(&study);
	return shown;
}

static bool survival(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct recording recording;

	if (!reader_is_free(reader, reader->svg, why) ||
	    !recorded_read(reader->operand, &recording, why))
		return false;
	bool done = show(&recording, wish, reader, why);
	recording_free(&recording);
	return done;
}

int cmd_survival(int argc, char **argv)
{
	static const struct reader_accepts accepts = {.command = "survival",
						      .order = true,
						      .filter = true,
						      .all = true,
						      .ages = true,
						      .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.has_thresholds = false};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	wish.has_thresholds = reader.thresholds != NULL;
	if (reader.svg && strcmp(reader.svg, "-") == 0)
		return command_usage_error("survival", "--svg takes a file, not '-'");
	if (wish.has_thresholds && !what_if_parse(reader.thresholds, wish.threshold, &why))
		return command_usage_error("survival", "%s", why.text);
	if (!query_open(&wish.query, reader.filter, reader.order ? reader.order : "old", &why))
		return command_usage_error("survival", "%s", why.text);
	if (!wish.query.orders_classes && !reader.view.all)
		fail(&why, FAILURE_USAGE, "--sort %s orders the sections of --all: give that, too",
		     reader.order);
	else
		survival(&reader, &wish, &why);
	query_close(&wish.query);
	return failure_report(&why);
}
