/* SPDX-License-Identifier: MIT */
/* measured.h: what one run of a test cost, as its capture says, and whether that is all there was. */
#ifndef POOLMEM_STUDY_MEASURED_H
#define POOLMEM_STUDY_MEASURED_H

#include "study/budget.h"
#include "study/check.h"
#include "study/ledger.h"
#include "study/suppression.h"

/* A program that the run started, and of which it knows nothing. */
struct check_unrecorded {
	const char *path; /* of the executable; without a slash: its first 15 letters */
	bool has_library; /* the library was loaded and stood aside, or had no place to record */
	size_t count;     /* how often it was started */
};

struct measured {
	struct metrics metrics; /* of the tree; leaks less what is suppressed */
	struct known *of_rule;  /* of each rule of the test that is of a site or module */
	bool *is_matched;       /* of these: some call site is meant by it */
	struct known left[2];   /* blocks and bytes never freed, suppressed or not */
	uint64_t left_by;       /* by whom: the same for the same stacks with as much each */
	struct check_unrecorded *unrecorded; /* programs that left no record, each path once */
	size_t unrecorded_count;
	const char *kernel_error; /* why the kernel did not tell which programs there were; NULL: it did */
	const char *flaw;         /* why the figures are not all; NULL: they are */
	const char *site_flaw;        /* the same of call sites and leaks */
	const char *libc, *libstdcxx; /* file names with build ids; NULL: not loaded */
	const char *program;          /* path of the first process */
	struct check_process *processes;
	size_t process_count;
	struct ledger ledger; /* empty unless it was asked for */
	struct keep keep;
};

struct measure_plan {
	const char *capture;
	const struct budget_test *test; /* its rules */
	struct suppressions *suppressions;
	const char *directory;        /* less which files of source stand; NULL: none */
	bool with_leaks, with_ledger; /* without: leaks are not known */
	/*
	 * An earlier run of the same, or NULL.  Which leaks are suppressed takes names of code, which take longest of all: where the
	 * same stacks left as much as then, suppressed or not, it was the same.
	 */
	const struct measured *like;
};

/* The name, or a pattern, of a function as a rule has it; parameters may be left out. */
bool measured_is_function(const char *pattern, const char *function);

/* "libjansson.so.4", "libjansson" or a pattern, of the file at the path. */
bool measured_is_module(const char *pattern, const char *path);

/* ret is to be freed, whether it could be read or not. */
bool measured_read(const struct measure_plan *plan, struct measured *ret, struct failure *why);
void measured_free(struct measured *measured);

/* Leaves what does not come of single call sites: for where these are not all known. */
void measured_forget_sites(struct measured *measured, const struct budget_test *test);

/* Of the metric, or of the rule's site or module; `index` of the rule in its test. */
struct known measured_value(const struct measured *measured, const struct budget_rule *rule,
			    size_t index);

#endif
