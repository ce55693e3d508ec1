/* SPDX-License-Identifier: MIT */
/* export.c: `poolmem export`: the recording for other programs. */
#include "render/export.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "cmd/suppressed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
	{"--format FORMAT", "pprof, dhat, collapsed, speedscope, sqlite, openmetrics, csv"},
	{"-o, --output FILE", "write there; the file appears when it is whole"},
	READER_FORCE_HELP,
	{"--of KEY",
	 "what counts most: live (the default), peak, allocated, count, leaked, slack, temporary, "
	 "remote"},
	SITE_FILTER_HELP,
	SITE_SKIP_HELP,
	SUPPRESSIONS_HELP,
	{"-n, --rows ROWS", "only so many sites (openmetrics: 20), 0: all"},
	SITE_SYMBOLS_HELP,
	{NULL, NULL},
};

const struct command_help help_export = {
	.usage = "export --format FORMAT [options] [FILE|PID|last]",
	.purpose = "Writes call sites with their figures in the format of another program: profiles,\n"
		   "tables, metrics. FILE is a capture or a segment; PID a process that runs or ran under\n"
		   "libpoolmem.so; last (the default) the newest of all.",
	.options = options,
	.examples =
		{
			{"poolmem export --format pprof -o heap.pb.gz",
			 "then: go tool pprof -http=: heap.pb.gz"},
			{"poolmem export --format sqlite -o heap.db build.pm",
			 "tables to ask: sqlite3 heap.db 'select * from metrics'"},
			{"poolmem export --format openmetrics -f -o poolmem.prom $(pidof server)",
			 "for the textfile collector of Prometheus' node exporter"},
		},
};

struct wish {
	struct site_query query;
	struct suppressions suppressions; /* of what was never freed */
	const struct export_format *format;
};

static bool print(const struct export *export, const struct wish *wish, const struct reader *reader,
		  struct failure *why)
{
	struct sink sink;

	struct failure ignored;

	if (!reader_open_sink(reader, &sink, why))
		return false;
	bool is_made = wish->format->write(export, &sink, why);
	if (!is_made)
		sink.error = ECANCELED; /* the file does not appear */
	return sink_close(&sink, is_made ? why : &ignored) && is_made;
}

static bool export(const struct reader *reader, const struct wish *wish, struct failure *why)
{
	struct site_study of;

	if (!site_study_open(reader->operand, &wish->query, &of, why))
		return false;
	if (!(wish->format->flags & EXPORT_OTHERS))
		of.sites.count = view_rows(&reader->view, of.sites.count);
	sites_resolve(&of.sites, of.sites.count);
	struct export export = {&of.study, &of.sites, reader->view.row_max};
	bool is_wanted = wish->format->flags & EXPORT_OF_SITES || of.sites.used_count;
	bool shown = (!is_wanted || sites_found(&of.sites, &wish->query, why)) &&
		     print(&export, wish, reader, why);
	site_study_close(&of);
	return shown;
}

static int check(const struct reader *reader, const struct export_format *format)
{
	if (reader->of &&
	    query_find_key(site_order_keys, SITE_ORDER_COUNT, reader->of) == SITE_ORDER_COUNT)
		return command_usage_error("export",
					   "--of takes live, peak, allocated, count, leaked, slack, "
					   "temporary or remote, not '%s'",
					   reader->of);
	if (format->flags & EXPORT_BINARY && !reader->output && isatty(STDOUT_FILENO))
		return command_usage_error("export", "%s is nothing for a terminal: give -o FILE",
					   format->name);
	return EXIT_DONE;
}

int cmd_export(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "export", .filter = true, .names = true, .exports = true, .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	struct wish wish = {.suppressions = {.list = NULL}};
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	wish.format = export_format_find(reader.format, &why);
	if (!wish.format)
		return command_usage_error("export", "%s", why.text);
	if ((code = check(&reader, wish.format)) != EXIT_DONE)
		return code;
	if (suppressed_query(&reader, reader.of, true, &wish.suppressions, &wish.query, &why))
		export(&reader, &wish, &why);
	site_query_close(&wish.query);
	suppressions_free(&wish.suppressions);
	return command_failed("export", &why);
}
