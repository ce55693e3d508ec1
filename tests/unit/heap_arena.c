/* SPDX-License-Identifier: MIT */
/* link: -Wl,--wrap=memory_purge */
/* Runs of units: none is handed out twice, none is lost, the map leads to each, whoever asks at once. */
#include "unit/heap_host.h"

#include <sys/mman.h>
#include <sys/resource.h>

static bool refuse_purges;
static uint64_t purges_refused;

bool __real_memory_purge(void *address, size_t bytes);
bool __wrap_memory_purge(void *address, size_t bytes);

bool __wrap_memory_purge(void *address, size_t bytes)
{
	if (!refuse_purges)
		return __real_memory_purge(address, bytes);
	purges_refused += bytes / PM_UNIT_BYTES;
	return false;
}

enum { SHADOW_ARENAS = 4096, THREADS = 4, HELD = 24 };

static uint64_t taken[SHADOW_ARENAS]; /* atomic: the bits that somebody holds */

static uint64_t mask_of(const struct run *run)
{
	uint64_t ones = run->count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << run->count) - 1;
	return ones << run->first;
}

static char *start_of(const struct run *run)
{
	return arena_base(run->arena) + (size_t)run->first * PM_UNIT_BYTES;
}

static bool reads_zero(const struct run *run)
{
	const char *start = start_of(run);
	for (size_t at = 0; at < (size_t)run->count * PM_UNIT_BYTES; at += CLASS_PAGE)
		if (*(const uint64_t *)(start + at))
			return false;
	return true;
}

static void soil(const struct run *run)
{
	for (size_t at = 0; at < (size_t)run->count * PM_UNIT_BYTES; at += CLASS_PAGE)
		*(uint64_t *)(start_of(run) + at) = at + 1;
}

static bool is_soiled(const struct run *run)
{
	for (size_t at = 0; at < (size_t)run->count * PM_UNIT_BYTES; at += CLASS_PAGE)
		if (*(uint64_t *)(start_of(run) + at) != at + 1)
			return false;
	return true;
}

static bool take(unsigned count, struct run *ret_run)
{
	if (!arena_take(count, ret_run))
		return false;
	HOST_EXPECT(ret_run->count == count && ret_run->first + count <= PM_ARENA_UNITS);
	HOST_EXPECT(ret_run->arena->index < SHADOW_ARENAS);
	uint64_t mask = mask_of(ret_run);
	uint64_t before = __atomic_fetch_or(&taken[ret_run->arena->index], mask, __ATOMIC_ACQ_REL);
	HOST_EXPECT(!(before & mask));
	HOST_EXPECT(!ret_run->zeroed || reads_zero(ret_run));
	return true;
}

static void give(const struct run *run)
{
	uint64_t mask = mask_of(run);
	uint64_t before = __atomic_fetch_and(&taken[run->arena->index], ~mask, __ATOMIC_ACQ_REL);
	HOST_EXPECT((before & mask) == mask);
	arena_give(run->arena, run->first, run->count);
}

/* Of a quiet process that holds nothing: every mapped unit is free, and the hint and the sums are right. */
static void nothing_is_lost(void)
{
	uint64_t free_units = 0, dirty_units = 0;
	for (uint32_t i = 0; i < region.arenas; i++) {
		const struct arena *arena = arena_at(i);
		if (arena->kind != ARENA_POOLS) {
			cr_expect_eq(arena->free, 0, "arena %u is not in use and has free units", i);
			continue;
		}
		free_units += (uint64_t)__builtin_popcountl(arena->free);
		dirty_units += (uint64_t)__builtin_popcountl(arena->dirty);
		cr_expect_eq(arena->dirty & ~arena->free, 0);
		cr_expect(!arena->free || region.first_free <= i, "the hint %u passes arena %u",
			  region.first_free, i);
	}
	cr_expect_eq(free_units * PM_UNIT_BYTES, region.mapped_bytes);
	cr_expect_eq(free_units * PM_UNIT_BYTES, region.free_bytes);
	cr_expect_eq(dirty_units * PM_UNIT_BYTES, region.free_dirty);
}

