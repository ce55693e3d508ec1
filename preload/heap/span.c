/* SPDX-License-Identifier: MIT */
/*
 * span.c: runs of units across the ends of arenas.
 *
 *   | arena i      | ######## | arena i + 1  ######## | arena i + 2  ### |      |
 *
 * Arenas stand side by side, so a run may begin in one and end in another.  It is taken arena by arena, a word each;
 * who meets a unit that another has taken gives the others back.  A unit is named by its number from the region's base.
 */
#include "heap/arena.h"
#include "heap/record.h"
#include "heap/region.h"
#include "heap/units.h"
#include "sys/memory.h"

enum {
	KEPT_BYTES = 32 << 20, /* of freed pages, besides as many as are in use */
	LOOK_BYTES = 8 << 20, /* more of them, at least, until it is seen whether these are too many */
	PURGED_AT_ONCE = 2 * LOOK_BYTES, /* so that it keeps up */
	REST_PART = 8                    /* of what is left of a free run counts as lost */
};

static uintptr_t number_of(const struct arena *arena, unsigned unit)
{
	return (uintptr_t)arena->index * PM_ARENA_UNITS + unit;
}

/* What of `count` units from `unit` on lies in one arena. */
struct piece {
	struct arena *arena; /* NULL: there is none */
	unsigned first, count;
};

static struct piece piece_at(uintptr_t unit, uintptr_t count)
{
	uint32_t index = (uint32_t)(unit / PM_ARENA_UNITS);
	unsigned first = unit % PM_ARENA_UNITS, room = PM_ARENA_UNITS - first;
	return (struct piece){index < arena_count() ? arena_at(index) : NULL, first,
			      (unsigned)(count < room ? count : room)};
}

static void give(uintptr_t unit, uintptr_t count, bool zeroed)
{
	while (count) {
		struct piece piece = piece_at(unit, count);
		uint64_t units = units_mask(piece.first, piece.count);
		if (!zeroed)
			units_mark_dirty(piece.arena, units);
		arena_mark_changed(piece.arena);
		units_put(piece.arena, units);
		unit += piece.count;
		count -= piece.count;
	}
}

static bool take(uintptr_t unit, unsigned count, bool *ret_zeroed)
{
	unsigned taken = 0;
	*ret_zeroed = true;
	while (taken < count) {
		struct piece piece = piece_at(unit + taken, count - taken);
		bool zeroed;
		if (!piece.arena || arena_kind_of(piece.arena) != ARENA_POOLS ||
		    !units_take(piece.arena, units_mask(piece.first, piece.count), &zeroed)) {
			give(unit, taken, *ret_zeroed);
			return false;
		}
		arena_mark_changed(piece.arena);
		*ret_zeroed &= zeroed;
		taken += piece.count;
	}
	return true;
}

bool arena_take_at(struct arena *arena, unsigned first, unsigned count, bool *ret_zeroed)
{
	return take(number_of(arena, first), count, ret_zeroed);
}

static uint64_t bytes_kept(void)
{
	return __atomic_load_n(&region.free_dirty, __ATOMIC_RELAXED);
}

/*
 * As much is kept as is in use, and what was missed when it had gone; more does not wait for a purge, as a program that
 * frees what it had and then sleeps comes to none.  The next look is when half of what was missing may be there, as each
 * byte that is given counts twice; when nothing goes, memory is locked, and the next timed pass looks again.
 */
static void let_go(bool of_long_run)
{
	uint64_t kept = bytes_kept(), next;
	uint64_t most = KEPT_BYTES + arena_bytes_in_use() +
			__atomic_load_n(&region.missed, __ATOMIC_RELAXED);
	if (kept <= most) {
		next = kept + (most - kept) / 2;
	} else {
		uint64_t excess = kept - most;
		bool in_part = !of_long_run && excess > PURGED_AT_ONCE;
		bool gone = arena_purge_early(in_part ? PURGED_AT_ONCE : excess);
		next = gone ? bytes_kept() : UINT64_MAX - LOOK_BYTES;
	}
	__atomic_store_n(&region.look_at, next + LOOK_BYTES, __ATOMIC_RELAXED);
}

void arena_give(struct arena *arena, unsigned first, unsigned count)
{
	give(number_of(arena, first), count, false);
	uint64_t kept = bytes_kept();
	if (kept > KEPT_BYTES && kept >= __atomic_load_n(&region.look_at, __ATOMIC_RELAXED))
		let_go(count > PM_ARENA_UNITS);
}

void arena_give_zeroed(struct arena *arena, unsigned first, unsigned count)
{
	give(number_of(arena, first), count, true);
}

/* --- finding -------------------------------------------------------------------------------------- */

/*
 * The run of free units that costs least: units of it that must be faulted in, and a part of what is left over, which
 * is perhaps too short for others.
 */
struct search {
	unsigned wanted;
	uintptr_t run_start, run; /* that ends where the search stands */
	uintptr_t best_start, least_cost;
};

static uintptr_t count_clean(uintptr_t unit, uintptr_t count)
{
	uintptr_t clean = 0;
	while (count) {
		struct piece piece = piece_at(unit, count);
		uint64_t dirty = __atomic_load_n(&piece.arena->dirty, __ATOMIC_RELAXED);
		clean += (uintptr_t)__builtin_popcountl(units_mask(piece.first, piece.count) &
							~dirty);
		unit += piece.count;
		count -= piece.count;
	}
	return clean;
}

