/* SPDX-License-Identifier: MIT */
/*
 * steps.h: the steps seen before.
 *
 * A table of the process without locks.  An entry is two words that any number of threads may write at once: the step,
 * and its key mixed with the step.  Words of different writers do not fit together and are no entry, so readers need
 * no second look, and nobody who is killed or interrupted while writing leaves anything behind.
 */
#ifndef STACK_STEPS_H
#define STACK_STEPS_H

#include "stack/step.h"

#pragma GCC visibility push(hidden)

/* So few sets serve at first, a page of them: one that is never written to is not there. */
enum { STEPS_WAYS = 4, STEPS_SETS_LOG = 13, STEPS_SETS = 1 << STEPS_SETS_LOG, STEPS_FEW = 64 };

struct steps_entry {
	uint64_t mark; /* key ^ mix(step) */
	uint64_t step;
};

extern struct steps_entry (*steps_table)[STEPS_WAYS]; /* NULL: none yet */
extern uint32_t steps_generation;                     /* 1 .. 65535: the top of each key */
extern uint32_t steps_mask;                           /* atomic: sets that serve, less one */

/* Not cached: compiles and enters it. */
struct step steps_add(uintptr_t ip, bool is_exact);

/* All sets serve from now on: where each block is recorded. */
void steps_widen(void);

/*
 * Words of two entries must not look like one of a third: keys differ in few bits, as steps do, so the step is spread
 * over the whole word.
 */
static inline uint64_t steps_mix(uint64_t step)
{
	step *= 0x9fb21c651e98df25;
	step ^= step >> 32;
	return step * 0xd6e8feb86659fd93;
}

static inline uint64_t steps_key(uint32_t generation, uintptr_t ip, bool is_exact)
{
	return (uint64_t)generation << 48 | ip >> MACHINE_CODE_ALIGN_LOG << 1 | is_exact;
}

/*
 * Above are addresses of the kernel, and of programs that ask for them; between are none of instructions: those are compiled
 * each time.
 */
static inline bool steps_has_key(uintptr_t ip)
{
	return ip >> (47 + MACHINE_CODE_ALIGN_LOG) == 0 && ip % (1 << MACHINE_CODE_ALIGN_LOG) == 0;
}

static inline uint64_t steps_hash(uintptr_t ip)
{
	return (ip * 0x9e3779b97f4a7c15) >> (64 - STEPS_SETS_LOG - 2);
}

static inline struct steps_entry *steps_set(struct steps_entry (*table)[STEPS_WAYS], uint64_t hash)
{
	return table[hash / STEPS_WAYS & __atomic_load_n(&steps_mask, __ATOMIC_RELAXED)];
}

static inline struct step steps_unpack(uint64_t word)
{
	struct step step;
	__builtin_memcpy(&step, &word, sizeof step);
	return step;
}

static inline uint32_t steps_now(void)
{
	return __atomic_load_n(&steps_generation, __ATOMIC_ACQUIRE);
}

/* How to leave the frame of `ip`; exact: not a return address. */
static inline struct step steps_find(uintptr_t ip, bool is_exact)
{
	uint32_t generation = steps_now();
	struct steps_entry(*table)[STEPS_WAYS] = __atomic_load_n(&steps_table, __ATOMIC_ACQUIRE);
	uint64_t key = steps_key(generation, ip, is_exact), hash = steps_hash(ip);
	bool is_cached = table && steps_has_key(ip);
	for (unsigned i = 0; is_cached && i < STEPS_WAYS; i++) {
		struct steps_entry *entry = &steps_set(table, hash)[(hash + i) % STEPS_WAYS];
		uint64_t step = __atomic_load_n(&entry->step, __ATOMIC_RELAXED);
		uint64_t mark = __atomic_load_n(&entry->mark, __ATOMIC_RELAXED);
		if ((mark ^ steps_mix(step)) == key)
			return steps_unpack(step);
	}
	return steps_add(ip, is_exact);
}

#pragma GCC visibility pop

#endif
