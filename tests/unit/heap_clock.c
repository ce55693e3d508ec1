/* SPDX-License-Identifier: MIT */
/*
 * Epochs, generations and age buckets against a model that keeps each object in a list per generation and
 * moves them as CPython's gc does.
 */
#include "tally/clock.h"
#include "unit/heap_host.h"

enum { OBJECTS = 4000, BIRTHS = 6 };

struct object {
	bool live;
	uint8_t stamp;
	unsigned generation;
	uint64_t birth;
};

static struct {
	struct object object[OBJECTS];
	uint64_t epoch, sweeps[3];
	uint32_t count[3], threshold[3];
} model;

static struct pm_age ages[PM_AGE_COUNT];

/* gc_collect_generations() and gc_collect_main() of CPython 3.11, without its 25 % rule. */
static void model_sweep(void)
{
	unsigned generation = 2;
	while (generation && model.count[generation] <= model.threshold[generation])
		generation--;
	model.sweeps[generation]++;
	if (generation < 2)
		model.count[generation + 1]++;
	for (unsigned g = 0; g <= generation; g++)
		model.count[g] = 0;
	for (struct object *o = model.object; o < model.object + OBJECTS; o++)
		if (o->live && o->generation <= generation)
			o->generation = generation < 2 ? generation + 1 : 2;
	model.epoch++;
}

static unsigned bucket_of(const struct object *o)
{
	unsigned bucket = stamp_age(o->stamp);
	cr_assert_lt(bucket, PM_AGE_COUNT);
	cr_assert_eq(stamps.freed_at[o->stamp], stamp_offset(bucket));
	return bucket;
}

static void check(const struct object *o)
{
	const struct pm_age *age = &ages[bucket_of(o)];
	uint64_t epochs = model.epoch - o->birth;
	cr_assert_eq(age->generation, o->generation, "epoch %lu: born in %lu, generation %u not %u",
		     model.epoch, o->birth, age->generation, o->generation);
	cr_assert(epochs >= age->age_min && epochs <= age->age_max, "%lu epochs old in %u..%u",
		  epochs, age->age_min, age->age_max);
}

static void births_and_deaths(uint32_t *random)
{
	unsigned births = BIRTHS;
	for (unsigned i = 0; i < OBJECTS; i++) {
		struct object *o = &model.object[i];
		if (!o->live && births && births--)
			*o = (struct object){true, stamps.now, 0, model.epoch};
		else if (o->live && host_random(random) % 300 == 0)
			o->live = false;
		if (o->live)
			check(o);
	}
}

/* As the thread that turns the epoch does from time to time. */
static void age(void)
{
	for (struct object *o = model.object; o < model.object + OBJECTS; o++)
		if (o->live && o->stamp != STAMP_OLD && clock_age(o->stamp) >= CLOCK_OLD_AGE)
			o->stamp = STAMP_OLD;
}

static void turn(void)
{
	uint64_t length = clock_now.length;
	clock_now.units = clock_now.next;
	clock_advance();
	model_sweep();
	cr_assert_eq(clock_now.epoch, model.epoch);
	cr_assert_eq(clock_now.length,
		     model.epoch % CLOCK_EPOCHS_PER_DOUBLING ? length : 2 * length);
	cr_assert_eq(clock_now.next, clock_now.units + clock_now.length);
	for (unsigned g = 0; g < 3; g++)
		cr_assert_eq(clock_now.sweeps[g], model.sweeps[g]);
	cr_assert_eq(clock_now.count[1], model.count[1]);
	cr_assert_eq(clock_now.count[2], model.count[2]);
	if (model.epoch % CLOCK_AGEING_PERIOD == 0)
		age();
}

static void follows(uint32_t t0, uint32_t t1, uint32_t t2)
{
	uint32_t random = 7;
	memcpy(model.threshold, (uint32_t[]){t0, t1, t2}, sizeof model.threshold);
	clock_init(model.threshold);
	clock_describe(ages);
	for (unsigned i = 0; i < 1600; i++) {
		births_and_deaths(&random);
		turn();
	}
	cr_assert_gt(model.sweeps[0] + model.sweeps[1] + model.sweeps[2], 1500);
}

