/* SPDX-License-Identifier: MIT */
/* pack.c: `poolmem pack`: a capture that is read on any machine. */
#include "launch/pack.h"

#include "cmd/command.h"
#include "cmd/site_study.h"
#include "launch/trace_pack.h"
#include "render/pack.h"
#include "render/pack_trace.h"
#include "source/operand.h"
#include "symbol/network.h"
#include "text/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
	{"-o, --output FILE",
	 "write there (default: NAME.packed.pm, of a trace .pmt, in this directory; - is the "
	 "standard output)"},
	{"-f, --force", "replace the file when it is there"},
	SITE_DEBUGINFOD_HELP,
	{"--json", "say for machines what was packed and what is missing"},
	{"--color WHEN", "auto, always or never"},
	{NULL, NULL},
};

const struct command_help help_pack = {
	.usage = "pack [options] [FILE|PID|last]",
	.purpose = "Makes a copy of a recording that is read on any machine: with the names of functions,\n"
		   "files and lines, looked up here and now. Every command takes it in place of the\n"
		   "recording. FILE is a capture or a segment; PID a process; last (the default) the newest.\n"
		   "Of a trace, also one that a killed program left, it makes a short copy for replay.",
	.options = options,
	.examples =
		{
			{"poolmem pack", "the newest run or segment, as NAME.packed.pm"},
			{"poolmem pack -o crash.pm $(pidof server)",
			 "a program that runs: take the file home"},
			{"poolmem pack -o - | ssh home 'cat >here.pm'",
			 "to another machine: no program, no library is needed there"},
		},
};

static bool open_sink(const struct reader *reader, struct sink *ret, struct failure *why)
{
	struct reader to_stdout = *reader;

	to_stdout.output = NULL;
	if (!reader_open_sink(&to_stdout, ret, why))
		return false;
	if (reader->to_stdout) {
		ret->fd = STDERR_FILENO;
		ret->colour = false;
	}
	return true;
}

static bool print(const struct pack *pack, const struct reader *reader, struct failure *why)
{
	struct sink sink;
	struct pack_view view = {
		.path = pack->path,
		.bytes = pack->bytes,
		.is_cut_short = pack->is_cut_short,
		.names = pack->names,
		.naming = pack->naming,
	};

	if (!open_sink(reader, &sink, why))
		return false;
	if (reader->json)
		pack_json(&view, &sink);
	else
		pack_text(&view, &sink);
	return sink_close(&sink, why);
}

static bool pack_trace(const struct reader *reader, const struct pack_request *request,
		       struct failure *why)
{
	struct packed_trace made;
	struct sink sink;

	if (!trace_pack_make(request, &made, why) || !open_sink(reader, &sink, why))
		return false;
	const struct pack_trace_view view = {made.path, made.bytes, made.unpacked_bytes};

	if (reader->json)
		pack_trace_json(&view, &sink);
	else
		pack_trace_text(&view, &sink);
	return sink_close(&sink, why);
}

static bool pack(const struct reader *reader, const char *path, struct failure *why)
{
	struct progress progress = progress_begin("names of code");
	const struct pack_request request = {
		.path = path,
		.output = reader->output,
		.to_stdout = reader->to_stdout,
		.overwrite = reader->overwrite,
		.ask_network = reader->debuginfod,
		.progress = &progress,
	};
	struct pack made;

	if (trace_pack_takes(path))
		return pack_trace(reader, &request, why);
	if (!pack_make(&request, &made, why))
		return false;
	bool done = print(&made, reader, why);
	pack_close(&made);
	return done;
}

int cmd_pack(int argc, char **argv)
{
	static const struct reader_accepts accepts = {
		.command = "pack", .packs = true, .operand = true};
	struct failure why = {FAILURE_NONE, ""};
	struct reader reader;
	int code = reader_parse(argc, argv, &accepts, &reader);

	if (code >= 0)
		return code;
	if (reader.to_stdout && reader.json)
		return command_usage_error("pack", "-o - sends the capture where --json tells of it: "
						   "give one of them");
	if (reader.to_stdout && isatty(STDOUT_FILENO))
		return command_usage_error("pack",
					   "-o - sends the capture to a terminal: redirect it to "
					   "a file or a program");
	if (reader.debuginfod && !network_can_ask(&why))
		return command_usage_error("pack", "%s", why.text);
	char *path = operand_path(reader.operand ? reader.operand : "last", &why);
	if (path)
		pack(&reader, path, &why);
	free(path);
	return failure_report(&why);
}
