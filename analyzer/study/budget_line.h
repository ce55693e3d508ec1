/* SPDX-License-Identifier: MIT */
/*
 * budget_line.h: the words and amounts of one line of a budget, or of a rule of the command line, taken from left to right.
 *
 * What takes something leaves `at` behind it; false: it is not there, and the failure says what is wrong, and where.
 */
#ifndef POOLMEM_STUDY_BUDGET_LINE_H
#define POOLMEM_STUDY_BUDGET_LINE_H

#include "study/metrics.h"
#include "text/failure.h"
#include "text/keep.h"

#include <stddef.h>

/* At the end of what is said of a line. */
#define BUDGET_SEE "; see poolmem-budget(5)"

struct line {
	const char *name; /* of the file; NULL: of the command line */
	bool is_rule;     /* of the command line a whole one: it is shown with what is wrong */
	const char *begin, *at, *end;
	unsigned number;
	struct failure *why;
};

unsigned line_column(const struct line *line, const char *at);

/* Returns false. */
bool line_wrong(const struct line *line, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void line_skip_blanks(struct line *line);
char line_peek(const struct line *line);  /* 0: the end */
bool line_is_at_end(struct line *line);   /* but for blanks */
void line_cut_comment(struct line *line); /* and blanks before it */

/* Letters, digits and what stands in names of metrics; may be none.  Stands in the line. */
const char *line_key(struct line *line, size_t *ret_bytes);
bool line_is_word(const char *word, size_t bytes, const char *text);

/* As a shell would read it.  Good until keep_free(), as is all that is left of the line. */
bool line_word(struct line *line, struct keep *keep, char **ret);
char *line_rest(struct line *line, struct keep *keep);

/* A number; commas may part its digits. */
bool line_digits(struct line *line, uint64_t *ret);

/* With its unit, or as a share in millionths; ret_millionths NULL: no share.  The other one stays. */
bool line_amount(struct line *line, enum metric_unit of, int64_t *ret_amount,
		 int64_t *ret_millionths);

/* A time, in seconds where it has no unit. */
bool line_time(struct line *line, int64_t *ret_ns);

#endif
