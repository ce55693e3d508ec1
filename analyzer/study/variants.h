/* SPDX-License-Identifier: MIT */
/*
 * variants.h: what a trace would take if one parameter of our own allocator had another value.
 *
 * Constants of the allocator stay constants: each value is a library of its own, built of the same sources with other
 * flags.  What is a setting anyway is set.  One parameter is changed at a time, against replays under poolmem as it is,
 * in turn with them.  A difference is told when ranks part the runs (compare.h), so that where there is none at all
 * one is told in one table of twenty at most, and when it is worth a sentence.
 */
#ifndef POOLMEM_STUDY_VARIANTS_H
#define POOLMEM_STUDY_VARIANTS_H

#include "study/compare.h"
#include "text/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* X(NAME, "name", "what poolmem has") in the order in which they are shown. */
#define VARIANT_PARAMETERS(X)                                                                      \
	X(POOL, "pool", "64K")                                                                     \
	X(CLASSES, "classes", "one each 16 bytes up to 1 KiB, eight to a doubling above")          \
	X(PLACE, "place", "where there is room")                                                   \
	X(PURGE, "purge", "200")

/*
 * X(PARAMETER, "name=value", KIND, "how", "words"), by parameter.  KIND: BUILT with these flags, as the Makefile reads here, or SET
 * in POOLMEM.
 */
#define VARIANTS(X)                                                                                \
	X(POOL, "pool=16K", BUILT, "-DPM_UNIT_KIB=16", "pools of 16 KiB")                          \
	X(POOL, "pool=32K", BUILT, "-DPM_UNIT_KIB=32", "pools of 32 KiB")                          \
	X(POOL, "pool=128K", BUILT, "-DPM_UNIT_KIB=128", "pools of 128 KiB")                       \
	X(CLASSES, "classes=coarse", BUILT, "-DPM_CLASS_GRAIN=32 -DPM_CLASS_LOG2=2",               \
	  "coarser classes")                                                                       \
	X(CLASSES, "classes=fine", BUILT, "-DPM_CLASS_LOG2=4 -DPM_CHUNK_KIB=32", "finer classes")  \
	X(PLACE, "place=age", BUILT, "-DPM_PLACE_AGE=1", "blocks placed by age")                   \
	X(PURGE, "purge=0", SET, "purge.ms=0", "free memory given back at once")                   \
	X(PURGE, "purge=50", SET, "purge.ms=50", "free memory given back after 50 ms")             \
	X(PURGE, "purge=1000", SET, "purge.ms=1000", "free memory given back after 1,000 ms")      \
	X(PURGE, "purge=never", SET, "purge.ms=4294967295",                                        \
	  "free memory not given back by the clock")

#define VARIANT_PARAMETER(name, text, own) VARIANT_##name,
enum variant_parameter { VARIANT_PARAMETERS(VARIANT_PARAMETER) VARIANT_PARAMETER_COUNT };
#undef VARIANT_PARAMETER

enum variant_kind { VARIANT_BUILT, VARIANT_SET };

struct variant {
	enum variant_parameter parameter;
	enum variant_kind kind;
	const char *name;  /* "pool=16K" */
	const char *how;   /* flags, or the setting */
	const char *words; /* "pools of 16 KiB" */
};

#define VARIANT_ONE(parameter, name, kind, how, words) +1
enum { VARIANT_COUNT = 0 VARIANTS(VARIANT_ONE) };
#undef VARIANT_ONE

extern const struct variant variants[VARIANT_COUNT];
extern const char *const variant_parameters[VARIANT_PARAMETER_COUNT];

/* Behind the "=" of its name. */
const char *variant_value(const struct variant *variant);

/* Which are to be tried, as asked for: of a value that was named it is a failure when it cannot be. */
struct variant_choice {
	bool is_chosen[VARIANT_COUNT], is_named[VARIANT_COUNT];
};

/* All; or of each word, PARAMETER or PARAMETER=VALUE, those that it names.  false: a word names none. */
bool variants_choose(const char *const *words, size_t count, struct variant_choice *ret,
		     struct failure *why);

/* What is compared, less is better.  X(NAME, of which measure, "json key", "a change is told as") */
#define VARIANT_FIGURES(X)                                                                         \
	X(PEAK, PEAK, "rss.peak", "at the peak")                                                   \
	X(MEAN, MEAN, "rss.mean", "on average")                                                    \
	X(END, END, "rss.end", "at the end")                                                       \
	X(TIME, CPU, "cpu_ns", "time")                                                             \
	X(FAULTS, FAULTS, "faults", "page faults")

#define VARIANT_FIGURE(name, measure, key, words) VARIANT_##name,
enum variant_figure { VARIANT_FIGURES(VARIANT_FIGURE) VARIANT_FIGURE_COUNT };
#undef VARIANT_FIGURE

extern const char *const variant_figure_keys[VARIANT_FIGURE_COUNT];
extern const char *const variant_figure_words[VARIANT_FIGURE_COUNT];

const struct compare_figure *variant_figure_of(const struct compare_row *row,
					       enum variant_figure figure);

/* From the least run to the most, as a part of the median. */
double variant_spread(const struct compare_row *row, enum variant_figure figure);

struct variant_change {
	double part;  /* of poolmem's own: 0.05 is 5 % more */
	bool is_told; /* else it is within what runs differ by, or worth nothing */
};

/* Of memory and time; faults are their cause and no aim. */
#define VARIANT_VERDICTS(X)                                                                        \
	X(SAME, "same")                                                                            \
	X(BETTER, "better")                                                                        \
	X(WORSE, "worse")                                                                          \
	X(TRADE, "trade")     /* better in one, worse in another */                                \
	X(UNKNOWN, "unknown") /* too few runs to tell anything */

#define VARIANT_VERDICT(name, key) VARIANT_##name,
enum variant_verdict { VARIANT_VERDICTS(VARIANT_VERDICT) VARIANT_VERDICT_COUNT };
#undef VARIANT_VERDICT

extern const char *const variant_verdict_keys[VARIANT_VERDICT_COUNT];

struct variant_row {
	const struct variant *variant;
	const struct compare_row *runs;
	struct variant_change change[VARIANT_FIGURE_COUNT];
	enum variant_verdict verdict;
};

struct variants_study {
	const struct compare_row *own; /* poolmem as it is */
	struct variant_row row[VARIANT_COUNT];
	size_t row_count;
	bool keeps_time; /* the program's; else what a delay of the purge does is not known */
	double level;    /* a difference is told where chance alone comes to less */
	size_t runs_min; /* of each, that can come to less */
	const struct variant_row *best; /* of those that are advice; NULL: none is */
};

/* Whether there are runs enough to tell any difference. */
bool variant_can_differ(const struct variants_study *study, const struct variant_row *row);

/* Better, and so for the program as well. */
bool variant_is_advice(const struct variants_study *study, const struct variant_row *row);

/* From `own`, rows, and keeps_time, of a comparison that was concluded; all of them are done. */
void variants_conclude(struct variants_study *study);

#endif
