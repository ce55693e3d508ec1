/* SPDX-License-Identifier: MIT */
/* Descriptors: each unit has its own, as long as it needs, whoever takes and gives units at once. */
#include "heap/record.h"
#include "unit/heap_host.h"

enum { THREADS = 4, HELD = 100, STEPS = 20000, AVOIDED_BYTES = 256 };

struct held {
	struct run run;
	struct pool *pool; /* NULL: none */
	size_t stamps;
};

static const size_t lengths[] = {1, 28, 185, 409, 455, 819, 1024, 1365, 2048, 4096};

static uint8_t mark_of(const struct held *held)
{
	return (uint8_t)((uintptr_t)held >> 5) | 1;
}

static void begin(struct held *held, uint32_t *random)
{
	unsigned count = host_random(random) % 3 + 1;
	held->stamps = lengths[host_random(random) % (sizeof lengths / sizeof *lengths)];
	HOST_EXPECT(arena_take(count, &held->run));
	struct pool *pool = arena_describe(&held->run, held->stamps);
	HOST_EXPECT((uintptr_t)pool % CLASS_PAGE >= AVOIDED_BYTES);
	for (size_t i = 0; i < held->stamps; i++) {
		HOST_EXPECT(pool->stamps[i] == STAMP_FREE);
		pool->stamps[i] = mark_of(held);
	}
	held->pool = pool;
}

static void check(const struct held *held)
{
	const struct run *run = &held->run;
	HOST_EXPECT(arena_pool(run->arena, run->first) == held->pool);
	for (unsigned i = 0; i < run->count; i++)
		HOST_EXPECT(region_pool_of(arena_unit_at(run->arena, run->first + i)) == held->pool);
	for (size_t i = 0; i < held->stamps; i++)
		HOST_EXPECT(held->pool->stamps[i] == mark_of(held));
	HOST_EXPECT(held->pool->start == arena_unit_at(run->arena, run->first));
}

/* Its stamps are free, as those of a pool that holds nothing. */
static void end(struct held *held)
{
	check(held);
	memset(held->pool->stamps, STAMP_FREE, held->stamps);
	region_set_run(held->run.arena, held->run.first + 1, held->run.count - 1, &pool_nowhere);
	arena_give(held->run.arena, held->run.first, held->run.count);
	held->pool = NULL;
}

static void *come_and_go(void *number)
{
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	struct held *held = calloc(HELD, sizeof *held);
	for (unsigned step = 0; step < STEPS; step++) {
		struct held *one = &held[host_random(&random) % HELD];
		if (one->pool)
			end(one);
		else
			begin(one, &random);
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].pool)
			end(&held[i]);
	free(held);
	return NULL;
}

/* A place for each unit that ever began a run, and none besides. */
static void places_and_units_agree(void)
{
	for (uint32_t i = 0; i < arena_count(); i++) {
		const struct arena *arena = arena_at(i);
		unsigned places = 0, units = 0;
		for (unsigned shape = 0; shape < RECORD_SHAPES; shape++)
			places += (unsigned)__builtin_popcountl(arena->places[shape]);
		for (unsigned unit = 0; unit < PM_ARENA_UNITS; unit++) {
			const struct pool *pool = record_of(arena, unit);
			units += pool != &pool_nowhere;
			for (unsigned other = 0; other < unit; other++)
				cr_expect(pool == &pool_nowhere || pool != record_of(arena, other));
		}
		cr_expect_eq(places, units, "arena %u: %u places, %u units", i, places, units);
	}
}

Test(record, each_unit_has_its_own_while_threads_come_and_go)
{
	host_begin();
	host_threads(THREADS, come_and_go);
	cr_assert_eq(host_failures, 0);
	places_and_units_agree();
}

/* All of an arena in each length: there are places enough, and they are used again. */
Test(record, an_arena_full_of_each_length)
{
	host_begin();
	struct run run[PM_ARENA_UNITS];
	for (unsigned i = 0; i < PM_ARENA_UNITS; i++)
		cr_assert(arena_take(1, &run[i]));
	uint64_t first = region.meta_bytes, all = 0;
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned l = 0; l < sizeof lengths / sizeof *lengths; l++) {
			uint64_t before = region.meta_bytes;
			for (unsigned i = 0; i < PM_ARENA_UNITS; i++)
				memset(arena_describe(&run[i], lengths[l])->stamps, 0, lengths[l]);
			cr_assert_leq(region.meta_bytes - before,
				      PM_ARENA_UNITS * (sizeof(struct pool) + lengths[l] + 384));
		}
		all = turn ? all : region.meta_bytes;
		cr_assert_eq(region.meta_bytes, all, "places are used again");
	}
	cr_assert_gt(all, first);
	places_and_units_agree();
}
