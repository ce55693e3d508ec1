/* SPDX-License-Identifier: MIT */
/* trial.h: the runs of one test, as launch/trials left them: what check_add() judges. */
#ifndef POOLMEM_STUDY_TRIAL_H
#define POOLMEM_STUDY_TRIAL_H

#include "study/baseline.h"
#include "study/measured.h"

enum { TRIAL_NOTES_MAX = 4 };

struct trial {
	const struct budget_test *test;
	struct measured *runs;
	size_t run_count, run_room;
	enum check_state state; /* PASSED: all runs were measured; else why it went no further */
	enum check_cause cause; /* NONE when PASSED */
	const char *why;        /* NULL when PASSED */
	struct known exit_status, signal; /* of the last run */
	bool timed_out;
	uint64_t elapsed_ns;                /* of all runs */
	const char *notes[TRIAL_NOTES_MAX]; /* what else to know, a sentence each; NULL behind the last */
	const char *directory;              /* in which it ran */
	const char *capture;                /* of the first run; NULL: none */
	bool is_kept;                       /* the capture stays */
	const char *fact[BASELINE_FACT_COUNT]; /* NULL: not known */
	struct keep keep;
};

/* Once each, as many as there is room for.  text: as long as the trial. */
void trial_note(struct trial *trial, const char *text);

/* Whether some figure that a baseline keeps was not the same in all runs. */
bool trial_is_unstable(const struct trial *trial);

/* The values of a figure in all runs; false: it is not known of each. */
bool trial_values(const struct trial *trial, enum metric metric, int64_t ret[BUDGET_RUNS_MAX]);
bool trial_rule_values(const struct trial *trial, size_t rule, int64_t ret[BUDGET_RUNS_MAX]);

/* Whether the runs have less than those of the baseline; where some are not the same, as told by rank. */
bool trial_is_better(const struct baseline_value *was, const int64_t *runs, size_t run_count);

/*
 * The baseline has these figures and call sites from now on.  only_better: each figure that is lower, of noisy ones those that
 * are told apart; the sites when some are lower and none higher.  The ledger of the first run goes over; texts of the trial stay
 * in use.
 */
void trial_to_baseline(struct trial *trial, struct baseline *baseline, bool only_better);

#endif
