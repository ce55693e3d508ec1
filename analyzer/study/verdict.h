/* SPDX-License-Identifier: MIT */
/* verdict.h: what becomes of a site's blocks, in a word. */
#ifndef POOLMEM_STUDY_VERDICT_H
#define POOLMEM_STUDY_VERDICT_H

#include "study/site_ages.h"

/* X(NAME, "json key", "when they die, in a column", "in a sentence") */
#define VERDICTS(X)                                                                                \
	X(FEW_BLOCKS, "undecided", "?", "undecided, fewer than 20 blocks were recorded")           \
	X(FEW_EPOCHS, "undecided", "?", "undecided, fewer than 10 epochs ended")                   \
	X(NEW, "undecided", "?", "undecided, those that live may be new")                          \
	X(UNSURE, "undecided", "?", "undecided, the shares may lie on either side of a limit")     \
	X(YOUNG, "dies_young", "young", "dies young")                                              \
	X(MIDDLE, "middle_aged", "middle", "middle-aged")                                          \
	X(NEVER, "lives_for_ever", "never", "lives for ever")                                      \
	X(MIXED, "mixed", "mixed", "mixed")

#define VERDICT_NAME(name, key, word, words) VERDICT_##name,
enum verdict { VERDICTS(VERDICT_NAME) VERDICT_COUNT };
#undef VERDICT_NAME

enum {
	VERDICT_BLOCKS_MIN = 20, /* recorded: of fewer no share of a tenth can be told */
	VERDICT_EPOCHS_MIN = 10, /* before that no block can be old */
};

/*
 * Young: at most a tenth outlives the epoch of birth.  Never: at least nine tenths live, and half of these surely came
 * to generation 2.  Middle: at least nine tenths outlive the epoch of birth, at most a tenth lives.  Mixed: none of
 * these.  Undecided: too few blocks or epochs, or the shares may lie on both sides of a limit, in 95 of 100 cases, or
 * nine tenths live that may be new.
 */
enum verdict verdict_of(const struct site_ages *ages);

extern const char *const verdict_keys[VERDICT_COUNT];
extern const char *const verdict_words[VERDICT_COUNT];
extern const char *const verdict_sentences[VERDICT_COUNT];

#endif