Test(generations, as_python_by_default)
{
	follows(1000, 10, 10);
}
Test(generations, as_python_700)
{
	follows(700, 10, 10);
}
Test(generations, zero_takes_the_next_one_each_second_time)
{
	follows(1, 0, 0);
}
Test(generations, the_longest_middle_generation)
{
	follows(5, 100, 100);
}
Test(generations, long_middle_and_zero)
{
	follows(5, 100, 0);
}
Test(generations, zero_and_long_old)
{
	follows(5, 0, 100);
}
Test(generations, one_and_two)
{
	follows(50, 1, 2);
}

Test(generations, python_takes_generation_1_on_the_12th_trigger)
{
	clock_init((uint32_t[]){700, 10, 10});
	for (unsigned i = 0; i < 11; i++)
		clock_advance();
	cr_assert_eq(clock_now.sweeps[1], 0);
	clock_advance();
	cr_assert_eq(clock_now.sweeps[1], 1);
}

/* --- stamps ------------------------------------------------------------------------------------- */

static uint8_t stamp_after(uint8_t stamp, unsigned epochs)
{
	return (uint8_t)((stamp - STAMP_FIRST + epochs) % STAMP_LAST + STAMP_FIRST);
}

Test(stamps, wrap_around_and_never_reach_the_reserved_ones)
{
	clock_init((uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 3 * STAMP_LAST; i++) {
		uint8_t before = stamps.now;
		clock_advance();
		cr_assert(stamps.now >= STAMP_FIRST && stamps.now <= STAMP_LAST);
		cr_assert_eq(stamps.now, stamp_after(before, 1));
		cr_assert_eq(stamps.freed_at[STAMP_FREE], STAMP_SLOW);
		cr_assert_eq(stamps.freed_at[STAMP_SPECIAL], STAMP_SLOW);
		cr_assert_eq(clock_age(STAMP_OLD), CLOCK_OLD_AGE);
	}
}

Test(stamps, ages_of_all_at_any_time)
{
	clock_init((uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 2 * STAMP_LAST; i++, clock_advance())
		for (unsigned age = 0; age < STAMP_LAST; age++) {
			unsigned expected = age < STAMP_LAST - STAMP_AHEAD ? age : 0;
			cr_assert_eq(clock_age(stamp_after(stamps.now, STAMP_LAST - age)), expected);
		}
}

Test(stamps, those_a_little_ahead_were_born_now)
{
	clock_init((uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 2 * STAMP_LAST; i++, clock_advance())
		for (unsigned ahead = 1; ahead <= STAMP_AHEAD; ahead++)
			cr_assert_eq(stamps.freed_at[stamp_after(stamps.now, ahead)],
				     stamp_offset(0));
}

/* Between two passes of ageing no stamp may grow so old that it looks young again. */
Test(stamps, ageing_comes_early_enough)
{
	cr_assert_lt(CLOCK_OLD_AGE + CLOCK_AGEING_PERIOD, STAMP_LAST - STAMP_AHEAD);
	cr_assert_gt(CLOCK_OLD_AGE, CLOCK_T1_MAX + 2, "surely generation 2");
}

Test(stamps, buckets_cover_every_age_once)
{
	clock_describe(ages);
	for (unsigned generation = 1; generation < 3; generation++)
		for (unsigned age = 1; age <= 1000; age++) {
			unsigned bucket = clock_bucket(generation, age), matches = 0;
			if (generation == 1 && age > 127)
				continue;
			for (unsigned b = 0; b < PM_AGE_COUNT; b++)
				matches += ages[b].generation == generation &&
					   age >= ages[b].age_min && age <= ages[b].age_max;
			cr_assert_eq(matches, 1, "generation %u, age %u", generation, age);
			cr_assert(ages[bucket].generation == generation &&
				  age <= ages[bucket].age_max);
		}
}
