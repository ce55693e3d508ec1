/* SPDX-License-Identifier: MIT */
/* clock.c: turns epochs and keeps the table from stamp to age bucket. */
#include "tally/clock.h"

#include "tally/counters.h"

struct stamps stamps = {.weight = {[STAMP_FIRST... STAMP_OLD] = INT64_C(1) << PM_RECENT_SHIFT},
			.freed_at = {[STAMP_FREE] = STAMP_SLOW,
				     [STAMP_FIRST... STAMP_OLD] = 0, /* before the clock is set */
				     [STAMP_SPECIAL] = STAMP_SLOW},
			.now = STAMP_FIRST};

struct clock clock_now = {
	.next = 1000,
	.length = 1000,
	.doubling = CLOCK_DOUBLING,
	.threshold = {1000, 10, 10},
};

/* Bucket 0 is generation 0; then generation 1, then generation 2, by age. */
const struct pm_age clock_ages[PM_AGE_COUNT] = {
	{0, 0, 0, 0},
	{1, 1, 1, 0},
	{1, 2, 3, 0},
	{1, 4, 7, 0},
	{1, 8, 15, 0},
	{1, 16, 127, 0},
	{2, 1, 3, 0},
	{2, 4, 7, 0},
	{2, 8, 15, 0},
	{2, 16, 31, 0},
	{2, 32, 63, 0},
	{2, 64, 127, 0},
	{2, 128, UINT32_MAX, 0},
};

void clock_describe(struct pm_age ages[PM_AGE_COUNT])
{
	for (unsigned i = 0; i < PM_AGE_COUNT; i++)
		ages[i] = clock_ages[i];
}

unsigned clock_bucket(unsigned generation, unsigned age)
{
	for (unsigned i = 0; i < PM_AGE_COUNT; i++)
		if (clock_ages[i].generation == generation && age <= clock_ages[i].age_max)
			return i;
	return PM_AGE_COUNT - 1;
}

unsigned clock_age(uint8_t stamp)
{
	if (stamp == STAMP_OLD)
		return CLOCK_OLD_AGE;
	unsigned age = stamps.now >= stamp ? stamps.now - stamp : stamps.now + STAMP_LAST - stamp;
	return age >= STAMP_LAST - STAMP_AHEAD ? 0 : age;
}

/*
 * A block of age 0 is in generation 0.  Older ones have survived a young sweep; those born up to the
 * last middle sweep survived that too and are in generation 2.
 */
static unsigned oldest_in_generation_1(void)
{
	uint64_t age = clock_now.epoch - clock_now.last_middle_epoch;
	bool was_middle = clock_now.sweeps[1] + clock_now.sweeps[2];
	return was_middle && age < CLOCK_OLD_AGE - 1 ? (unsigned)age : CLOCK_OLD_AGE - 1;
}

/* Of clock_bucket() for each age, worked out once: epochs turn often in small programs. */
static int16_t offset_of[3][CLOCK_OLD_AGE + 1];

static void fill_offsets(void)
{
	for (unsigned generation = 0; generation < 3; generation++)
		for (unsigned age = 0; age <= CLOCK_OLD_AGE; age++)
			offset_of[generation][age] = (int16_t)stamp_offset(
				clock_bucket(generation, age));
}

static void set_age(unsigned stamp, int64_t offset)
{
	stamps.freed_at[stamp] = offset;
	stamps.weight[stamp] = tally_weight((unsigned)offset / sizeof(uint64_t));
}

static void set_at(unsigned stamp, unsigned age, unsigned young)
{
	const int16_t *offset = offset_of[age == 0 ? 0 : age <= young ? 1 : 2];
	set_age(stamp, offset[age < CLOCK_OLD_AGE ? age : CLOCK_OLD_AGE]);
}

/* From the stamp of this epoch backwards; see clock_age(). */
static void recompute_ages(void)
{
	unsigned stamp = stamps.now, young = oldest_in_generation_1();
	for (unsigned age = 0; age < STAMP_LAST - STAMP_AHEAD; age++) {
		set_at(stamp, age, young);
		stamp = stamp == STAMP_FIRST ? STAMP_LAST : stamp - 1;
	}
	for (unsigned ahead = 0; ahead < STAMP_AHEAD; ahead++) {
		set_age(stamp, offset_of[0][0]);
		stamp = stamp == STAMP_FIRST ? STAMP_LAST : stamp - 1;
	}
}

