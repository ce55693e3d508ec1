/* SPDX-License-Identifier: MIT */
/*
 * ledger.h: what each call site of a run cost, in the few figures that budgets are about: to be kept beside a baseline and
 * compared with another run, whose program may have been built anew.
 *
 * A row is a stack, by the names of its calls and by their lines.  Where there are more stacks than LEDGER_ROWS_MAX, a row is a
 * function; where there still are more, the least are left out.
 */
#ifndef POOLMEM_STUDY_LEDGER_H
#define POOLMEM_STUDY_LEDGER_H

#include "study/check.h"
#include "study/leaks.h"
#include "text/keep.h"

enum { LEDGER_ROWS_MAX = 1000 };

/* X(NAME, metric, figure of sites) */
#define LEDGER_FIGURES(X)                                                                          \
	X(COUNT, ALLOC_COUNT, ALLOCATED)                                                           \
	X(BYTES, ALLOC_BYTES, ALLOCATED_BYTES)                                                     \
	X(REQUESTED, ALLOC_REQUESTED, REQUESTED_BYTES)                                             \
	X(PEAK, LIVE_PEAK, PEAK_BYTES)                                                             \
	X(LEAKED, LEAK_BLOCKS, LEAKED)                                                             \
	X(LEAKED_BYTES, LEAK_BYTES, LEAKED_BYTES)                                                  \
	X(MOVED, REALLOC_MOVED, MOVED)

#define LEDGER_NAME(name, metric, figure) LEDGER_##name,
enum ledger_figure { LEDGER_FIGURES(LEDGER_NAME) LEDGER_FIGURE_COUNT };
#undef LEDGER_NAME

extern const enum metric ledger_metrics[LEDGER_FIGURE_COUNT];

struct ledger_row {
	const char *function, *file, *module; /* "": not known */
	bool is_program;   /* the module is a program: what its file is called tells nothing */
	const char *label; /* as in struct check_site; NULL: read from a baseline */
	unsigned line;
	uint64_t names, lines;    /* of the whole stack, hashed: without and with the lines */
	const char *const *stack; /* as in struct check_site; NULL: read from a baseline */
	size_t stack_count;
	const char *path; /* of `file`, with its folders; NULL: read from a baseline */
	int64_t figure[LEDGER_FIGURE_COUNT];
};

struct ledger {
	struct ledger_row *rows; /* by function, file, names, line */
	size_t count;
	size_t room, left_out;
	bool by_function;
	struct keep keep;
};

/*
 * Adds all of a run's sites; is_leaked: what they never freed alone, else all but that.  directory: less which the files stand;
 * NULL: none.  recording: of the sites.  Begin with zero, and let ledger_settle() be the last.
 */
void ledger_add(struct ledger *ledger, const struct recording *recording, struct sites *sites,
		bool is_leaked, const char *directory);
void ledger_settle(struct ledger *ledger);
void ledger_sort(struct ledger *ledger);
void ledger_free(struct ledger *ledger);

/* Which figure tells who is to blame for a metric; false: none does. */
bool ledger_figure_for(enum metric metric, enum ledger_figure *ret);

/*
 * Rows that differ, those that grew most first; before NULL: all that there are, the largest first.  Those that would be shown
 * alike, stack and all, are one.  The texts are those of the ledgers.
 */
struct check_site *ledger_compare(const struct ledger *before, const struct ledger *after,
				  enum ledger_figure figure, struct keep *keep, size_t *ret_count);

#endif
