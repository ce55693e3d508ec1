/* SPDX-License-Identifier: MIT */
/*
 * purge.c: returning pages to the kernel.
 *
 * Now and then the dirty free units that have been free since the pass before; at once what is too much to keep, see
 * span.c; and whole arenas that hold nothing, when the process is at its limit.
 *
 * A program that frees and allocates in cycles faults in again what went early.  So what is taken clean soon after is
 * missed, and as much more is kept from then on, less with time.
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

/* *ret_tried: bytes of which the kernel was asked. */
static size_t purge_arena(struct arena *arena, bool all, size_t *ret_tried)
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
	*ret_tried = (size_t)__builtin_popcountl(taken) * PM_UNIT_BYTES;
	if (!taken)
		return 0;
	size_t bytes = purge_units(arena, units_clear_dirty(arena, taken));
	arena_mark_changed(arena);
	units_put_held(arena, taken);
	return bytes;
}

/* Of locked memory nothing goes: what was tried is the measure of a part. */
static void purge_next(uint32_t index, bool all, size_t *tried, size_t *gone)
{
	size_t asked;
	if (arena_kind_of(arena_at(index)) != ARENA_POOLS)
		return;
	*gone += purge_arena(arena_at(index), all, &asked);
	*tried += asked;
}

static uint32_t next_arena; /* where a pass goes on, for the one who purges */

/* false: there are more arenas. */
static bool go_on(bool all, size_t most, size_t *ret_bytes)
{
	size_t tried = 0;
	*ret_bytes = 0;
	for (; next_arena < arena_count() && tried < most; next_arena++)
		purge_next(next_arena, all, &tried, ret_bytes);
	bool through = next_arena >= arena_count();
	if (through)
		next_arena = 0;
	__atomic_add_fetch(&region.purged_bytes, *ret_bytes, __ATOMIC_RELAXED);
	return through;
}

/* What was given early and not missed so far was right to go, and what was missed may not be any more. */
static void forget_in_time(void)
{
	uint64_t early = __atomic_load_n(&region.given_early, __ATOMIC_RELAXED);
	uint64_t missed = __atomic_load_n(&region.missed, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&region.given_early, early - early / 2, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&region.missed, (missed + 3) / 4, __ATOMIC_RELAXED);
	__atomic_store_n(&region.look_at, 0, __ATOMIC_RELAXED);
}

bool arena_purge_part(void)
{
	size_t bytes;
	if (!wiped_try(&wiped.purging))
		return true;
	if (!next_arena)
		forget_in_time();
	bool through = go_on(false, BYTES_AT_ONCE, &bytes);
	wiped_done(&wiped.purging);
	return through;
}

size_t arena_purge_early(size_t most)
{
	static uint32_t cursor; /* not that of the passes, which see each arena once */
	size_t tried = 0, gone = 0;
	if (!wiped_try(&wiped.purging))
		return 0;
	for (uint32_t looked = 0; looked < arena_count() && tried < most; looked++, cursor++) {
		cursor = cursor < arena_count() ? cursor : 0;
		purge_next(cursor, true, &tried, &gone);
	}
	__atomic_add_fetch(&region.purged_bytes, gone, __ATOMIC_RELAXED);
	__atomic_add_fetch(&region.given_early, gone, __ATOMIC_RELAXED);
	wiped_done(&wiped.purging);
	return gone;
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
