/* SPDX-License-Identifier: MIT */
/*
 * compare.h: one command under several allocators: the middle of what their runs took, which is best, and how sure that is.
 *
 * Runs of two allocators are told apart by the ranks of their figures (Wilcoxon, Mann and Whitney; exact, also where some
 * are equal): how often a random order would part them as well.  Which is best was seen
 * from the same figures, so that chance has had a try with each two of all: its part is times how many pairs they make
 * (Bonferroni).
 */
#ifndef POOLMEM_STUDY_COMPARE_H
#define POOLMEM_STUDY_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a run, less is better.    X(NAME, "json key", UNIT of metrics.h, "meaning") */
#define COMPARE_MEASURES(X)                                                                        \
	X(TIME, "time_ns", NS, "from start to end, or of a server's load")                         \
	X(CPU, "cpu_ns", NS, "user and system")                                                    \
	X(PEAK, "rss.peak", BYTES, "most that was resident")                                       \
	X(END, "rss.end", BYTES, "resident at the last look")                                      \
	X(MEAN, "rss.mean", BYTES, "resident, over time")                                          \
	X(FAULTS, "faults", COUNT, "page faults")

#define COMPARE_NAME(name, key, unit, meaning) COMPARE_##name,
enum compare_measure { COMPARE_MEASURES(COMPARE_NAME) COMPARE_MEASURE_COUNT };
#undef COMPARE_NAME

extern const char *const compare_keys[COMPARE_MEASURE_COUNT];

enum {
	COMPARE_RUNS_MIN = 4 /* of each of two that can prove anything; see compare_runs_min() */,
	COMPARE_RUNS_MAX = 50,
	COMPARE_ROWS_MAX = 32
};

/* Of what is resident 0 is not known: nobody looked in time. */
struct compare_figure {
	uint64_t run[COMPARE_RUNS_MAX]; /* in the order of the runs */
	uint64_t median, least,
		most; /* of those that are known; 0: of less than half it is, of a peak of less than all */
};

/* Whether 0 of that is: nobody knows. */
static inline bool compare_is_resident(enum compare_measure measure)
{
	return measure == COMPARE_PEAK || measure == COMPARE_END || measure == COMPARE_MEAN;
}

/* Of one run whose calls were counted.  Bytes; 0: not known. */
struct compare_heap {
	bool is_known;
	uint64_t allocations;
	uint64_t live_peak;        /* highest sum of usable bytes */
	uint64_t peak;             /* the most resident memory of no file */
	uint64_t end, live_at_end; /* the same at the last look, and what was live then */
	uint64_t programs; /* that were run, by fork or exec; of several what is live is that of the largest */
	bool is_of_many; /* others among these held a tenth of that or more: what is resident, of all, has no ratio to it */
};

struct compare_point {
	uint64_t at_ms, bytes;
};

/* UNTRIED: it did not come to its first run.  DONE: it has one or more. */
enum compare_state { COMPARE_DONE, COMPARE_MISSING, COMPARE_FAILED, COMPARE_UNTRIED };

/* Of a trace that was replayed, the same for all rows. */
struct compare_replay {
	const char *exe;
	uint32_t pid;
	uint64_t events, threads;
	uint64_t unknown, implied;    /* calls left out, frees told by what came next */
	uint64_t missed;              /* calls that were not recorded */
	uint64_t live_peak, live_end; /* bytes asked for */
	bool is_full;                 /* recording ended for want of room */
	bool touches; /* false: memory was not touched, and what is resident says nothing */
	bool waits;   /* for the time at which the program was so far */
};

struct compare_row {
	const char *name, *path, *package, *variable; /* NULL: none */
	enum compare_state state;
	char why[400]; /* MISSING, FAILED */
	size_t runs;
	struct compare_figure of[COMPARE_MEASURE_COUNT];
	struct compare_heap heap;
	char heap_why[400];           /* why it is not known */
	struct compare_point *points; /* resident over time, in the run whose peak is in the middle */
	size_t point_count;
	uint64_t steps,
		refused; /* of a replay, all runs: what it did, and requests that got no memory */
};

enum compare_sureness { COMPARE_UNSURE, COMPARE_LIKELY, COMPARE_SURE };

/* Which is best of those that are done and refused no more than another did. */
struct compare_verdict {
	bool is_known; /* there are two or more, and of all that are done the figure is known */
	enum compare_sureness sureness; /* that none of those not in `tied` is better */
	size_t best,
		next; /* rows: by the median; next: the best one that is told apart, else of all */
	bool tied[COMPARE_ROWS_MAX]; /* not told apart from the best */
	size_t tied_count;
	double p; /* how often chance alone parts the best from any other as it is parted from that next one */
};

struct comparison {
	char *const *argv;                   /* of a replay NULL */
	const struct compare_replay *replay; /* NULL: programs were run */
	size_t runs;                         /* that were wanted of each */
	size_t rounds; /* that came to their end: as many as wanted, unless it was interrupted */
	bool is_server;
	bool is_script;     /* the command is one: its interpreter was measured */
	uint64_t processes; /* that were seen in a run, at most */
	int exit_code;      /* of the program by itself; of a server 0 */
	int interrupted;    /* the signal that ended it; 0: none did */
	struct compare_row row[COMPARE_ROWS_MAX];
	size_t row_count;
	struct compare_verdict memory, end, time; /* by PEAK, by END and by compare_time() */
};

/* What tells which is faster: TIME, of a replay CPU, as it keeps the pace of the program. */
enum compare_measure compare_time(const struct comparison *comparison);

/* From the runs that the rows hold. */
void compare_conclude(struct comparison *comparison);

/* Runs of each that can tell the best from another, of so many as were done. */
size_t compare_runs_min(const struct comparison *comparison);

/* Whether who is best at the peak is not so at the end. */
bool compare_end_differs(const struct comparison *comparison);

/* Whether it refused what another one served: then its figures are of less work. */
bool compare_has_refused(const struct comparison *comparison, size_t row);

/* Whether of any row the live bytes are known. */
bool compare_has_heaps(const struct comparison *comparison);

/*
 * How often two sets of so many figures, put together and parted by chance, differ in ranks as much as these or more, on
 * either side.  1: of none.
 */
double compare_p(const uint64_t *left, size_t left_count, const uint64_t *right, size_t right_count);

/* Of such a p: less is not put down to chance. */
#define COMPARE_CHANCE 0.05

/* Half of the way from the least to the most run, as a part of the median. */
double compare_spread(const struct compare_figure *figure);

#endif
