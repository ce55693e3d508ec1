/* SPDX-License-Identifier: MIT */
/*
 * clock.h: epochs, sweeps and the age of a block.
 *
 * The clock counts, as `kind` says, allocations, bytes handed out, allocations less frees, or milliseconds.
 * It is fed and looked at where slow calls tick: what came and went between two ticks is one sum, and a tick
 * turns one epoch at most, however much is counted.
 *
 * As in CPython, a young sweep comes at the end of each epoch; after t1+1 of them the next takes generation 1
 * as well, and after t2+1 of these the next is a full one.  Sweeping generation g moves every survivor of
 * generations up to g to g+1.  So the generation of a block follows from its birth epoch and the sweeps
 * since, and no block is visited.
 */
#ifndef TALLY_CLOCK_H
#define TALLY_CLOCK_H

#include "tally/stamps.h"

#include <poolmem/format.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum {
	CLOCK_DOUBLING = 256,
	CLOCK_DOUBLING_NET = 1024, /* Python's epochs stay as long as they are */
	CLOCK_T1_MAX = 100,
	CLOCK_OLD_AGE = 128,      /* surely generation 2, as t1 is at most 100 */
	CLOCK_AGEING_PERIOD = 96, /* epochs between two passes that turn stamps into STAMP_OLD */
	CLOCK_FIRST_OLD = 6, /* bucket of deaths in generation 2; before it those of 1, and 0 of 0 */
};

struct clock {
	uint64_t units; /* counted so far; of NET: since the epoch began; atomic */
	uint64_t next;  /* the epoch turns when units reach this */
	uint64_t length;
	uint64_t origin_ms; /* of MS: when units were 0 */
	enum pm_clock kind;
	uint32_t doubling; /* after so many epochs they become twice as long */
	uint64_t epoch;
	uint64_t turned; /* of these, epochs that ended by themselves */
	uint64_t sweeps[3];
	uint32_t threshold[3];
	bool paused;                /* it counts, and no epoch turns by itself */
	uint32_t count[3];          /* as gc.get_count(): [1] young sweeps, [2] middle sweeps */
	uint64_t last_middle_epoch; /* epoch of the last sweep that took generation 1 */
};

extern struct clock clock_now;

void clock_init(enum pm_clock kind, const uint32_t threshold[3]);

/*
 * What the clock counts has changed by so much since the last tick of the caller's heap.  NET goes down to 0 and no
 * further.  Of the others less counts as nothing: bytes are taken back where a large block shrinks in place.
 */
void clock_count(int64_t change);

/* MS: the time is `now_ms`. */
void clock_show(uint64_t now_ms);

/* Which generation the next sweep takes. */
unsigned clock_choose(void);

/* Which one a sweep takes that the program asks for: beyond CLOCK_T1_MAX young ones in a row no stamp would tell. */
unsigned clock_choose_asked(unsigned generation);

/* In a forked child, whose parent may have been turning the epoch: the table of ages is of the epoch that is. */
void clock_resume(void);

/* Turns the epoch by a sweep of that generation, and with it the ages of stamps.  One caller at a time. */
void clock_advance(unsigned generation);

/* Whether an epoch is over. */
static inline bool clock_is_due(void)
{
	return !clock_now.paused &&
	       __atomic_load_n(&clock_now.units, __ATOMIC_RELAXED) >= clock_now.next;
}

/* From the epoch that runs now on; its length is threshold[0] again.  As for clock_advance(). */
void clock_set_threshold(const uint32_t threshold[3]);

/* Units since the epoch began. */
uint64_t clock_units_of_epoch(void);

/* What each word of pm_tally.freed counts. */
extern const struct pm_age clock_ages[PM_AGE_COUNT] __attribute__((visibility("hidden")));

/* The generation that a live block of that stamp is in, and that a bucket counts deaths of. */
unsigned clock_generation(uint8_t stamp);
static inline unsigned clock_generation_at(unsigned bucket)
{
	return bucket < 1 ? 0 : bucket < CLOCK_FIRST_OLD ? 1 : 2;
}

/* Age in epochs of a live block's stamp; CLOCK_OLD_AGE or more: STAMP_OLD. */
unsigned clock_age(uint8_t stamp);

/* Index into pm_tally.freed for a block of that age and generation. */
unsigned clock_bucket(unsigned generation, unsigned age);

/* What the buckets mean, for the segment's table of ages. */
void clock_describe(struct pm_age ages[PM_AGE_COUNT]);

#pragma GCC visibility pop

#endif
