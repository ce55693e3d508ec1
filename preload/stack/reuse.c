/* SPDX-License-Identifier: MIT */
/* reuse.c: see reuse.h. */
#include "stack/reuse.h"

#include <stddef.h>

/* Places are taken and never given back. */
static struct range {
	uint64_t first; /* atomic */
	uint64_t last;  /* address behind its last; 0: not there yet; atomic, written last */
	uint64_t said;  /* at which of `times`, and in the lower half the generation; atomic */
} ranges[REUSE_RANGES];

uint32_t reuse_ranges;
static uint64_t everywhere; /* said of all addresses; atomic */
static uint32_t times;      /* that something was said; atomic */

static uint64_t said_of(const struct range *range, uint64_t first, uint64_t last)
{
	uint64_t end = __atomic_load_n(&range->last, __ATOMIC_ACQUIRE);
	uint64_t begin = __atomic_load_n(&range->first, __ATOMIC_RELAXED);
	bool is_met = end && begin < last && first < end;
	return is_met ? __atomic_load_n(&range->said, __ATOMIC_RELAXED) : 0;
}

uint32_t reuse_find(uint64_t address)
{
	uint32_t count = __atomic_load_n(&reuse_ranges, __ATOMIC_ACQUIRE);
	uint64_t latest = __atomic_load_n(&everywhere, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t said = said_of(&ranges[i], address, address + 1);
		latest = said > latest ? said : latest;
	}
	return (uint32_t)latest;
}

uint32_t reuse_highest(uint64_t first, uint64_t last)
{
	uint32_t count = __atomic_load_n(&reuse_ranges, __ATOMIC_ACQUIRE);
	uint32_t highest = (uint32_t)__atomic_load_n(&everywhere, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t generation = (uint32_t)said_of(&ranges[i], first, last);
		highest = generation > highest ? generation : highest;
	}
	return highest;
}

/* What was said of a range inside holds no longer. */
static struct range *taken_place(uint64_t first, uint64_t last)
{
	uint32_t count = __atomic_load_n(&reuse_ranges, __ATOMIC_ACQUIRE);
	struct range *inside = NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct range *range = &ranges[i];
		if (range->first == first && range->last == last)
			return range;
		if (range->last && first <= range->first && range->last <= last)
			inside = range;
	}
	return inside;
}

static struct range *take_place(void)
{
	uint32_t at = __atomic_load_n(&reuse_ranges, __ATOMIC_ACQUIRE);
	do {
		if (at == REUSE_RANGES)
			return NULL;
	} while (!__atomic_compare_exchange_n(&reuse_ranges, &at, at + 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return &ranges[at];
}

static uint64_t say(uint32_t generation)
{
	return (uint64_t)__atomic_add_fetch(&times, 1, __ATOMIC_RELAXED) << 32 | generation;
}

static bool is_said_already(uint64_t first, uint64_t last, uint32_t generation)
{
	uint64_t everywhere_now = __atomic_load_n(&everywhere, __ATOMIC_RELAXED);
	bool is_same = everywhere_now && (uint32_t)everywhere_now == generation;
	for (uint32_t i = 0; is_same && i < REUSE_RANGES; i++)
		is_same = said_of(&ranges[i], first, last) < everywhere_now;
	return is_same;
}

/* One that lay inside grows: who reads it meanwhile finds part of the range, with what is said of all of it. */
bool reuse_set(uint64_t first, uint64_t last, uint32_t generation)
{
	struct range *range = taken_place(first, last);
	if (!range)
		range = take_place();
	if (!range)
		return is_said_already(first, last, generation);
	__atomic_store_n(&range->said, say(generation), __ATOMIC_RELEASE);
	__atomic_store_n(&range->first, first, __ATOMIC_RELEASE);
	__atomic_store_n(&range->last, last, __ATOMIC_RELEASE);
	return true;
}

void reuse_set_all(uint32_t generation)
{
	__atomic_store_n(&everywhere, say(generation), __ATOMIC_RELAXED);
}