Test(arena, runs_of_each_length)
{
	struct run run[PM_ARENA_UNITS + 1];
	host_begin();
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned count = 1; count <= PM_ARENA_UNITS; count++) {
			cr_assert(take(count, &run[count]));
			soil(&run[count]);
		}
		for (unsigned count = 1; count <= PM_ARENA_UNITS; count++) {
			cr_assert(is_soiled(&run[count]));
			give(&run[count]);
		}
		nothing_is_lost();
	}
	cr_assert_eq(host_failures, 0);
}

Test(arena, exactly_these_units)
{
	struct run run;
	bool zeroed;
	host_begin();
	cr_assert(arena_take(8, &run));
	cr_assert(!arena_take_at(run.arena, run.first, 1, &zeroed));
	cr_assert(!arena_take_at(run.arena, run.first + 7, 2, &zeroed));
	cr_assert(!arena_take_at(run.arena, PM_ARENA_UNITS - 1, 2, &zeroed), "beyond the arena");
	soil(&run);
	arena_give(run.arena, run.first + 4, 4);
	cr_assert(arena_take_at(run.arena, run.first + 4, 4, &zeroed));
	cr_assert(!zeroed);
	arena_give(run.arena, run.first, 8);
	nothing_is_lost();
}

static void hold_some(struct run held[HELD], uint32_t *random, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		struct run *run = &held[host_random(random) % HELD];
		if (run->arena) {
			HOST_EXPECT(*(uint64_t *)start_of(run) == (uint64_t)(uintptr_t)run);
			give(run);
			*run = (struct run){0};
			continue;
		}
		unsigned longest = host_random(random) % 8 ? 5 : 64;
		if (take(host_random(random) % longest + 1, run))
			*(uint64_t *)start_of(run) = (uint64_t)(uintptr_t)run;
		if (host_random(random) % 500 == 0)
			arena_purge(host_random(random) % 2);
	}
}

static void *hold_and_let_go(void *number)
{
	struct run held[HELD] = {{0}};
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	hold_some(held, &random, 40000);
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].arena)
			give(&held[i]);
	return NULL;
}

Test(arena, no_unit_is_handed_out_twice_to_threads)
{
	host_begin();
	host_threads(THREADS, hold_and_let_go);
	cr_assert_eq(host_failures, 0);
	nothing_is_lost();
}

/* Two of these do not fit into one arena: whoever opens one may find it taken by another. */
static void *take_much(void *unused)
{
	struct run run[100];
	(void)unused;
	for (unsigned i = 0; i < 100; i++)
		HOST_EXPECT(take(40, &run[i]));
	for (unsigned i = 0; i < 100; i++)
		give(&run[i]);
	return NULL;
}

Test(arena, there_is_memory_for_all_threads_at_once)
{
	host_begin();
	for (unsigned i = 0; i < 5; i++)
		host_threads(8, take_much);
	cr_assert_eq(host_failures, 0);
	nothing_is_lost();
}

static unsigned arenas_of_pools(void)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < region.arenas; i++)
		count += arena_at(i)->kind == ARENA_POOLS;
	return count;
}

/* Each has descriptors that become resident. */
Test(arena, what_a_huge_block_left_is_filled_arena_by_arena)
{
	struct run run;
	host_begin();
	struct pool *pool = arena_take_huge((size_t)20 * ARENA_BYTES);
	cr_assert_not_null(pool);
	arena_give_huge(pool);
	for (unsigned taken = 1; taken <= 3 * PM_ARENA_UNITS; taken++) {
		cr_assert(take(1, &run));
		cr_assert_leq(arenas_of_pools(), (taken - 1) / PM_ARENA_UNITS + 1);
	}
	cr_assert_eq(host_failures, 0);
}

/* --- the map ------------------------------------------------------------------------------------- */

static bool leads_to(const struct run *run, const struct pool *pool)
{
	for (unsigned i = 0; i < run->count; i++)
		if (region_pool_of(start_of(run) + (size_t)i * PM_UNIT_BYTES + 12345) != pool)
			return false;
	return true;
}

static void *describe_many(void *number)
{
	struct run run[80];
	struct pool *pool[80];
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	for (unsigned i = 0; i < 80; i++) {
		HOST_EXPECT(take(host_random(&random) % 30 + 35, &run[i]));
		pool[i] = arena_describe(&run[i], i % 2 ? 4096 : 1);
		for (unsigned j = 0; j <= i; j++)
			HOST_EXPECT(leads_to(&run[j], pool[j]));
	}
	return NULL;
}

