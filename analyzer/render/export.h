/* SPDX-License-Identifier: MIT */
/*
 * export.h: call sites, and some of the other figures, in the formats of other programs.
 *
 * Names are as people see them elsewhere: valid UTF-8 without control characters (text/escape.h), and escaped once
 * more for their format.  Estimates are rounded to whole numbers; where a format has room for a comment, it says so.
 */
#ifndef POOLMEM_RENDER_EXPORT_H
#define POOLMEM_RENDER_EXPORT_H

#include "study/sites.h"
#include "text/sink.h"

/*
 * X(name, flags, "what reads it").  A format NAME lives in render/export_NAME.c.
 */
#define EXPORT_FORMATS(X)                                                                          \
	X(pprof, EXPORT_BINARY | EXPORT_OF_SITES, "go tool pprof, Pyroscope, Parca")               \
	X(dhat, EXPORT_OF_SITES, "valgrind's dh_view.html, Firefox Profiler")                      \
	X(collapsed, EXPORT_OF_SITES, "flamegraph.pl, speedscope")                                 \
	X(speedscope, EXPORT_OF_SITES, "speedscope")                                               \
	X(sqlite, EXPORT_BINARY, "sqlite3")                                                        \
	X(openmetrics, EXPORT_OTHERS, "Prometheus")                                                \
	X(csv, EXPORT_OF_SITES, "spreadsheets")

enum export_flag {
	EXPORT_BINARY = 1,   /* nothing for a terminal */
	EXPORT_OF_SITES = 2, /* without sites there is nothing to write */
	EXPORT_OTHERS = 4,   /* has one sum for the sites that row_max leaves out */
};

struct export
{
	const struct study *study;
	struct sites *sites;
	size_t row_max; /* sites, where the rest is one sum; 0: as many as the format likes */
};

typedef bool export_writer(const struct export *export, struct sink *sink, struct failure *why);

struct export_format {
	const char *name;
	unsigned flags;
	export_writer *write;
};

#define EXPORT_WRITER(name, flags, readers) export_writer export_##name;
EXPORT_FORMATS(EXPORT_WRITER)
#undef EXPORT_WRITER

/* NULL: there is none of that name, or none was given; `why` has all names. */
const struct export_format *export_format_find(const char *name, struct failure *why);

/* "each block was recorded: counts"; or that the figures are estimates, and of what. */
char *export_comment(const struct sites *sites);

/* Function and file, fit to show; "" when not known.  All are freed by the caller. */
char *export_label(const struct named_call *call);
char *export_file(const struct named_call *call);
char *export_text(const char *text);

/* What stands for the frames of a stack that is not known. */
extern const char export_unknown[];

/* A site's figure as a whole number. */
uint64_t export_whole(const struct site_sums *sums, enum site_figure which);

#endif
