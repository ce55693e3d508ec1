/* SPDX-License-Identifier: MIT */
/*
 * counters.h: counting, one instruction each.
 *
 * A counter word has one writer, the thread that holds its slot, so a plain read-modify-write to memory
 * is enough; it must be a single instruction, so that a signal handler that allocates between load and
 * store loses nothing.  Elsewhere than on x86-64, whose stores are seen in their order, it is an exclusive pair, which a
 * handler in between makes start over, and a release: who sees a free counted sees the allocation counted before it.  See
 * struct pm_tally for what a reader does with these.
 */
#ifndef TALLY_COUNTERS_H
#define TALLY_COUNTERS_H

#include <poolmem/format.h>
#include <stdbool.h>

/* make EXTRA_CFLAGS=-DPM_COUNT=0 builds a library that neither counts nor stamps, to measure what they cost. */
#ifndef PM_COUNT
#define PM_COUNT 1
#endif

/* Counts one allocation; true when the countdown to the class's next event has run out. */
static inline bool tally_allocated(struct pm_tally *tally)
{
	if (!PM_COUNT)
		return false;
#if defined(__x86_64__)
	bool due;
	__asm__ volatile("subq %2, %0" : "+m"(tally->left), "=@ccs"(due) : "i"(PM_LEFT_STEP));
	return due;
#else
	return __atomic_sub_fetch(&tally->left, PM_LEFT_STEP, __ATOMIC_RELAXED) < 0;
#endif
}

/* What a free of that age adds to pm_tally.recent; 0: it has no field there. */
static inline int64_t tally_weight(unsigned age)
{
	int64_t one = INT64_C(1) << PM_RECENT_SHIFT;
	if (age >= PM_RECENT_AGES)
		return 0;
	return age ? one | INT64_C(1) << (PM_RECENT_BITS * (age - 1) + 1) : one;
}

/* Counts a free by its weight; true when `recent` is full and tally_move() has to come. */
static inline bool tally_freed(struct pm_tally *tally, int64_t weight)
{
#if defined(__x86_64__)
	bool is_full;
	__asm__ volatile("addq %2, %0" : "+m"(tally->recent), "=@ccs"(is_full) : "r"(weight));
	return is_full;
#else
	return (int64_t)__atomic_add_fetch(&tally->recent, (uint64_t)weight, __ATOMIC_RELEASE) < 0;
#endif
}

static inline void tally_add(uint64_t *word, uint64_t amount)
{
#if defined(__x86_64__)
	__asm__ volatile("addq %1, %0" : "+m"(*word) : "er"(amount));
#else
	__atomic_fetch_add(word, amount, __ATOMIC_RELEASE);
#endif
}

static inline void tally_increment(uint64_t *word)
{
#if defined(__x86_64__)
	__asm__ volatile("incq %0" : "+m"(*word));
#else
	__atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
#endif
}

/* Allocations counted so far; exact for the writer itself. */
static inline uint64_t tally_allocations(const struct pm_tally *tally)
{
	int64_t left = tally->left;
	return (uint64_t)(tally->limit[left & 1] - (left >> 8));
}

/* The same of another thread's: the owner may arm it meanwhile, then both limits are looked at again. */
static inline uint64_t tally_allocations_seen(const struct pm_tally *tally)
{
	for (;;) {
		int64_t left = __atomic_load_n(&tally->left, __ATOMIC_ACQUIRE);
		int64_t limit = __atomic_load_n(&tally->limit[left & 1], __ATOMIC_ACQUIRE);
		int64_t again = __atomic_load_n(&tally->left, __ATOMIC_RELAXED);
		if ((uint8_t)left == (uint8_t)again)
			return (uint64_t)(limit - (left >> 8));
	}
}

/*
 * How often a reader begins again because somebody has moved counts meanwhile.  A thread does so some hundred frees apart; but in the
 * slot that many write to each free changes `freed`, and where a handler of a signal that frees interrupts the reader itself,
 * each round may find another one.  Then nothing is ever moved, and what was read last is as good.
 */
enum { TALLY_ROUNDS = 64 };

/* Frees of another thread's by age, and their sum; it may count meanwhile. */
void tally_ages_seen(const struct pm_tally *tally, uint64_t ret_freed[PM_AGE_COUNT]);
uint64_t tally_frees_seen(const struct pm_tally *tally);

/* Those of age 0 alone: a move changes their count, or it moves none of them. */
static inline uint64_t tally_young_seen(const struct pm_tally *tally)
{
	uint64_t count, recent, moving;
	unsigned rounds = TALLY_ROUNDS;
	do {
		count = __atomic_load_n(&tally->freed[0], __ATOMIC_ACQUIRE);
		recent = __atomic_load_n(&tally->recent, __ATOMIC_ACQUIRE);
		moving = __atomic_load_n(&tally->moving, __ATOMIC_ACQUIRE);
	} while (__builtin_expect(__atomic_load_n(&tally->freed[0], __ATOMIC_RELAXED) != count,
				  false) &&
		 --rounds);
	if (__builtin_expect((recent ^ moving) & 1, false))
		count += ((moving >> 1) - count) & ((1 << PM_RECENT_BITS) - 1);
	return count + pm_recent_young(recent);
}

/* Frees counted so far; exact for the writer itself. */
static inline uint64_t tally_frees(const struct pm_tally *tally)
{
	if (__builtin_expect((tally->recent ^ tally->moving) & 1, false))
		return tally_frees_seen(tally); /* a move was left halfway */
	uint64_t sum = tally->recent >> PM_RECENT_SHIFT;
#pragma GCC unroll 16 /* each tick does it for each class */
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		sum += tally->freed[age];
	return sum;
}

/* So many frees of that age at once. */
void tally_add_frees(struct pm_tally *tally, unsigned age, uint64_t count);

/* To an empty record: what is recent there stands where it ends up, and at no instant is there more. */
void tally_copy(struct pm_tally *to, const struct pm_tally *from);

/* Moves what is in `recent` to `freed` when it is full.  Its writer alone, also in a handler of a signal. */
void tally_move(struct pm_tally *tally);

/* For words of several writers: raises it to `value` unless it is as high already.  Returns whether it was lower. */
static inline bool tally_raise(uint64_t *word, uint64_t value)
{
	uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (old < value)
		if (__atomic_compare_exchange_n(word, &old, value, true, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * Sets the countdown to `until_event` allocations from now; the count stays what it is.  The limit that goes is not in force
 * any more for whoever sees that it is gone.
 */
static inline void tally_arm(struct pm_tally *tally, int64_t until_event)
{
	uint8_t sequence = (uint8_t)(tally->left + 1);
	int64_t limit = (int64_t)tally_allocations(tally) + until_event;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&tally->limit[sequence & 1], limit, __ATOMIC_RELAXED);
	__atomic_store_n(&tally->left, until_event * PM_LEFT_STEP + sequence, __ATOMIC_RELEASE);
}

#endif
