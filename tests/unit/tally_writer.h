/* SPDX-License-Identifier: MIT */
/* tally_writer.h: frees as the library counts them, for tests of who reads meanwhile; see struct pm_tally. */
#ifndef TEST_TALLY_WRITER_H
#define TEST_TALLY_WRITER_H

#include <poolmem/format.h>
#include <stdatomic.h>

/* What is recent goes to where it ends up, in the order that readers need. */
static inline void writer_move(volatile struct pm_tally *tally)
{
	uint64_t counts[PM_RECENT_AGES], recent = tally->recent, moving = recent & 1;

	for (unsigned age = 0; age < PM_RECENT_AGES; age++) {
		counts[age] = tally->freed[age] +
			      (age ? pm_recent_aged(recent, age) : pm_recent_young(recent));
		moving |= (counts[age] & 511) << (PM_RECENT_BITS * age + 1);
	}
	tally->moving = moving;
	atomic_thread_fence(memory_order_release);
	tally->recent = ~recent & 1;
	atomic_thread_fence(memory_order_release);
	for (unsigned age = 0; age < PM_RECENT_AGES; age++)
		tally->freed[age] = counts[age];
	atomic_thread_fence(memory_order_release);
	tally->moving = moving ^ 1;
}

/* Of an age below PM_RECENT_AGES. */
static inline void writer_free(volatile struct pm_tally *tally, unsigned age)
{
	uint64_t one = UINT64_C(1) << PM_RECENT_SHIFT;

	tally->recent += age ? one | UINT64_C(1) << (PM_RECENT_BITS * (age - 1) + 1) : one;
	if ((int64_t)tally->recent < 0)
		writer_move(tally);
}

#endif
