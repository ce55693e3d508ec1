/* SPDX-License-Identifier: MIT */
/*
 * what_if.h: what would have been promoted with other thresholds, as far as one recording tells.
 *
 * An epoch k times as long ends at every k-th end of a recorded one, k a whole number: a block that outlived d
 * recorded ends outlives one of the longer epochs with probability min(1, d/k), when births are spread evenly
 * over them; the same holds of middle and full sweeps, which come at every so many ends.  d is known as a range,
 * so what is expected is a range.  Where a sweep's share is a matter of chance the range is wider by two standard
 * deviations, for sweeps that differ from each other as much as their mean.  Of what lives, the generation says
 * between which ends it was born.
 */
#ifndef POOLMEM_STUDY_WHAT_IF_H
#define POOLMEM_STUDY_WHAT_IF_H

#include "study/study.h"

/* X(NAME, "why nothing is known of a process") */
#define WHAT_IF_REASONS(X)                                                                          \
	X(SHORTER, "the first number is no whole multiple of the recorded one: shorter epochs, or " \
		   "such in between, cannot be known")                                              \
	X(NET, "the clock counted allocations less frees, which longer epochs do not add up")       \
	X(INHERITED, "blocks were inherited, of ages that nobody kept")                             \
	X(UNRECORDED, "sweeps were not recorded")

#define WHAT_IF_REASON_NAME(name, text) WHAT_IF_##name,
enum what_if_reason { WHAT_IF_REASONS(WHAT_IF_REASON_NAME) WHAT_IF_REASON_COUNT };
#undef WHAT_IF_REASON_NAME

extern const char *const what_if_reasons[WHAT_IF_REASON_COUNT];

struct what_if_range {
	uint64_t low, high;
};

/* As struct flow, frozen blocks left out. */
struct what_if_flow {
	struct what_if_range entered[GENERATION_COUNT];
	struct what_if_range survived[GENERATION_COUNT];
	struct what_if_range died[GENERATION_COUNT];
};

/* Sums over the processes of which something is known. */
struct what_if {
	uint32_t threshold[GENERATION_COUNT];
	size_t processes, left_out[WHAT_IF_REASON_COUNT];
	uint32_t doubling; /* after so many epochs they became twice as long while one ran; 0: in none */
	uint64_t recorded_sweeps[GENERATION_COUNT];
	struct what_if_range sweeps[GENERATION_COUNT];
	struct flow recorded, recorded_bytes;
	struct what_if_flow blocks, bytes;
};

/* text: "N:N:N", the second at most 100. */
bool what_if_parse(const char *text, uint32_t ret_threshold[GENERATION_COUNT], struct failure *why);

void what_if_of(const struct study *study, const uint32_t threshold[GENERATION_COUNT],
		struct what_if *ret);

#endif
