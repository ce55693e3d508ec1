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

/* What a death of that age adds to pm_tally.recent. */
static int64_t weight_of(unsigned bucket)
{
	int64_t one = INT64_C(1) << PM_RECENT_SHIFT;
	if (bucket >= PM_RECENT_AGES)
		return 0;
	return bucket ? one | INT64_C(1) << (PM_RECENT_BITS * (bucket - 1) + 1) : one;
}

static unsigned bucket_of(const struct object *o)
{
	unsigned bucket = stamp_age(o->stamp);
	cr_assert_lt(bucket, PM_AGE_COUNT);
	cr_assert_eq(stamps.freed_at[o->stamp], stamp_offset(bucket));
	cr_assert_eq(stamps.weight[o->stamp], weight_of(bucket));
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
	clock_advance(clock_choose());
	model_sweep();
	cr_assert_eq(clock_now.epoch, model.epoch);
	cr_assert_eq(clock_now.length, model.epoch % CLOCK_DOUBLING ? length : 2 * length);
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
	clock_init(PM_CLOCK_ALLOCS, model.threshold);
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
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){700, 10, 10});
	for (unsigned i = 0; i < 11; i++)
		clock_advance(clock_choose());
	cr_assert_eq(clock_now.sweeps[1], 0);
	clock_advance(clock_choose());
	cr_assert_eq(clock_now.sweeps[1], 1);
}

/* --- what the clock counts ------------------------------------------------------------------------ */

/*
 * A program of one thread that counts for itself.  What came and went since the last tick is one sum, and a tick turns
 * one epoch at most.
 */
struct program {
	uint64_t allocated, freed, bytes, ms; /* so far */
	uint64_t seen;                        /* by the tick before, of what the clock counts */
	int64_t count;                        /* since the epoch began; of MS: the time of day */
	int64_t began;
	uint64_t epoch, length;
};

static int64_t total_of(const struct program *program, enum pm_clock kind)
{
	switch (kind) {
	case PM_CLOCK_BYTES: return (int64_t)program->bytes;
	case PM_CLOCK_NET: return (int64_t)(program->allocated - program->freed);
	case PM_CLOCK_MS: return (int64_t)program->ms;
	default: return (int64_t)program->allocated;
	}
}

static uint64_t doubling_of(enum pm_clock kind)
{
	return kind == PM_CLOCK_NET ? 1024 : 256;
}

static void model_tick(struct program *program, enum pm_clock kind)
{
	int64_t change = total_of(program, kind) - (int64_t)program->seen;
	program->seen += (uint64_t)change;
	program->count += change;
	if (kind == PM_CLOCK_NET && program->count < 0)
		program->count = 0;
	int64_t passed = program->count - program->began;
	if (passed < (int64_t)program->length ||
	    (kind == PM_CLOCK_NET && passed == (int64_t)program->length))
		return;
	if (kind == PM_CLOCK_NET)
		program->count = 0;
	program->began = program->count;
	if (++program->epoch % doubling_of(kind) == 0)
		program->length *= 2;
}

/* As tick.c does. */
static void tick(const struct program *program, enum pm_clock kind)
{
	static uint64_t told;
	if (kind == PM_CLOCK_MS) {
		clock_show(clock_now.origin_ms + program->ms);
	} else {
		uint64_t total = (uint64_t)total_of(program, kind);
		clock_count((int64_t)(total - told));
		told = total;
	}
	if (clock_now.units >= clock_now.next)
		clock_advance(clock_choose());
}

/* Grows and shrinks, each for a while. */
static void live_a_little(struct program *program, uint32_t *random, unsigned round)
{
	unsigned mood = round / 64 % 3;
	uint64_t births = host_random(random) % 50, live = program->allocated - program->freed;
	uint64_t deaths = host_random(random) % (mood == 2 ? 120 : mood == 1 ? 50 : 20);
	program->allocated += births;
	program->bytes += births * 16 * (1 + host_random(random) % 64);
	program->freed += deaths < live + births ? deaths : live + births;
	program->ms += host_random(random) % 4;
}

