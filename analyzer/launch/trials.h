/* SPDX-License-Identifier: MIT */
/*
 * trials.h: a test of a budget, run as often as it takes, each time alike: the same environment and addresses, each block
 * recorded, nothing in the heap by the clock.
 *
 * Two runs, or as many as are asked for; where two differ and no number was given, TRIALS_NOISY.
 */
#ifndef POOLMEM_LAUNCH_TRIALS_H
#define POOLMEM_LAUNCH_TRIALS_H

#include "study/trial.h"

enum { TRIALS_RUNS = 2, TRIALS_NOISY = 7 };

struct trials_plan {
	const char *library;
	const char *version; /* of poolmem */
	const char *scratch; /* a directory for captures, absolute */
	const char *keep; /* the capture of each test's first run goes there; NULL: none is kept */
	const char *directory; /* where we are, absolute */
	size_t runs;           /* 0: as above, or as the test says */
	struct suppressions *suppressions;
	bool with_sites; /* of the first run, for a baseline */
};

/* However it comes out stands in `ret`, which trials_free() frees.  Returns the signal that came for this process; 0: none. */
int trials_run(const struct trials_plan *plan, const struct budget_test *test, struct trial *ret);

/* The call sites of the first run. */
void trials_read_sites(const struct trials_plan *plan, struct trial *trial);

/* And removes its capture, unless it is kept. */
void trials_free(struct trial *trial);

#endif