static void end_run(struct search *search)
{
	uintptr_t rest = search->run - search->wanted;
	if (search->run >= search->wanted && rest / REST_PART < search->least_cost) {
		uintptr_t cost = count_clean(search->run_start, search->wanted) + rest / REST_PART;
		if (cost < search->least_cost) {
			search->least_cost = cost;
			search->best_start = search->run_start;
		}
	}
	search->run = 0;
}

/* Of an arena only what touches its ends counts: runs inside are too short. */
static void look_at(struct search *search, uint32_t index, uint64_t units)
{
	unsigned leading = ~units ? (unsigned)__builtin_ctzl(~units) : PM_ARENA_UNITS;
	unsigned trailing = ~units ? (unsigned)__builtin_clzl(~units) : 0;
	if (!search->run)
		search->run_start = (uintptr_t)index * PM_ARENA_UNITS;
	search->run += leading;
	if (leading == PM_ARENA_UNITS)
		return;
	end_run(search);
	search->run_start = (uintptr_t)(index + 1) * PM_ARENA_UNITS - trailing;
	search->run = trailing;
}

static bool find(unsigned count, uintptr_t *ret_unit)
{
	struct search search = {.wanted = count, .least_cost = UINTPTR_MAX};
	for (uint32_t i = 0; i < arena_count(); i++) {
		const struct arena *arena = arena_at(i);
		look_at(&search, i,
			arena_kind_of(arena) == ARENA_POOLS
				? __atomic_load_n(&arena->free, __ATOMIC_RELAXED)
				: 0);
	}
	end_run(&search);
	*ret_unit = search.best_start;
	return search.least_cost < UINTPTR_MAX;
}

/* --- new arenas ------------------------------------------------------------------------------------ */

/* Of claimed arenas: the first `mapped` units of all are there now, and the first `taken` are the caller's. */
static void open_arenas(uint32_t first, uint32_t count, unsigned mapped, unsigned taken)
{
	region_count_mapped((int64_t)mapped * PM_UNIT_BYTES);
	for (uint32_t i = 0; i < count; i++) {
		struct arena *arena = arena_at(first + i);
		unsigned before = i * PM_ARENA_UNITS;
		unsigned here = mapped - before < PM_ARENA_UNITS ? mapped - before : PM_ARENA_UNITS;
		unsigned used = taken <= before ? 0 : taken - before < here ? taken - before : here;
		__atomic_store_n(&arena->mapped, here, __ATOMIC_RELEASE);
		arena_set_kind(arena, ARENA_POOLS);
		arena_mark_changed(arena);
		if (used < here)
			units_put(arena, units_mask(used, here - used));
	}
}

/* Of claimed arenas, which stay claimed when it fails. */
static enum memory_result map_arenas(uint32_t first, uint32_t count, unsigned mapped, unsigned taken)
{
	for (uint32_t i = 0; i < count; i++)
		if (!record_ensure(arena_at(first + i)))
			return MEMORY_REFUSED;
	enum memory_result result = memory_map_at(arena_base(arena_at(first)),
						  (size_t)mapped * PM_UNIT_BYTES);
	if (result == MEMORY_OK)
		open_arenas(first, count, mapped, taken);
	return result;
}

/* Whole arenas, so that what is free side by side becomes one run; or as little as needed. */
static bool map_new(unsigned count, struct run *ret_run)
{
	uint32_t arenas = (count + PM_ARENA_UNITS - 1) / PM_ARENA_UNITS, first;
	while (arenas_claim(arenas, &first)) {
		enum memory_result result = map_arenas(first, arenas, arenas * PM_ARENA_UNITS,
						       count);
		if (result == MEMORY_REFUSED)
			result = map_arenas(first, arenas, count, count);
		if (result == MEMORY_OK) {
			*ret_run = (struct run){arena_at(first), 0, count, true};
			return true;
		}
		arenas_unclaim(first, arenas, result);
		if (result == MEMORY_REFUSED)
			return false;
	}
	return false;
}

bool span_take(unsigned count, struct run *ret_run)
{
	uintptr_t unit;
	while (find(count, &unit))
		if (take(unit, count, &ret_run->zeroed)) {
			ret_run->arena = arena_at((uint32_t)(unit / PM_ARENA_UNITS));
			ret_run->first = unit % PM_ARENA_UNITS;
			ret_run->count = count;
			return true;
		}
	return map_new(count, ret_run) || (arena_unmap_idle() && map_new(count, ret_run));
}

/* false: it is not ours to open, or the address is taken. */
static bool open_one(uint32_t index)
{
	uint32_t first;
	if (index == arena_count() && !region_append(1, &first))
		return false;
	if (index >= arena_count() || !arena_claim(arena_at(index), ARENA_UNUSED))
		return false;
	enum memory_result result = map_arenas(index, 1, PM_ARENA_UNITS, 0);
	if (result != MEMORY_OK)
		arenas_unclaim(index, 1, result);
	return result == MEMORY_OK;
}

void arena_open_up_to(struct arena *arena, unsigned end)
{
	uint32_t last = (uint32_t)((number_of(arena, end) - 1) / PM_ARENA_UNITS);
	for (uint32_t i = arena->index + 1; i <= last; i++)
		if ((i >= arena_count() || arena_kind_of(arena_at(i)) == ARENA_UNUSED) &&
		    !open_one(i))
			return;
}