static void counts(enum pm_clock kind, uint32_t t0)
{
	struct program program = {.length = t0};
	uint32_t random = 11;
	clock_now.origin_ms = 1234567;
	clock_init(kind, (uint32_t[]){t0, 10, 10});
	for (unsigned round = 0; round < 400000; round++) {
		live_a_little(&program, &random, round);
		model_tick(&program, kind);
		tick(&program, kind);
		cr_assert_eq(clock_now.epoch, program.epoch, "round %u: epoch %lu, not %lu", round,
			     clock_now.epoch, program.epoch);
		cr_assert_eq(clock_now.units, (uint64_t)program.count);
		cr_assert_eq(clock_now.length, program.length);
	}
	cr_assert_gt(program.epoch, 2 * doubling_of(kind));
}

Test(clock, of_allocations)
{
	counts(PM_CLOCK_ALLOCS, 300);
}
Test(clock, of_bytes)
{
	counts(PM_CLOCK_BYTES, 65536);
}
Test(clock, of_allocations_less_frees)
{
	counts(PM_CLOCK_NET, 40);
}
Test(clock, of_milliseconds)
{
	counts(PM_CLOCK_MS, 10);
}

/* CPython: `if (gcstate->generations[0].count > gcstate->generations[0].threshold)`. */
Test(clock, net_must_exceed_its_threshold)
{
	clock_init(PM_CLOCK_NET, (uint32_t[]){700, 10, 10});
	clock_count(700);
	cr_assert_lt(clock_now.units, clock_now.next);
	clock_count(1);
	cr_assert_geq(clock_now.units, clock_now.next);
	clock_advance(clock_choose());
	cr_assert_eq(clock_now.units, 0);
	cr_assert_eq(clock_now.next, 701);
}

Test(clock, frees_are_not_saved_up)
{
	clock_init(PM_CLOCK_NET, (uint32_t[]){700, 10, 10});
	clock_count(5);
	clock_count(-100000);
	cr_assert_eq(clock_now.units, 0);
	clock_count(INT64_MIN);
	cr_assert_eq(clock_now.units, 0);
	clock_count(701);
	cr_assert_geq(clock_now.units, clock_now.next);
}

/* A large block that shrinks in place takes back bytes that have ended an epoch already. */
Test(clock, bytes_taken_back_do_not_hold_it_up)
{
	clock_init(PM_CLOCK_BYTES, (uint32_t[]){65536, 10, 10});
	clock_count(1 << 30);
	clock_advance(clock_choose());
	clock_count(-(1 << 30));
	cr_assert_eq(clock_now.units, 1 << 30);
	clock_count(65536);
	cr_assert_geq(clock_now.units, clock_now.next);
}

Test(clock, time_is_not_turned_back_by_a_thread_that_is_late)
{
	clock_now.origin_ms = 1000;
	clock_init(PM_CLOCK_MS, (uint32_t[]){10, 10, 10});
	clock_show(1009);
	cr_assert_lt(clock_now.units, clock_now.next);
	clock_show(1010);
	clock_show(1003);
	cr_assert_geq(clock_now.units, clock_now.next);
}

/* What threads count at once adds up, and never wraps below 0. */
static void *allocate_and_free(void *number)
{
	for (unsigned i = 0; i < 100000; i++) {
		clock_count((uintptr_t)number % 2 ? 3 : -3);
		HOST_EXPECT(__atomic_load_n(&clock_now.units, __ATOMIC_RELAXED) <= 600000);
	}
	return NULL;
}

Test(clock, net_of_several_threads)
{
	clock_init(PM_CLOCK_NET, (uint32_t[]){1000, 10, 10});
	host_threads(4, allocate_and_free);
	cr_assert_eq(host_failures, 0);
}

/* --- stamps ------------------------------------------------------------------------------------- */

