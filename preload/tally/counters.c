/* SPDX-License-Identifier: MIT */
/* counters.c: frees that are moved from the word that counts the latest, and who reads them meanwhile. */
#include "tally/counters.h"

enum { FIELD = (1 << PM_RECENT_BITS) - 1 };

/* The highest bit of each field of pm_tally.moving. */
static const uint64_t highest_bits = 0x8040201008040200;

/* The lowest bits of what the ages have that `recent` counts, as in pm_tally.moving, but for the turn. */
static uint64_t lowest_bits(const struct pm_tally *tally)
{
	uint64_t bits = tally->freed[PM_RECENT_AGES - 1];
#pragma GCC unroll 16
	for (unsigned age = PM_RECENT_AGES - 1; age-- > 0;)
		bits = bits << PM_RECENT_BITS | (tally->freed[age] & FIELD);
	return bits << 1;
}

/* Each field by itself: none carries to the next. */
static uint64_t add_fields(uint64_t left, uint64_t right)
{
	return ((left & ~highest_bits) + (right & ~highest_bits)) ^ ((left ^ right) & highest_bits);
}

/* One instruction, for one processor: what a handler of a signal did in between is seen.  false: it is another word now. */
static bool replace(uint64_t *word, uint64_t old, uint64_t new)
{
#if defined(__x86_64__)
	bool done;
	__asm__ volatile("cmpxchgq %[new], %[word]"
			 : "=@ccz"(done), [word] "+m"(*word), "+a"(old)
			 : [new] "r"(new)
			 : "memory");
	return done;
#else
	return __atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
#endif
}

/*
 * What is on its way arrives.  Each word changes once: for who was interrupted here by somebody that ended the same move, none
 * is what it was.
 */
static void end_move(struct pm_tally *tally, uint64_t moving)
{
	uint64_t freed[PM_RECENT_AGES];
#pragma GCC unroll 16
	for (unsigned age = 0; age < PM_RECENT_AGES; age++)
		freed[age] = __atomic_load_n(&tally->freed[age], __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&tally->moving, __ATOMIC_RELAXED) != moving)
		return;
#pragma GCC unroll 16
	for (unsigned age = 0; age < PM_RECENT_AGES; age++) {
		uint64_t more = ((moving >> (PM_RECENT_BITS * age + 1)) - freed[age]) & FIELD;
		if (more && !replace(&tally->freed[age], freed[age], freed[age] + more))
			return; /* ended already, or others came: see tally_add_frees() */
	}
	replace(&tally->moving, moving, moving ^ 1);
}

static uint64_t fields_of(uint64_t recent)
{
	uint64_t aged = (recent & ((UINT64_C(1) << PM_RECENT_SHIFT) - 1)) >> 1 << 1;
	uint64_t young = aged ? pm_recent_young(recent) : recent >> PM_RECENT_SHIFT;
	return aged << PM_RECENT_BITS | (young & FIELD) << 1;
}

/*
 * In the order of struct pm_tally: killed at any instant, what is there adds up.  A handler of a signal may interrupt it,
 * count, move itself, and never return here: who comes next ends what it finds.
 */
void tally_move(struct pm_tally *tally)
{
	uint64_t recent;
	while ((int64_t)(recent = __atomic_load_n(&tally->recent, __ATOMIC_RELAXED)) < 0) {
		uint64_t before = __atomic_load_n(&tally->moving, __ATOMIC_RELAXED);
		if ((recent ^ before) & 1) {
			end_move(tally, before);
			continue;
		}
		uint64_t moving = add_fields(lowest_bits(tally), fields_of(recent)) | (recent & 1);
		if (replace(&tally->moving, before, moving) &&
		    replace(&tally->recent, recent, ~recent & 1))
			end_move(tally, moving);
	}
}

/* Those that `recent` counts never fall: when their sum is the same, none has changed. */
static uint64_t read_freed(const struct pm_tally *tally, uint64_t ret_freed[PM_RECENT_AGES])
{
	uint64_t sum = 0;
#pragma GCC unroll 16
	for (unsigned age = 0; age < PM_RECENT_AGES; age++)
		sum += ret_freed[age] = __atomic_load_n(&tally->freed[age], __ATOMIC_ACQUIRE);
	return sum;
}

static void add_moving(uint64_t moving, uint64_t freed[PM_RECENT_AGES])
{
	for (unsigned age = 0; age < PM_RECENT_AGES; age++)
		freed[age] += ((moving >> (PM_RECENT_BITS * age + 1)) - freed[age]) & FIELD;
}

static void add_recent(uint64_t recent, uint64_t freed[PM_RECENT_AGES])
{
	uint64_t young = recent >> PM_RECENT_SHIFT;
#pragma GCC unroll 16
	for (unsigned age = 1; age < PM_RECENT_AGES; age++) {
		young -= pm_recent_aged(recent, age);
		freed[age] += pm_recent_aged(recent, age);
	}
	freed[0] += young;
}

/* As struct pm_tally says a reader does.  Returns what is recent, which is not among `ret_freed`. */
static uint64_t read_settled(const struct pm_tally *tally, uint64_t ret_freed[PM_AGE_COUNT])
{
	uint64_t again[PM_RECENT_AGES], sum, recent, moving;
	unsigned rounds = TALLY_ROUNDS;
	do {
		sum = read_freed(tally, ret_freed);
		recent = __atomic_load_n(&tally->recent, __ATOMIC_ACQUIRE);
		moving = __atomic_load_n(&tally->moving, __ATOMIC_ACQUIRE);
	} while (read_freed(tally, again) != sum && --rounds);
	if ((recent ^ moving) & 1)
		add_moving(moving, ret_freed);
	for (unsigned age = PM_RECENT_AGES; age < PM_AGE_COUNT; age++)
		ret_freed[age] = __atomic_load_n(&tally->freed[age], __ATOMIC_ACQUIRE);
	return recent;
}

void tally_ages_seen(const struct pm_tally *tally, uint64_t ret_freed[PM_AGE_COUNT])
{
	add_recent(read_settled(tally, ret_freed), ret_freed);
}

uint64_t tally_frees_seen(const struct pm_tally *tally)
{
	uint64_t freed[PM_AGE_COUNT];
	uint64_t sum = read_settled(tally, freed) >> PM_RECENT_SHIFT;
#pragma GCC unroll 16
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		sum += freed[age];
	return sum;
}

void tally_copy(struct pm_tally *to, const struct pm_tally *from)
{
	uint64_t freed[PM_AGE_COUNT];
	tally_ages_seen(from, freed);
	to->left = from->left;
	to->limit[0] = from->limit[0];
	to->limit[1] = from->limit[1];
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		to->freed[age] = freed[age];
}

/* Where `recent` counts an age, all that is added to its `freed` leaves the field of it in pm_tally.moving as it is. */
void tally_add_frees(struct pm_tally *tally, unsigned age, uint64_t count)
{
	uint64_t few = age < PM_RECENT_AGES ? count & FIELD : 0;
	tally_add(&tally->freed[age], count - few);
	for (; few; few--)
		if (tally_freed(tally, tally_weight(age)))
			tally_move(tally);
}
