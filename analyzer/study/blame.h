/* SPDX-License-Identifier: MIT */
/* blame.h: which call sites own what a rule of a check is over, and which of them are a shell's own. */
#ifndef POOLMEM_STUDY_BLAME_H
#define POOLMEM_STUDY_BLAME_H

#include "study/budget.h"
#include "study/check.h"
#include "study/ledger.h"

struct blame_request {
	const struct budget_rule *rule;
	const struct ledger *before; /* of the baseline; NULL: there is none */
	const struct ledger *after;
	struct keep *keep; /* of the check */
};

/*
 * Sites of a rule that is exceeded, the largest share first, and of leaks those of shells behind the others: these flood what
 * the program under test leaves.  What shells leave is told in the remedy, with how to leave it out.  Of a limit that the
 * baseline is over as well nobody owns a difference: those with most are named.
 */
void blame_set(const struct blame_request *request, struct check_rule *ret);

#endif