static unsigned stamp_of_age(unsigned age)
{
	return stamps.now > age ? stamps.now - age : stamps.now + STAMP_LAST - age;
}

/* The same after a young sweep: who came to an age that has another bucket, and the one that is now furthest ahead. */
static void step_ages(void)
{
	unsigned young = oldest_in_generation_1();
	for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++)
		set_at(stamp_of_age(clock_ages[bucket].age_min), clock_ages[bucket].age_min, young);
	set_age(stamp_of_age(STAMP_LAST - STAMP_AHEAD), offset_of[0][0]);
}

/* Sets when the epoch ends.  NET begins at 0 and must exceed its threshold, as in CPython; others reach it. */
static void begin_epoch(void)
{
	if (clock_now.kind == PM_CLOCK_NET) {
		clock_now.next = clock_now.length + 1;
		__atomic_store_n(&clock_now.units, 0, __ATOMIC_RELAXED);
	} else {
		clock_now.next = clock_now.units + clock_now.length;
	}
}

static void count_net(int64_t change)
{
	uint64_t old = __atomic_load_n(&clock_now.units, __ATOMIC_RELAXED), now;
	do
		now = change < 0 && -(uint64_t)change > old ? 0 : old + (uint64_t)change;
	while (!__atomic_compare_exchange_n(&clock_now.units, &old, now, true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
}

void clock_count(int64_t change)
{
	if (clock_now.kind == PM_CLOCK_NET)
		count_net(change);
	else if (change > 0)
		__atomic_add_fetch(&clock_now.units, (uint64_t)change, __ATOMIC_RELAXED);
}

/* Of two threads the one that is late does not turn it back. */
void clock_show(uint64_t now_ms)
{
	tally_raise(&clock_now.units, now_ms - clock_now.origin_ms);
}

void clock_resume(void)
{
	recompute_ages();
}

void clock_init(enum pm_clock kind, const uint32_t threshold[3])
{
	clock_now.kind = kind;
	clock_now.doubling = kind == PM_CLOCK_NET ? CLOCK_DOUBLING_NET : CLOCK_DOUBLING;
	for (unsigned g = 0; g < 3; g++)
		clock_now.threshold[g] = threshold[g];
	fill_offsets();
	set_age(STAMP_OLD, offset_of[2][CLOCK_OLD_AGE]);
	clock_now.length = threshold[0];
	begin_epoch();
	recompute_ages();
}

/* Which generation this sweep takes, as gc_collect_generations() in CPython 3.11 chooses it. */
unsigned clock_choose(void)
{
	if (clock_now.count[2] > clock_now.threshold[2])
		return 2;
	return clock_now.count[1] > clock_now.threshold[1] ? 1 : 0;
}

unsigned clock_choose_asked(unsigned generation)
{
	return !generation && clock_now.count[1] > CLOCK_T1_MAX ? 1 : generation;
}

unsigned clock_generation(uint8_t stamp)
{
	return clock_ages[stamp_age(stamp)].generation;
}

void clock_advance(unsigned generation)
{
	clock_now.sweeps[generation]++;
	if (generation < 2)
		clock_now.count[generation + 1]++;
	for (unsigned g = 1; g <= generation; g++)
		clock_now.count[g] = 0;
	clock_now.epoch++;
	if (generation > 0)
		clock_now.last_middle_epoch = clock_now.epoch;
	if (clock_is_due() && ++clock_now.turned % clock_now.doubling == 0)
		clock_now.length *= 2;
	begin_epoch();
	stamps.now = stamps.now == STAMP_LAST ? STAMP_FIRST : (uint8_t)(stamps.now + 1);
	if (generation)
		recompute_ages();
	else
		step_ages();
}

uint64_t clock_units_of_epoch(void)
{
	uint64_t units = __atomic_load_n(&clock_now.units, __ATOMIC_RELAXED);
	return clock_now.kind == PM_CLOCK_NET ? units : units - (clock_now.next - clock_now.length);
}

void clock_set_threshold(const uint32_t threshold[3])
{
	for (unsigned g = 0; g < 3; g++)
		clock_now.threshold[g] = threshold[g];
	clock_now.next = clock_now.next - clock_now.length + threshold[0];
	clock_now.length = threshold[0];
}
