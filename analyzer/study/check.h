/* SPDX-License-Identifier: MIT */
/*
 * check.h: what `poolmem check` found: of each test each rule, what was measured and what is allowed, how sure that is, and
 * whose doing it is.
 *
 *   budget file --source--> tests and rules --+
 *   baseline    --source--> values -----------+--> check_judge() --> struct check --> render, one file for each format
 *   each test   --launch--> captures ---------+
 *
 * Nothing here is printed, and nothing is run: launch/trials does that.
 */
#ifndef POOLMEM_STUDY_CHECK_H
#define POOLMEM_STUDY_CHECK_H

#include "study/diff.h"
#include "study/metrics.h"
#include "text/keep.h"

/*
 * How a rule, a test or the whole came out, what matters more standing later: the whole is the worst of all.
 *        X(NAME, "key", exit code of check, "in words")
 */
#define CHECK_STATES(X)                                                                            \
	X(PASSED, "passed", 0, "within its budget")                                                \
	X(EXCEEDED, "exceeded", 1, "over its budget")                                              \
	X(UNRELIABLE, "unreliable", 3, "could not be measured reliably")                           \
	X(FAILED, "failed", 4, "the program under test failed")                                    \
	X(INVALID, "invalid", 2, "its command, budget or baseline is wrong")

#define CHECK_STATE_NAME(name, key, code, words) CHECK_##name,
enum check_state { CHECK_STATES(CHECK_STATE_NAME) CHECK_STATE_COUNT };
#undef CHECK_STATE_NAME

/*
 * What made it come out so, where it is not a pass, and what to do: each is said once, at the end of a report.
 *        X(NAME, "key", "a sentence")
 */
#define CHECK_CAUSES(X)                                                                                 \
	X(NONE, "none", "")                                                                             \
	X(GREW, "grew",                                                                                 \
	  "Make the call sites that are named allocate less; if the growth is meant, take it into the " \
	  "baseline with --update.")                                                                    \
	X(GREW_SINCE, "grew_since",                                                                     \
	  "Make the call sites that are named allocate less; if the growth is meant, compare with "     \
	  "a newer capture.")                                                                           \
	X(OVER, "over",                                                                                 \
	  "Make the call sites that are named allocate less; if the growth is meant, raise the "        \
	  "limit.")                                                                                     \
	X(LEAKED, "leaked",                                                                             \
	  "Free what the call sites that are named leave, or name in a file of suppressions what "      \
	  "is left on purpose (poolmem-leaks(1)).")                                                     \
	X(LESS, "less",                                                                                 \
	  "Where a figure is less than = asks for: --ratchet or --update takes it into the "            \
	  "baseline; a number of its own is to be corrected, or <= written.")                           \
	X(CHANCE, "chance",                                                                             \
	  "Give the rules that are named a tolerance, or make the program do the same in each "         \
	  "run.")                                                                                       \
	X(UNCERTAIN, "uncertain",                                                                       \
	  "Give leaks that are not known for certain a limit that holds for all of them; poolmem "      \
	  "leaks says of each why.")                                                                    \
	X(UNMATCHED, "unmatched",                                                                       \
	  "Correct the names of call sites and modules that nothing has; poolmem sites says how "       \
	  "they are called.")                                                                           \
	X(UNSEEN, "unseen",                                                                             \
	  "Test a program whose calls can be recorded: what is in the way is named; poolmem "           \
	  "doctor PROGRAM says more.")                                                                  \
	X(INCOMPLETE, "incomplete",                                                                     \
	  "Let all of it be recorded: give it room in shared memory (df /dev/shm, ulimit -f), and let " \
	  "no process run on when the first has ended.")                                                \
	X(OUTLIVED, "outlived", "Let the program wait for all processes that it starts.")               \
	X(FAILED, "failed",                                                                             \
	  "Run the failed command by itself: it must succeed before its memory can be judged.")         \
	X(ENDED, "ended",                                                                               \
	  "Run the failed command by itself: it must end as exit says before its memory can be "        \
	  "judged.")                                                                                    \
	X(TIMEOUT, "timeout",                                                                           \
	  "Run the command that took too long by itself; if it needs the time, give it more with "      \
	  "timeout.")                                                                                   \
	X(NO_PROGRAM, "no_program",                                                                     \
	  "Correct the command or the directory that is named: nothing can be run there.")              \
	X(NO_BASELINE, "no_baseline",                                                                   \
	  "Make the baseline: --update writes it from what the tests use now.")                         \
	X(CAPTURE, "capture",                                                                           \
	  "Compare with a capture that has each call site: one that check --keep kept, or that "        \
	  "POOLMEM=sites=all,repeatable=1 poolmem run made.")

#define CHECK_CAUSE_NAME(name, key, advice) CHECK_CAUSE_##name,
enum check_cause { CHECK_CAUSES(CHECK_CAUSE_NAME) CHECK_CAUSE_COUNT };
#undef CHECK_CAUSE_NAME

extern const char *const check_cause_keys[CHECK_CAUSE_COUNT];
extern const char *const check_cause_advice[CHECK_CAUSE_COUNT];

extern const char *const check_state_keys[CHECK_STATE_COUNT];
extern const char *const check_state_words[CHECK_STATE_COUNT];
extern const int check_state_codes[CHECK_STATE_COUNT];

/* Where a rule stands: in a budget file, or on the command line (line 0). */
struct check_place {
	const char *file; /* as given, relative to the working directory where it can be; "": the command line */
	unsigned line, column;
	bool is_default; /* nobody gave it: it holds where a test has no rule */
};

