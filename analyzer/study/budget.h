/* SPDX-License-Identifier: MIT */
/*
 * budget.h: what each test may use: the text of a budget file as tests and rules.
 *
 *   [test "parse-large"]
 *   command = ./build/parse data/large.json
 *   alloc.count <= baseline + 0.5%
 *   site "json_array_grow" alloc.count <= 1000
 *
 * A line is a section, a key with its value, or a rule; `#` or `;` begins a comment.  poolmem-budget(5) has it all.
 */
#ifndef POOLMEM_STUDY_BUDGET_H
#define POOLMEM_STUDY_BUDGET_H

#include "study/metrics.h"
#include "study/site_query.h"
#include "text/keep.h"

enum budget_relation { BUDGET_AT_MOST, BUDGET_EQUAL };

struct budget_limit {
	bool is_of_baseline;
	bool is_band;       /* that far to either side */
	int64_t amount;     /* itself; of a baseline: added to it */
	int64_t millionths; /* of the baseline, added to it; rounded down */
};

struct budget_rule {
	unsigned line, column;
	const char *text;    /* without spaces around and comments */
	const char *subject; /* what is limited: `live.peak`, `site "f" alloc.count` */
	enum metric metric;
	const char *site, *module; /* NULL: none */
	enum budget_relation relation;
	struct budget_limit limit;
};

struct budget_test {
	const char *name;
	unsigned line, column;
	char **argv; /* NULL: no command yet */
	const char *command;
	const char *directory; /* NULL: where poolmem is */
	char **variables;      /* NAME=VALUE, or NAME: as poolmem has it */
	size_t variable_count;
	char **suppressions; /* files */
	size_t suppression_count;
	uint64_t timeout_ns; /* of a run; 0: none */
	int exit;            /* what it ends with; 128 + the signal */
	size_t runs;         /* 0: not said */
	struct budget_rule *rules;
	size_t rule_count;
	size_t rule_room, variable_room, suppression_room;
};

struct budget {
	const char *file;
	struct budget_test *tests;
	size_t count, room;
	struct keep keep;
};

enum { BUDGET_RUNS_MAX = 50 };

/* name: of the file, for messages, which say "NAME:LINE:COLUMN: ".  `ret` is to be freed, whether it could be read or not. */
bool budget_parse(const char *text, size_t byte_count, const char *name, struct budget *ret,
		  struct failure *why);

/* A test without a file. */
struct budget_test *budget_add_test(struct budget *budget, const char *name);

/* A rule as a line of a file has it.  A failure says what is wrong with it, and no line. */
bool budget_add_rule(struct budget *budget, struct budget_test *test, const char *text,
		     struct failure *why);

/* The same of a key. */
bool budget_set(struct budget *budget, struct budget_test *test, const char *key, const char *value,
		struct failure *why);

void budget_free(struct budget *budget);

/* Of a call site; false: a metric that none has. */
bool budget_site_figure(enum metric metric, enum site_figure *ret);

/* The limit by what the baseline is worth; at most INT64_MAX. */
int64_t budget_highest(const struct budget_rule *rule, int64_t baseline);
int64_t budget_lowest(const struct budget_rule *rule, int64_t baseline);

#endif
