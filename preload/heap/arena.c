/* SPDX-License-Identifier: MIT */
/*
 * arena.c: arenas and their units: opening and extending arenas, taking and giving runs of units.
 *
 * Runs that go on in the next arena are in span.c, what returns pages to the kernel in purge.c, blocks that have
 * arenas of their own in huge.c.
 */
#include "heap/arena.h"

#include "heap/record.h"
#include "heap/region.h"
#include "heap/units.h"
#include "sys/memory.h"

enum { GROW_UNITS_MIN = (256 << 10) / PM_UNIT_BYTES };

/* After units were given: either this sees the hint that passed them, or raise_hint() sees the units. */
static void lower_hint(uint32_t index)
{
	uint32_t hint = __atomic_load_n(&region.first_free, __ATOMIC_SEQ_CST);
	while (index < hint && !__atomic_compare_exchange_n(&region.first_free, &hint, index, true,
							    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void raise_hint(const struct arena *arena)
{
	uint32_t expected = arena->index;
	if (__atomic_compare_exchange_n(&region.first_free, &expected, arena->index + 1, false,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED) &&
	    __atomic_load_n(&arena->free, __ATOMIC_SEQ_CST))
		lower_hint(arena->index);
}

/* --- units: free, dirty -------------------------------------------------------------------------- */

static uint64_t bytes_of(uint64_t units)
{
	return (uint64_t)__builtin_popcountl(units) * PM_UNIT_BYTES;
}

void units_put_held(struct arena *arena, uint64_t units)
{
	__atomic_or_fetch(&arena->free, units, __ATOMIC_SEQ_CST);
	lower_hint(arena->index);
}

void units_put(struct arena *arena, uint64_t units)
{
	__atomic_add_fetch(&region.free_bytes, bytes_of(units), __ATOMIC_RELAXED);
	units_put_held(arena, units);
}

void units_mark_dirty(struct arena *arena, uint64_t units)
{
	__atomic_or_fetch(&arena->dirty, units, __ATOMIC_RELAXED);
	if (__atomic_load_n(&arena->aged, __ATOMIC_RELAXED) & units)
		__atomic_and_fetch(&arena->aged, ~units, __ATOMIC_RELAXED);
	__atomic_add_fetch(&region.free_dirty, bytes_of(units), __ATOMIC_RELAXED);
}

uint64_t units_clear_dirty(struct arena *arena, uint64_t units)
{
	uint64_t dirty = __atomic_fetch_and(&arena->dirty, ~units, __ATOMIC_RELAXED) & units;
	if (dirty)
		__atomic_sub_fetch(&region.free_dirty, bytes_of(dirty), __ATOMIC_RELAXED);
	return dirty;
}

static bool gave_early(void)
{
	return __builtin_expect(__atomic_load_n(&region.given_early, __ATOMIC_RELAXED) != 0, 0);
}

/* Clean units are taken while others went back early: had they been kept, these would not be faulted in. */
static void miss(uint64_t bytes)
{
	uint64_t early = __atomic_load_n(&region.given_early, __ATOMIC_RELAXED), some;
	do
		some = bytes < early ? bytes : early;
	while (!__atomic_compare_exchange_n(&region.given_early, &early, early - some, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	__atomic_add_fetch(&region.missed, some, __ATOMIC_RELAXED);
}

/* Bits of `word` at which `count` set bits begin. */
static uint64_t run_starts(uint64_t word, unsigned count)
{
	unsigned have = 1;
	while (have < count && word) {
		unsigned step = have < count - have ? have : count - have;
		word &= word >> step;
		have += step;
	}
	return word;
}

/* --- taking -------------------------------------------------------------------------------------- */

bool units_take(struct arena *arena, uint64_t units, bool *ret_zeroed)
{
	uint64_t word = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
	do {
		if ((word & units) != units)
			return false;
	} while (!__atomic_compare_exchange_n(&arena->free, &word, word & ~units, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	__atomic_sub_fetch(&region.free_bytes, bytes_of(units), __ATOMIC_RELAXED);
	*ret_zeroed = !units_clear_dirty(arena, units);
	if (*ret_zeroed && gave_early())
		miss(bytes_of(units));
	return true;
}

/* Dirty units first: they are resident already. */
static bool take_in(struct arena *arena, unsigned count, struct run *ret_run)
{
	for (;;) {
		uint64_t word = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
		uint64_t starts = run_starts(
			word & __atomic_load_n(&arena->dirty, __ATOMIC_RELAXED), count);
		if (!starts)
			starts = run_starts(word, count);
		if (!starts)
			return false;
		unsigned first = (unsigned)__builtin_ctzl(starts);
		if (units_take(arena, units_mask(first, count), &ret_run->zeroed)) {
			ret_run->arena = arena;
			ret_run->first = first;
			ret_run->count = count;
			return true;
		}
	}
}

/* A twelfth of what is mapped, so that small processes stay small and large ones make few calls. */
static unsigned growth(unsigned count, unsigned room)
{
	uint64_t units = __atomic_load_n(&region.mapped_bytes, __ATOMIC_RELAXED) / PM_UNIT_BYTES /
			 12;
	if (units < GROW_UNITS_MIN)
		units = GROW_UNITS_MIN;
	if (units < count)
		units = count;
	return units < room ? (unsigned)units : room;
}

/* Maps more of an arena.  *ret_refused: the kernel gives no memory. */
static bool extend(struct arena *arena, unsigned count, bool *ret_refused)
{
	uint32_t from = __atomic_load_n(&arena->mapped, __ATOMIC_RELAXED);
	unsigned units = growth(count, PM_ARENA_UNITS - from);
	for (; from + count <= PM_ARENA_UNITS; units = count) {
		if (!__atomic_compare_exchange_n(&arena->mapped, &from, from + units, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true; /* somebody else maps; look again */
		uint32_t now = from + units;
		if (arena_kind_of(arena) != ARENA_POOLS) { /* it was unmapped, see unmap_arena() */
			__atomic_compare_exchange_n(&arena->mapped, &now, from, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
			return true;
		}
		size_t bytes = (size_t)units * PM_UNIT_BYTES;
		enum memory_result result = memory_map_at(arena_unit_at(arena, from), bytes);
		if (result == MEMORY_OK) {
			region_count_mapped((int64_t)bytes);
			units_put(arena, units_mask(from, units));
			return true;
		}
		if (result == MEMORY_TAKEN) {
			__atomic_store_n(&arena->mapped, PM_ARENA_UNITS, __ATOMIC_RELEASE);
			return true; /* the rest of this arena is lost to another mapping */
		}
		__atomic_compare_exchange_n(&arena->mapped, &now, from, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED);
		if (units == count) {
			*ret_refused = true;
			return false;
		}
	}
	return false;
}

/* An unused arena, old or new, made ready for pools. */
static struct arena *open_arena(void)
{
	for (uint32_t i = 0; i < arena_count(); i++)
		if (arena_claim(arena_at(i), ARENA_UNUSED)) {
			bool ready = record_ensure(arena_at(i));
			arena_set_kind(arena_at(i), ready ? ARENA_POOLS : ARENA_UNUSED);
			return ready ? arena_at(i) : NULL;
		}
	uint32_t first;
	return region_append(1, &first) ? open_arena() : NULL;
}

static bool grow(unsigned count)
{
	bool refused = false;
	uint32_t arenas = arena_count();
	for (uint32_t i = arenas; i-- > 0 && !refused;)
		if (arena_kind_of(arena_at(i)) == ARENA_POOLS && extend(arena_at(i), count, &refused))
			return true;
	while (!refused) { /* what is opened here others may have filled at once */
		struct arena *arena = open_arena();
		if (!arena)
			return false;
		if (extend(arena, count, &refused))
			return true;
	}
	return false;
}

static bool take_anywhere(unsigned count, struct run *ret_run)
{
	uint32_t arenas = arena_count();
	for (uint32_t i = __atomic_load_n(&region.first_free, __ATOMIC_RELAXED); i < arenas; i++) {
		struct arena *arena = arena_at(i);
		if (arena_kind_of(arena) == ARENA_POOLS && take_in(arena, count, ret_run))
			return true;
		if (!__atomic_load_n(&arena->free, __ATOMIC_RELAXED) && i + 1 < arenas)
			raise_hint(arena);
	}
	return false;
}

bool arena_take(unsigned count, struct run *ret_run)
{
	if (count > PM_ARENA_UNITS)
		return span_take(count, ret_run);
	while (!take_anywhere(count, ret_run))
		if (!grow(count) && !(arena_unmap_idle() && grow(count)))
			return false;
	return true;
}

/* --- describing ----------------------------------------------------------------------------------- */

struct pool *arena_describe(const struct run *run, size_t stamps)
{
	struct arena *arena = run->arena;
	struct pool *old, *pool = record_take(arena, run->first, stamps, &old);
	pool->start = arena_unit_at(arena, run->first);
	pool->units = (uint16_t)run->count;
	pool->arena = arena->index;
	pool->first_unit = (uint8_t)run->first;
	region_set_run(arena, run->first, run->count, pool);
	if (old)
		record_give(arena, old);
	arena_mark_changed(arena);
	return pool;
}

/* While it is looked at, a unit may get another descriptor, and its old one describe another unit. */
struct pool *arena_pool(const struct arena *arena, unsigned unit)
{
	struct pool *pool = record_of(arena, unit);
	return pool->first_unit == unit ? pool : &pool_nowhere;
}

struct arena *arena_of(const struct pool *pool, unsigned *ret_unit)
{
	struct arena *arena = arena_at(pool->arena);
	*ret_unit = pool->first_unit;
	return arena;
}

/* Its parts change one after the other, and others change them meanwhile. */
uint64_t arena_bytes_in_use(void)
{
	uint64_t idle = __atomic_load_n(&region.free_bytes, __ATOMIC_RELAXED) +
			__atomic_load_n(&region.sparse_bytes, __ATOMIC_RELAXED);
	uint64_t mapped = __atomic_load_n(&region.mapped_bytes, __ATOMIC_RELAXED);
	return mapped > idle ? mapped - idle : 0;
}

void arena_each_pool_of(const struct arena *arena, void (*visit)(struct pool *, void *),
			void *context)
{
	for (unsigned unit = 0; unit < PM_ARENA_UNITS; unit++) {
		struct pool *pool = arena_pool(arena, unit);
		uint8_t state = __atomic_load_n(&pool->state, __ATOMIC_ACQUIRE);
		if (state != POOL_UNUSED && state != POOL_CACHED)
			visit(pool, context);
	}
}

void arena_each_pool(void (*visit)(struct pool *, void *), void *context)
{
	for (uint32_t i = 0; i < arena_count(); i++)
		arena_each_pool_of(arena_at(i), visit, context);
}
