/* SPDX-License-Identifier: MIT */
/* survival.c: `poolmem survival`: who dies young, who never dies. */
#include "render/survival.h"
#include "render/site_survival.h"

#include "cmd/command.h"
#include "cmd/reader.h"
#include "cmd/recorded.h"
#include "cmd/site_study.h"

#include <string.h>

static const struct command_option options[] = {
	READER_OUTPUT_HELP,
	{"--sort KEY",
	 "of size classes: old (the default), young, allocations, frees, live, bytes, size"},
	READER_FILTER_HELP,
	{"--all", "a section for each process"},
	{"--thresholds N:N:N", "what would be promoted with this gen.threshold"},
	{"--site REGEX",
	 "of the blocks of such call sites alone, as --filter of poolmem sites takes them"},
	{"--no-symbols", "with --site: open none of the files that were recorded"},
	{"--skip REGEX", "with --site: pass over functions that match, as over malloc"},
	{"--svg FILE", "the survival curve as a picture"},
	READER_FORCE_HELP,
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
			{"poolmem survival --site '^parse' build.pm",
			 "how old the blocks become that one function allocates"},
			{"poolmem survival --svg curve.svg $(pidof redis-server)",
			 "a program that runs, and a picture of its curve"},
		},
};

struct wish {
	struct query query;
	bool has_thresholds;
	uint32_t threshold[GENERATION_COUNT];
};

static bool open_picture(struct sink *sink, const char *path, size_t points, struct failure *why)
{
	if (!points)
		return fail(why, FAILURE_NOTHING,
			    "%s is not drawn: no age is known that blocks outlived", path);
	return sink_open(sink, path, why);
}

static bool draw(const struct study *study, const char *path, struct failure *why)
{
	struct sink sink;

	if (!open_picture(&sink, path, study->total.curve.count, why))
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

/* --- of call sites ---------------------------------------------------------------------------------------- */

static bool draw_site(const struct study *study, struct sites *sites,
		      const struct site_survival *of, const char *path, struct failure *why)
{
	struct sink sink;

	if (!open_picture(&sink, path, of->curve.count, why))
		return false;
	site_survival_svg(study, sites, of, &sink);
	return sink_close(&sink, why);
}

static bool show_site(const struct study *study, struct sites *sites, const struct reader *reader,
		      struct failure *why)
{
	struct site_survival of;
	struct sink sink;

	site_survival_make(sites, &of);
	if (!reader_open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		site_survival_json(study, sites, &of, reader->site, &sink);
	else
		site_survival_text(study, sites, &of, &sink);
	return sink_close(&sink, why) &&
	       (!reader->svg || draw_site(study, sites, &of, reader->svg, why));
}

static bool survival_of_site(const struct reader *reader, const struct site_query *query,
			     struct failure *why)
{
	struct site_study of;

	if (!site_study_open(reader->operand, query, &of, why))
		return false;
	bool shown = sites_found(&of.sites, query, why) &&
		     show_site(&of.study, &of.sites, reader, why);
	site_study_close(&of);
	return shown;
}

static int cmd_survival_of_site(const struct reader *reader)
{
	struct failure why = {FAILURE_NONE, ""};
	struct site_query query;

	if (reader->order || reader->filter || reader->view.all || reader->thresholds)
		return command_usage_error("survival",
					   "--sort, --filter, --all and --thresholds are of all "
					   "blocks: not with --site");
	struct reader of_site = *reader;
	of_site.filter = reader->site;
	if (!site_study_query(&of_site, NULL, &query, &why))
		return command_usage_error("survival", "%s", why.text);
	survival_of_site(&of_site, &query, &why);
	site_query_close(&query);
	return failure_report(&why);
}

/* --- of all ----------------------------------------------------------------------------------------------- */

static bool survival(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct recording recording;

	if (!recorded_read(reader->operand, &recording, why))
		return false;
	bool done = recording_has_note(&recording, PM_NOTE_NO_BIRTHS)
			    ? fail(why, FAILURE_NOTHING,
				   "no ages: it was recorded with heap=next and gen=off")
			    : show(&recording, wish, reader, why);
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
	if (reader.site)
		return cmd_survival_of_site(&reader);
	if (reader.no_symbols || reader.skips.count)
		return command_usage_error("survival", "--no-symbols and --skip are for --site");
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
