/* SPDX-License-Identifier: MIT */
/* counters.c: frees that are moved from the word that counts the latest, and who reads them meanwhile. */
#include "tally/counters.h"

enum { FIELD = (1 << PM_RECENT_BITS) - 1 };

/* The highest bit of each field of pm_tally.moving. */
static const uint64_t highest_bits = 0x8102040810204080;

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

static void add_aged(struct pm_tally *tally, uint64_t recent)
{
#pragma GCC unroll 16
	for (unsigned age = 1; age < PM_RECENT_AGES; age++)
		tally_add(&tally->freed[age], pm_recent_aged(recent, age));
}

/* In the order of struct pm_tally: killed at any instant, what is there adds up. */
void tally_move(struct pm_tally *tally)
{
	uint64_t recent = tally->recent, turn = recent & 1;
	uint64_t aged = (recent & ((UINT64_C(1) << PM_RECENT_SHIFT) - 1)) ^ turn;
	uint64_t young = aged ? pm_recent_young(recent) : recent >> PM_RECENT_SHIFT;
	uint64_t fields = aged << PM_RECENT_BITS | (young & FIELD) << 1;
	uint64_t moving = add_fields(lowest_bits(tally), fields);
	__atomic_store_n(&tally->moving, moving | turn, __ATOMIC_RELEASE);
	__atomic_store_n(&tally->recent, turn ^ 1, __ATOMIC_RELEASE);
	tally_add(&tally->freed[0], young);
	if (aged)
		add_aged(tally, recent);
	__atomic_store_n(&tally->moving, moving | (turn ^ 1), __ATOMIC_RELEASE);
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

/* As struct pm_tally says a reader does. */
void tally_ages_seen(const struct pm_tally *tally, uint64_t ret_freed[PM_AGE_COUNT])
{
	uint64_t again[PM_RECENT_AGES], sum, recent, moving;
	do {
		sum = read_freed(tally, ret_freed);
		recent = __atomic_load_n(&tally->recent, __ATOMIC_ACQUIRE);
		moving = __atomic_load_n(&tally->moving, __ATOMIC_ACQUIRE);
	} while (read_freed(tally, again) != sum);
	if ((recent ^ moving) & 1)
		add_moving(moving, ret_freed);
	add_recent(recent, ret_freed);
	for (unsigned age = PM_RECENT_AGES; age < PM_AGE_COUNT; age++)
		ret_freed[age] = __atomic_load_n(&tally->freed[age], __ATOMIC_ACQUIRE);
}

uint64_t tally_frees_seen(const struct pm_tally *tally)
{
	uint64_t freed[PM_AGE_COUNT], sum = 0;
	tally_ages_seen(tally, freed);
	for (unsigned age = 0; age < PM_AGE_COUNT; age++)
		sum += freed[age];
	return sum;
}
