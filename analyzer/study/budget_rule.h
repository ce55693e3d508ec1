/* SPDX-License-Identifier: MIT */
/* budget_rule.h: one rule of a budget: what is limited, and to what. */
#ifndef POOLMEM_STUDY_BUDGET_RULE_H
#define POOLMEM_STUDY_BUDGET_RULE_H

#include "study/metrics.h"
#include "study/site_query.h"
#include "text/keep.h"

struct line; /* study/budget_line.h */

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
	bool is_default; /* nobody gave it */
};

/* From a line; its texts are good until keep_free().  false: the failure of the line says why. */
bool budget_rule_take(struct line *line, struct keep *keep, struct budget_rule *ret);

/* Of what was never freed. */
bool budget_is_of_leaks(enum metric metric);

/* Of a call site; false: a metric that none has. */
bool budget_site_figure(enum metric metric, enum site_figure *ret);

/* The limit by what the baseline is worth; at most INT64_MAX. */
int64_t budget_highest(const struct budget_rule *rule, int64_t baseline);
int64_t budget_lowest(const struct budget_rule *rule, int64_t baseline);

#endif
