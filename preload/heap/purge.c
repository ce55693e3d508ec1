/* SPDX-License-Identifier: MIT */
/*
 * purge.c: returning pages to the kernel.
 *
 * Now and then the dirty free units that have been free since the pass before; and whole arenas that hold
 * nothing, when the process is at its limit.
 */
#include "heap/arena.h"
#include "heap/region.h"
#include "heap/units.h"
#include "sys/memory.h"
#include "sys/wiped.h"

enum {
	BYTES_AT_ONCE = 16 << 20
}; /* twice what is freed between two looks in span.c, so that it keeps up */

uint64_t purge_pieces(char *base, uint64_t pieces, size_t piece_bytes)
{
	uint64_t gone = 0;
	while (pieces) {
		unsigned first = (unsigned)__builtin_ctzl(pieces);
		uint64_t rest = ~(pieces >> first);
		unsigned count = rest ? (unsigned)__builtin_ctzl(rest) : 64;
		uint64_t run = units_mask(first, count);
		if (memory_purge(base + first * piece_bytes, count * piece_bytes))
			gone |= run;
		pieces &= ~run;
	}
	return gone;
}

/* Of units that the caller holds.  Locked memory stays dirty. */
static size_t purge_units(struct arena *arena, uint64_t units)
{
	uint64_t gone = purge_pieces(arena_base(arena), units, PM_UNIT_BYTES);
	units_mark_dirty(arena, units & ~gone);
	return (size_t)__builtin_popcountl(gone) * PM_UNIT_BYTES;
}

static size_t purge_arena(struct arena *arena, bool all)
{
	uint64_t dirty = __atomic_load_n(&arena->dirty, __ATOMIC_RELAXED);
	uint64_t wanted = all ? dirty : dirty & __atomic_load_n(&arena->aged, __ATOMIC_RELAXED);
	uint64_t word = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
	uint64_t taken;
	__atomic_store_n(&arena->aged, dirty & ~wanted, __ATOMIC_RELAXED);
	do
		taken = word & wanted;
	while (taken && !__atomic_compare_exchange_n(&arena->free, &word, word & ~taken, true,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	if (!taken)
		return 0;
	size_t bytes = purge_units(arena, units_clear_dirty(arena, taken));
	arena_mark_changed(arena);
	units_put(arena, taken);
	return bytes;
}

static uint32_t next_arena; /* where a pass goes on, for the one who purges */

/* false: `most` bytes went back, and there are more arenas. */
static bool go_on(bool all, size_t most, size_t *ret_bytes)
{
	size_t bytes = 0;
	for (; next_arena < arena_count() && bytes < most; next_arena++)
		if (arena_kind_of(arena_at(next_arena)) == ARENA_POOLS)
			bytes += purge_arena(arena_at(next_arena), all);
	bool through = next_arena >= arena_count();
	if (through)
		next_arena = 0;
	__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	*ret_bytes = bytes;
	return through;
}

bool arena_purge_part(bool all)
{
	size_t bytes;
	if (!wiped_try(&wiped.purging))
		return true;
	bool through = go_on(all, BYTES_AT_ONCE, &bytes);
	wiped_done(&wiped.purging);
	return through;
}

size_t arena_purge(bool all)
{
	size_t bytes;
	if (!wiped_try(&wiped.purging))
		return 0;
	next_arena = 0;
	go_on(all, SIZE_MAX, &bytes);
	wiped_done(&wiped.purging);
	return bytes;
}

/* Takes an arena that holds nothing out of use and unmaps it. */
static bool unmap_arena(struct arena *arena)
{
	uint32_t mapped = __atomic_load_n(&arena->mapped, __ATOMIC_ACQUIRE);
	unsigned units = mapped;
	bool zeroed;
	if (!mapped || !arena_claim(arena, ARENA_POOLS))
		return false;
	if (!arena_take_at(arena, 0, units, &zeroed)) {
		arena_set_kind(arena, ARENA_POOLS);
		return false;
	}
	bool mine = __atomic_compare_exchange_n(&arena->mapped, &mapped, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED);
	if (mine) {
		memory_unmap(arena_base(arena), (size_t)units * PM_UNIT_BYTES);
		region_count_unmapped((size_t)units * PM_UNIT_BYTES);
	} else { /* it was extended just now */
		arena_give(arena, 0, units);
	}
	arena_set_kind(arena, mine ? ARENA_UNUSED : ARENA_POOLS);
	return mine;
}

bool arena_unmap_idle(void)
{
	bool any = false;
	for (uint32_t i = 0; i < arena_count(); i++)
		any |= unmap_arena(arena_at(i));
	return any;
}
