/* SPDX-License-Identifier: MIT */
/* check_options.h: what `poolmem check` was asked for. */
#ifndef POOLMEM_CMD_CHECK_OPTIONS_H
#define POOLMEM_CMD_CHECK_OPTIONS_H

#include "cmd/reader.h"
#include "render/check.h"

#define BUDGET_DEFAULT "poolmem.budget"
#define BASELINE_DEFAULT "poolmem.baseline.json"

struct check_wish {
	const char *budget, *baseline, *against, *keep, *library, *exit;
	struct repeated rules, tests, suppressions, variables, unrecorded;
	size_t runs;
	uint64_t timeout_ns; /* 0: none */
	bool update, ratchet, no_defaults, json;
	struct check_report reports[READER_REPEAT_MAX];
	size_t report_count;
	char **argv;
};

/* false after a message.  Texts stay those of argv. */
bool check_options_parse(int argc, char **argv, struct check_wish *ret);

#endif