/* A call site that owns a part of the difference: by the figure that its rule is about. */
struct check_site {
	enum diff_mark mark;  /* new, gone, grown ... */
	const char *function; /* "" where no name is known: then `label` or `module` says where */
	const char *label; /* what to call it: "ls+0x4b70" where it has no name; NULL: as its function */
	const char *file; /* of source, as debug information has it, less the working directory; "": unknown */
	unsigned line;            /* 0: unknown */
	const char *module;       /* path of the library or program */
	const char *const *stack; /* innermost first, a call each: "function (file:line)" */
	size_t stack_count;
	int64_t before, after; /* blocks or bytes, as the rule's unit is */
	bool has_before;       /* false: nothing to compare with, `after` is what it has */
	bool is_estimated;     /* of a sample */
};

struct check_rule {
	struct check_place place;
	const char *text;   /* as written, without spaces around */
	const char *metric; /* "live.peak", one of metric_keys */
	const char *site;   /* of this site alone; NULL: of the whole */
	const char *module; /* of this module alone; NULL */
	enum metric_unit unit;
	enum check_state state;
	enum check_cause cause; /* NONE: a pass, or its test has it */
	const char *why; /* one sentence for people, always there: "live.peak 26,214,400 is 1.0 MiB over 24 MiB" */
	const char *remedy;    /* what to do; NULL: nothing */
	struct known value;    /* median of the runs */
	struct known limit;    /* in the metric's unit; for `=` the value asked for */
	struct known baseline; /* what the rule's baseline is worth, if it names one */
	struct known lower_limit; /* of a band around a baseline (`= baseline +- 1%`); not known: none */
	int64_t least, most;      /* of the runs; equal when repeatable */
	size_t run_count;
	bool is_stable;         /* the same in all runs */
	struct known tolerance; /* suggested where it is not, in millionths of the value */
	double p; /* of the rank test against the baseline's runs; < 0: none was made */
	struct check_site *sites;     /* of an exceeded one: the largest share first */
	size_t site_count, site_more; /* shown, and further ones */
};

struct check_metric { /* what was measured, asked for by a rule or not */
	enum metric metric;
	int64_t value, least, most;
	struct known baseline;
	bool is_stable;
};

struct check_process {       /* of the last run's process tree */
	const char *name;    /* of its executable */
	int64_t pid, parent; /* parent 0: none of these */
	struct metrics metrics;
};

struct check_test {
	const char *name;
	const char *const *argv; /* NULL at the end */
	const char *command;     /* the same in one line */
	const char *directory;   /* in which it ran */
	struct check_place place;
	enum check_state state; /* the worst of its rules, or FAILED or UNRELIABLE of itself */
	enum check_cause cause; /* of itself; NONE: its rules have it */
	const char *why;        /* NULL: its rules say it all */
	struct known exit_status, signal; /* of the run that failed, or of the last */
	bool timed_out;
	uint64_t elapsed_ns; /* of all its runs */
	size_t run_count;
	const char *capture; /* kept for later; NULL: none */
	struct check_rule *rules;
	size_t rule_count;
	struct check_metric *metrics;
	size_t metric_count;
	struct check_process *processes;
	size_t process_count;
};

struct check_note {
	const char *test; /* its name; NULL: of all */
	const char *text; /* a sentence, without the name */
};

/* What the environment was when the baseline was made, and is now. */
struct check_difference {
	const char *what; /* "libc" */
	const char *then, *now;
};

/* A figure of a test that had another value in the baseline before. */
struct check_change {
	const char *test, *subject; /* "alloc.count", "site \"f\" alloc.count" */
	int64_t then, now;
};

/* What became of the baseline. */
struct check_written {
	const char *file; /* NULL: nothing was to be written, or could be */
	bool is_ratchet;
	const char **tests; /* of which it has figures of this run */
	size_t test_count;
	size_t passed_count; /* of tests that were good enough to be taken */
	struct check_change *changes;
	size_t change_count;
	size_t test_room, change_room;
};

struct check {
	enum check_state state;
	struct check_test *tests; /* in the order of the file */
	size_t test_count;
	size_t counts[CHECK_STATE_COUNT]; /* of tests */
	const char *budget, *baseline;    /* files; NULL: none */
	bool is_against;                  /* the baseline is a capture */
	struct check_difference *differences;
	size_t difference_count;
	struct check_note *notes; /* what else to know */
	size_t note_count;
	struct check_written written;
	uint64_t began_real_ns; /* since 1970; 0: not known */
	uint64_t elapsed_ns;
	/* Of who fills it in. */
	struct keep keep;
	size_t test_room, difference_room, note_room;
};

struct trial;         /* study/trial.h */
struct baseline_test; /* study/baseline.h */

/*
 * What becomes of a test's baseline when it passes.  RENEWS: it is made of these runs, which are taken for it where a rule names
 * one.  LOWERS: the same of what is better.
 */
enum check_making { CHECK_KEEPS, CHECK_RENEWS, CHECK_LOWERS };

/* Judges a test by what it left and adds it; before: its baseline; NULL: none.  The trial and the baseline must stay. */
struct check_test *check_add(struct check *check, const struct trial *trial,
			     const struct baseline_test *before, enum check_making making);

/* The same anew, in place of what was added: after more was learned of the trial. */
void check_again(struct check *check, struct check_test *test, const struct trial *trial,
		 const struct baseline_test *before, enum check_making making);

/* Whether call sites would say more: some rule is exceeded. */
bool check_wants_sites(const struct check_test *test);

/* Of the test of that name; NULL: of all.  The same of a test is said once. */
void check_note(struct check *check, const char *test, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* When all tests were added. */
void check_conclude(struct check *check);
void check_free(struct check *check);

#endif
