/* SPDX-License-Identifier: MIT */
/* site_study.h: what the commands about call sites have in common: a recording and its sites. */
#ifndef POOLMEM_CMD_SITE_STUDY_H
#define POOLMEM_CMD_SITE_STUDY_H

#include "cmd/reader.h"
#include "model/recording.h"
#include "study/sites.h"

#define SITE_FILTER_HELP                                                                           \
	{                                                                                          \
		"--filter REGEX",                                                                  \
			"stacks with such a function, file or module; lib:REGEX: such a module"    \
	}
#define SITE_THREAD_HELP                                                                           \
	{                                                                                          \
		"--thread TID|NAME", "what this thread did, or those of this name"                 \
	}
#define SITE_SKIP_HELP                                                                             \
	{                                                                                          \
		"--skip REGEX",                                                                    \
			"pass over functions that match, as over malloc: their callers are meant"  \
	}
#define SITE_DEBUGINFOD_HELP                                                                       \
	{                                                                                          \
		"--debuginfod", "fetch debug information that is not here from DEBUGINFOD_URLS"    \
	}
#define SITE_SYMBOLS_HELP                                                                          \
	{"--no-symbols", "open none of the files that were recorded: addresses instead of names"}, \
		SITE_DEBUGINFOD_HELP

/*
 * What was asked for on the command line; to be closed by site_query_close().
 * order: a key of SITE_ORDERS; NULL: none.
 */
bool site_study_query(const struct reader *reader, const char *order, struct site_query *ret,
		      struct failure *why);

struct site_study {
	struct progress progress;
	struct recording recording;
	struct study study; /* of all processes */
	struct sites sites;
};

/* Of what an operand names.  The parts point to each other: `ret` must stay where it is until it is closed. */
bool site_study_open(const char *operand, const struct site_query *query, struct site_study *ret,
		     struct failure *why);
/* The same for who shows surveys: see inspect_running(). */
bool site_study_open_surveyed(const char *operand, const struct site_query *query,
			      enum moment moment, struct site_study *ret, struct failure *why);
void site_study_close(struct site_study *study);

#endif
