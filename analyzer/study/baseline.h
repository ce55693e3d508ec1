/* SPDX-License-Identifier: MIT */
/*
 * baseline.h: what tests were worth before: figures, in which environment, and by which call sites.
 *
 *   { "schema": 1,
 *     "tests": {
 *       "parse-large": {
 *         "command": "./build/parse data/large.json",
 *         "environment": { "libc": "libc.so.6 51657f818beb1ae7", ... },
 *         "metrics": {
 *           "alloc.count": 10120,
 *           "live.peak": [83920, 84016, 83920, 84016, 83920],     of several runs that differ
 *           "site \"json_array_grow\" alloc.count": 12 },
 *         "sites_by": "stack", "sites_left_out": 0,
 *         "sites": [ {"function": "f", "file": "a.c", "line": 7, "module": "app", "program": true, "names": "hex", "lines": "hex",
 *                     "alloc.count": 3}, ... ] } } }
 *
 * Unknown members are ignored.  render/baseline.h writes it: sorted, a figure and a site a line.
 */
#ifndef POOLMEM_STUDY_BASELINE_H
#define POOLMEM_STUDY_BASELINE_H

#include "study/budget.h"
#include "study/ledger.h"

enum { BASELINE_SCHEMA = 1, BASELINE_RUNS_MAX = BUDGET_RUNS_MAX };

/* X(NAME, "key", "in words") What may make figures differ though the program is the same. */
#define BASELINE_FACTS(X)                                                                          \
	X(ARCHITECTURE, "architecture", "architecture")                                            \
	X(COMPILER, "compiler", "compiler")                                                        \
	X(LIBC, "libc", "libc")                                                                    \
	X(LIBSTDCXX, "libstdc++", "libstdc++")                                                     \
	X(PAGE, "page_bytes", "page size")                                                         \
	X(POOLMEM, "poolmem", "poolmem")

#define BASELINE_FACT_NAME(name, key, words) BASELINE_##name,
enum baseline_fact { BASELINE_FACTS(BASELINE_FACT_NAME) BASELINE_FACT_COUNT };
#undef BASELINE_FACT_NAME

extern const char *const baseline_fact_keys[BASELINE_FACT_COUNT];
extern const char *const baseline_fact_words[BASELINE_FACT_COUNT];

struct baseline_value {
	const char *subject; /* as of a rule */
	int64_t median;
	int64_t run[BASELINE_RUNS_MAX];
	size_t run_count; /* 1: all runs were the same */
};

struct baseline_test {
	const char *name;
	const char *command;                   /* in one line; NULL: not known */
	const char *fact[BASELINE_FACT_COUNT]; /* NULL: not known */
	const char *lacks; /* why figures of its call sites are not in it; NULL: they are */
	struct baseline_value *values; /* by subject */
	size_t value_count, value_room;
	struct ledger ledger;
};

struct baseline {
	struct baseline_test *tests; /* by name */
	size_t count, room;
	struct keep keep;
};

/* A failure names the file, and line and column.  `ret` is to be freed, whether it could be read or not. */
bool baseline_parse(const char *text, size_t byte_count, const char *name, struct baseline *ret,
		    struct failure *why);
void baseline_free(struct baseline *baseline);

/* NULL: there is none. */
struct baseline_test *baseline_find(const struct baseline *baseline, const char *test);
struct baseline_value *baseline_value(const struct baseline_test *test, const char *subject);

/* There is one of that name from now on, without anything in it; what was there is gone. */
struct baseline_test *baseline_renew(struct baseline *baseline, const char *test);
void baseline_add(struct baseline *baseline, struct baseline_test *test, const char *subject,
		  const int64_t *runs, size_t run_count);

/* In the middle of the values; of an even number the lower one of both. */
int64_t baseline_median(const int64_t *runs, size_t run_count);

/* Whether it is kept in a baseline: not what the kernel, the clock or the pid says. */
bool baseline_keeps(enum metric metric);

#endif
