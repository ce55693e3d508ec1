/* SPDX-License-Identifier: MIT */
/* verdict.h: what becomes of a site's blocks, in a word. */
#ifndef POOLMEM_STUDY_VERDICT_H
#define POOLMEM_STUDY_VERDICT_H

#include "study/site_ages.h"

/* X(NAME, "json key", "when they die, in a column") */
#define VERDICTS(X)                                                                                \
	X(UNDECIDED, "undecided", "?")                                                             \
	X(YOUNG, "dies_young", "young")                                                            \
	X(MIDDLE, "middle_aged", "middle")                                                         \
	X(NEVER, "lives_for_ever", "never")                                                        \
	X(MIXED, "mixed", "mixed")

#define VERDICT_NAME(name, key, word) VERDICT_##name,
enum verdict { VERDICTS(VERDICT_NAME) VERDICT_COUNT };
#undef VERDICT_NAME

enum {
	VERDICT_BLOCKS_MIN = 20, /* recorded: of fewer no share of a tenth can be told */
	VERDICT_EPOCHS_MIN = 10, /* before that no block can be old */
};

/*
 * Young: at most a tenth outlives the epoch of birth.  Never: at least nine tenths live.  Middle: at least nine tenths
 * outlive the epoch of birth, at most a tenth lives.  Mixed: none of these.  Undecided: too few blocks or epochs, or
 * the shares may lie on both sides of a limit, in 95 of 100 cases.
 */
enum verdict verdict_of(const struct site_ages *ages);

extern const char *const verdict_keys[VERDICT_COUNT];
extern const char *const verdict_words[VERDICT_COUNT];

#endif