Test(region, grows_while_all_threads_enter_pools_and_look_them_up)
{
	host_begin();
	uintptr_t units = region.units;
	host_threads(8, describe_many);
	cr_assert_eq(host_failures, 0);
	cr_assert_gt(region.units, units * 16, "grown more than once");
}

Test(region, knows_what_is_not_its_own)
{
	int local;
	host_begin();
	cr_assert_eq(region_pool_of(&local), &pool_nowhere);
	cr_assert_eq(region_pool_of(NULL), &pool_nowhere);
	cr_assert_eq(region_pool_of((void *)UINTPTR_MAX), &pool_nowhere);
	char *base = (char *)(region.base_unit << UNIT_SHIFT);
	cr_assert_eq(region_pool_of(base - 1), &pool_nowhere);
	cr_assert_eq(region_pool_of(base + region.units * PM_UNIT_BYTES), &pool_nowhere);
	cr_assert_eq(region_pool_of(base), &pool_nowhere, "nothing is there yet");
}

/* --- purge --------------------------------------------------------------------------------------- */

Test(purge, what_was_purged_reads_as_zero)
{
	struct run run, again;
	host_begin();
	cr_assert(take(20, &run));
	soil(&run);
	give(&run);
	cr_assert_eq(arena_purge(false), 0, "dirty at this pass for the first time");
	cr_assert_eq(arena_purge(false), 20 * PM_UNIT_BYTES);
	cr_assert_eq(arena_purge(true), 0);
	cr_assert(take(20, &again));
	cr_assert(again.arena == run.arena && again.first == run.first && again.zeroed);
	cr_assert(reads_zero(&again));
	give(&again);
	nothing_is_lost();
}

Test(purge, leaves_alone_what_is_in_use)
{
	struct run run[8];
	host_begin();
	for (unsigned i = 0; i < 8; i++) {
		cr_assert(take(i + 1, &run[i]));
		soil(&run[i]);
	}
	for (unsigned i = 0; i < 8; i += 2)
		give(&run[i]);
	cr_assert_eq(arena_purge(true), (1 + 3 + 5 + 7) * PM_UNIT_BYTES);
	for (unsigned i = 1; i < 8; i += 2)
		cr_assert(is_soiled(&run[i]));
}

/* No pass is waited for, and none of the calls carries one. */
Test(purge, far_more_than_is_in_use_goes_back_while_it_is_freed)
{
	enum { UNITS = 16384, MIB = 1 << 20, LEFT = UNITS / 8 };
	static struct run run[UNITS];
	host_begin();
	for (unsigned i = 0; i < UNITS; i++)
		cr_assert(arena_take(1, &run[i]));
	for (unsigned i = UNITS; i-- > LEFT;) {
		uint64_t before = region.purged_bytes;
		arena_give(run[i].arena, run[i].first, 1);
		cr_assert_leq(region.purged_bytes - before, 32 * MIB);
	}
	uint64_t in_use = (uint64_t)LEFT * PM_UNIT_BYTES;
	cr_assert_leq(region.free_dirty, in_use + 64 * MIB);
	cr_assert_geq(region.free_dirty, in_use, "as much as is in use stays for it");
	for (unsigned i = 0; i < LEFT; i++)
		arena_give(run[i].arena, run[i].first, 1);
	cr_assert_leq(region.free_dirty, 64 * MIB);
}

/* What is taken again soon after it went is missed: from then on it stays. */
Test(purge, a_program_that_goes_in_cycles_keeps_what_it_needs)
{
	enum { UNITS = 2048, CYCLES = 12, LEARNT = 4 };
	static struct run run[UNITS];
	uint64_t learnt = 0;
	host_begin();
	for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
		for (unsigned i = 0; i < UNITS; i++)
			cr_assert(arena_take(1, &run[i]));
		for (unsigned i = 0; i < UNITS; i++)
			arena_give(run[i].arena, run[i].first, 1);
		if (cycle == 0)
			cr_assert_gt(region.purged_bytes, UNITS / 2 * PM_UNIT_BYTES);
		if (cycle == LEARNT)
			learnt = region.purged_bytes;
	}
	cr_assert_eq(region.purged_bytes, learnt);
	for (unsigned pass = 0; pass < 40; pass++)
		arena_purge_part();
	cr_assert_leq(region.missed, 1 << 20, "in time it is forgotten");
}

