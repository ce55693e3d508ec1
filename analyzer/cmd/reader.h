/* SPDX-License-Identifier: MIT */
/* reader.h: the options that all commands that read have in common. */
#ifndef POOLMEM_CMD_READER_H
#define POOLMEM_CMD_READER_H

#include "render/view.h"
#include "text/sink.h"

enum { READER_REPEAT_MAX = 64 };

/* An option that may be given several times. */
struct repeated {
	const char *list[READER_REPEAT_MAX];
	size_t count;
};

struct reader {
	bool json, dry_run, overwrite, to_stdout;
	bool stacks, bottom_up, top_down, advice, collapsed, no_symbols, full_names, debuginfod;
	bool verbose, no_defaults, blocks, lines, inherited, rows_given;
	const char *output, *order, *of, *filter, *colour, *older_than, *thresholds, *svg;
	const char *format, *free, *at, *by, *timeline;
	const char *thread, *min, *site;
	const char *png, *scale, *width;
	struct repeated skips, suppressions;
	const char *error_exitcode;
	struct view view;
	const char *operand, *other; /* NULL: none */
};

#define READER_OUTPUT_HELP                                                                         \
	{"--json", "for machines: bytes and counts"},                                              \
		{"-o, --output FILE", "write there; the file appears when it is whole"},           \
		{"-n, --rows ROWS", "rows of each table (20 in text, all in JSON), 0: all"},       \
	{                                                                                          \
		"--color WHEN", "auto, always or never"                                            \
	}

#define MOMENT_HELP                                                                                \
	{                                                                                          \
		"--at MOMENT", "end (or now), peak (of resident memory), live-peak: surveys of "   \
			       "run --frag"                                                        \
	}

#define READER_FILTER_HELP                                                                         \
	{                                                                                          \
		"--filter REGEX",                                                                  \
			"processes whose program or arguments match; class:REGEX: size classes"    \
	}

#define READER_FORCE_HELP                                                                          \
	{                                                                                          \
		"-f, --force", "replace the file when it is there"                                 \
	}

/*
 * accepted: the options that this command has, as in the table of reader.c, and whether it takes an
 * operand.  ages: --thresholds, --svg, --site, --no-symbols, --skip.  names: of call sites, --no-symbols,
 * --skip, --debuginfod; sites: --min, --thread; tables of them: --stacks, --bottom-up, --top-down, --advice,
 * --full-names; pictures of them: --of, --collapsed.  leaks: --error-exitcode, -v; leaks, tables
 * and pictures of sites, exports and pairs: --suppressions, --no-default-suppressions.  pair: a second operand, --of, --stacks, --blocks, --lines.
 * pictures: --svg; frees: --free, --at; over_time: --by, --timeline.
 * exports: --format, --of, no --json and no --color.  packs: --debuginfod, no -n.
 * maps: --at, --by, --png, --scale, --width, --inherited.
 */
struct reader_accepts {
	const char *command;
	bool order, filter, all, older_than, ages, names, leaks, pair, sites, site_tables,
		site_pictures, exports, packs, pictures, frees, over_time, maps, operand;
};

/*
 * Returns an exit code below zero when the command may go on.  Then nothing is there that its output would replace (but a
 * pack's), or -f was given.
 */
int reader_parse(int argc, char **argv, const struct reader_accepts *accepts, struct reader *ret);

/* "1", "0.5%" */
bool reader_share(const char *text, double *ret);

/* Opens the output with the colour that was asked for. */
bool reader_open_sink(const struct reader *reader, struct sink *sink, struct failure *why);

#endif