static uint8_t stamp_after(uint8_t stamp, unsigned epochs)
{
	return (uint8_t)((stamp - STAMP_FIRST + epochs) % STAMP_LAST + STAMP_FIRST);
}

Test(stamps, wrap_around_and_never_reach_the_reserved_ones)
{
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 3 * STAMP_LAST; i++) {
		uint8_t before = stamps.now;
		clock_advance(clock_choose());
		cr_assert(stamps.now >= STAMP_FIRST && stamps.now <= STAMP_LAST);
		cr_assert_eq(stamps.now, stamp_after(before, 1));
		cr_assert_eq(stamps.freed_at[STAMP_FREE], STAMP_SLOW);
		cr_assert_eq(stamps.freed_at[STAMP_SPECIAL], STAMP_SLOW);
		cr_assert_eq(stamps.weight[STAMP_FREE], 0);
		cr_assert_eq(stamps.weight[STAMP_SPECIAL], 0);
		cr_assert_eq(clock_age(STAMP_OLD), CLOCK_OLD_AGE);
	}
}

Test(stamps, ages_of_all_at_any_time)
{
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 2 * STAMP_LAST; i++, clock_advance(clock_choose()))
		for (unsigned age = 0; age < STAMP_LAST; age++) {
			unsigned expected = age < STAMP_LAST - STAMP_AHEAD ? age : 0;
			cr_assert_eq(clock_age(stamp_after(stamps.now, STAMP_LAST - age)), expected);
		}
}

Test(stamps, those_a_little_ahead_were_born_now)
{
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 10, 10});
	for (unsigned i = 0; i < 2 * STAMP_LAST; i++, clock_advance(clock_choose()))
		for (unsigned ahead = 1; ahead <= STAMP_AHEAD; ahead++)
			cr_assert_eq(stamps.freed_at[stamp_after(stamps.now, ahead)],
				     stamp_offset(0));
}

Test(stamps, all_lead_to_the_counter_of_their_age)
{
	static const uint32_t thresholds[][3] = {
		{1000, 10, 10}, {1000, 1, 1}, {1000, 100, 2}, {1, 0, 0}};
	clock_init(PM_CLOCK_ALLOCS, thresholds[0]);
	for (unsigned i = 0; i < 4 * 600; i++, clock_advance(clock_choose())) {
		unsigned middle = (unsigned)(clock_now.epoch - clock_now.last_middle_epoch);
		bool was_middle = clock_now.sweeps[1] + clock_now.sweeps[2];
		if (i % 600 == 0)
			clock_set_threshold(thresholds[i / 600]);
		for (unsigned age = 0; age < STAMP_LAST - STAMP_AHEAD; age++) {
			uint8_t stamp = stamp_after(stamps.now, STAMP_LAST - age);
			bool is_old = age >= CLOCK_OLD_AGE || (was_middle && age > middle);
			unsigned bucket = clock_bucket(age == 0 ? 0 : is_old ? 2 : 1, age);
			cr_assert_eq(stamps.freed_at[stamp], stamp_offset(bucket), "age %u", age);
			cr_assert_eq(stamps.weight[stamp], weight_of(bucket), "age %u", age);
		}
	}
	for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++)
		cr_assert_eq(clock_generation_at(bucket), clock_ages[bucket].generation);
}

/* A child of fork() whose parent's other thread was just turning the epoch. */
Test(stamps, are_of_the_epoch_after_a_fork_in_the_middle_of_a_sweep)
{
	clock_init(PM_CLOCK_ALLOCS, (uint32_t[]){1000, 100, 10});
	while (!clock_choose() || clock_now.epoch < 300)
		clock_advance(clock_choose());
	struct stamps before = stamps, after;
	clock_advance(1);
	after = stamps;
	memcpy(stamps.freed_at, before.freed_at, sizeof before.freed_at);
	memcpy(stamps.weight, before.weight, sizeof before.weight);
	clock_resume();
	cr_assert_eq(memcmp(&stamps, &after, sizeof after), 0);
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
