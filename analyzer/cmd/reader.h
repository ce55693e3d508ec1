/* SPDX-License-Identifier: MIT */
/* reader.h: the options that all commands that read have in common. */
#ifndef POOLMEM_CMD_READER_H
#define POOLMEM_CMD_READER_H

#include "render/view.h"
#include "text/sink.h"

struct reader {
	bool json, dry_run, overwrite;
	bool stacks, bottom_up, top_down, collapsed, no_symbols, full_names, debuginfod;
	const char *output, *order, *filter, *colour, *older_than, *thresholds, *svg;
	const char *format;
	const char *thread, *min;
	struct view view;
	const char *operand; /* NULL: none */
};

#define READER_OUTPUT_HELP                                                                         \
	{"--json", "for machines: bytes and counts"},                                              \
		{"-o, --output FILE", "write there; the file appears when it is whole"},           \
		{"-n, --rows ROWS", "rows of each table (20 in text, all in JSON), 0: all"},       \
	{                                                                                          \
		"--color WHEN", "auto, always or never"                                            \
	}

/*
 * accepted: the options that this command has, as in the table of reader.c, and whether it takes an
 * operand.  ages: --thresholds, --svg and -f.  sites: --min, --thread, --no-symbols;
 * tables of them: --stacks, --bottom-up, --top-down, --full-names; pictures of them: --of, --collapsed.
 * exports: --format, --of, --no-symbols and -f, no --json and no --color.  packs: -f, no -n.
 * sites, exports, packs: --debuginfod.
 */
struct reader_accepts {
	const char *command;
	bool order, filter, all, older_than, ages, sites, site_tables, site_pictures, exports,
		packs, operand;
};

/* Returns an exit code below zero when the command may go on. */
int reader_parse(int argc, char **argv, const struct reader_accepts *accepts, struct reader *ret);

/* Whether a report may be written there: a capture, perhaps the one it is made of, is not overwritten. */
bool reader_may_write(const char *path, struct failure *why);

/* "1", "0.5%" */
bool reader_share(const char *text, double *ret);

/* Opens the output with the colour that was asked for. */
bool reader_open_sink(const struct reader *reader, struct sink *sink, struct failure *why);

#endif