/* Nothing goes, and nobody tries for each unit. */
Test(purge, locked_memory_is_not_tried_again_and_again)
{
	enum { UNITS = 4096 };
	static struct run run[UNITS];
	host_begin();
	for (unsigned i = 0; i < UNITS; i++)
		cr_assert(arena_take(1, &run[i]));
	refuse_purges = true;
	for (unsigned i = 0; i < UNITS; i++)
		arena_give(run[i].arena, run[i].first, 1);
	refuse_purges = false;
	cr_assert_lt(purges_refused, UNITS / 8);
	cr_assert_gt(purges_refused, 0);
}

Test(purge, locked_memory_stays_dirty)
{
	struct run run;
	host_begin();
	cr_assert(take(2, &run));
	soil(&run);
	cr_assert(mlock(start_of(&run), PM_UNIT_BYTES) == 0, "may lock 64 KiB");
	give(&run);
	cr_assert_eq(arena_purge(true), 0);
	nothing_is_lost();
	munlock(start_of(&run), PM_UNIT_BYTES);
	cr_assert_eq(arena_purge(true), 2 * PM_UNIT_BYTES);
	nothing_is_lost();
}

/* --- at the limit of address space ---------------------------------------------------------------- */

static void limit_to(size_t more)
{
	struct rlimit limit;
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");
	cr_assert(statm && fscanf(statm, "%lu", &pages) == 1);
	fclose(statm);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = pages * CLASS_PAGE + more;
	cr_assert(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void *hold_large_ones(void *number)
{
	struct run held[4] = {{0}};
	uint32_t random = (uint32_t)(uintptr_t)number + 1;
	for (unsigned i = 0; i < 20000; i++) {
		struct run *run = &held[host_random(&random) % 4];
		if (run->arena) {
			give(run);
			*run = (struct run){0};
		} else if (!take(host_random(&random) % 64 + 1, run)) {
			*run = (struct run){0};
		}
	}
	for (unsigned i = 0; i < 4; i++)
		if (held[i].arena)
			give(&held[i]);
	return NULL;
}

static void touch_all_free(void)
{
	for (uint32_t i = 0; i < region.arenas; i++)
		for (unsigned unit = 0; unit < PM_ARENA_UNITS; unit++)
			if (arena_at(i)->free >> unit & 1)
				*(volatile char *)(arena_base(arena_at(i)) +
						   (size_t)unit * PM_UNIT_BYTES) = 1;
}

/* Arenas that hold nothing are unmapped for others while others extend them. */
static void *under_a_limit(void *unused)
{
	limit_to(40 << 20);
	host_threads(THREADS, hold_large_ones);
	touch_all_free();
	return unused;
}

Test(limit, arenas_come_and_go_among_threads)
{
	host_begin();
	under_a_limit(NULL);
	cr_assert_eq(host_failures, 0);
	nothing_is_lost();
}

Test(limit, refused_and_well_again)
{
	struct run run[64], more;
	unsigned count = 0;
	host_begin();
	cr_assert(take(1, &more));
	limit_to(64 << 20);
	while (count < 64 && take(64, &run[count]))
		count++;
	cr_assert(count > 4 && count < 16, "%u arenas", count);
	cr_assert(!arena_take(64, &more));
	while (count--)
		give(&run[count]);
	cr_assert(take(64, &more));
	cr_assert_eq(host_failures, 0);
}

Test(limit, sizes_that_count_more_arenas_than_there_are)
{
	struct run run;
	host_begin();
	cr_assert(take(1, &run));
	uint64_t meta = region.meta_bytes;
	for (unsigned bits = 41; bits < 63; bits++) {
		cr_assert_null(arena_take_huge((size_t)1 << bits), "2^%u bytes", bits);
		cr_assert_null(arena_take_huge(((size_t)1 << bits) + CLASS_PAGE));
	}
	cr_assert_eq(region.meta_bytes, meta);
	cr_assert_eq(region.arenas, 1);
}
