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

#include "study/budget_rule.h"
#include "study/compare.h"
#include "text/failure.h"
#include "text/keep.h"

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
	char **unrecorded;   /* names of programs, or patterns, that may go without a record */
	size_t unrecorded_count;
	int exit;    /* what it ends with */
	int signal;  /* or the signal that kills it; 0: none */
	size_t runs; /* 0: not said */
	struct budget_rule *rules;
	size_t rule_count;
	size_t rule_room, variable_room, suppression_room, unrecorded_room;
};

struct budget {
	const char *file;
	struct budget_test *tests;
	size_t count, room;
	struct keep keep;
};

enum { BUDGET_RUNS_MAX = COMPARE_RUNS_MAX };

/* name: of the file, for messages, which say "NAME:LINE:COLUMN: ".  `ret` is to be freed, whether it could be read or not. */
bool budget_parse(const char *text, size_t byte_count, const char *name, struct budget *ret,
		  struct failure *why);

/* NULL: none has that name. */
struct budget_test *budget_find(const struct budget *budget, const char *name);

/* A test without a file. */
struct budget_test *budget_add_test(struct budget *budget, const char *name);

/* A rule as a line of a file has it.  A failure says what is wrong with it, and at which column. */
bool budget_add_rule(struct budget *budget, struct budget_test *test, const char *text,
		     struct failure *why);

/* The same of a key. */
bool budget_set(struct budget *budget, struct budget_test *test, const char *key, const char *value,
		struct failure *why);

/* The same of NAME=VALUE, or NAME: as poolmem has it.  One that the test has by that name goes. */
bool budget_add_variable(struct budget *budget, struct budget_test *test, const char *text,
			 struct failure *why);

/* As it stands: a name, a path or a pattern of programs that may go without a record. */
void budget_add_unrecorded(struct budget *budget, struct budget_test *test, const char *pattern);

/* "30", "500ms", "2 min": as nanoseconds, more than 0. */
bool budget_time(const char *text, uint64_t *ret_ns, struct failure *why);

void budget_free(struct budget *budget);

#endif
