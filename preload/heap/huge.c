/* SPDX-License-Identifier: MIT */
/*
 * huge.c: blocks over the longest run, with arenas of their own that are mapped and unmapped as a whole.
 *
 *   | ARENA_HUGE, with the descriptor | ARENA_HUGE_TAIL | ... | ARENA_HUGE_TAIL, mapped as far as needed |
 */
#include "heap/arena.h"
#include "heap/record.h"
#include "heap/region.h"
#include "heap/units.h"
#include "sys/memory.h"

/* Below, the kernel is not asked beforehand. */
static const size_t PROBE_BYTES = (size_t)1 << 32;

static uint32_t arenas_for(size_t bytes)
{
	return (uint32_t)((bytes + ARENA_BYTES - 1) / ARENA_BYTES);
}

/* Claims arenas first ... first + count - 1, all or none. */
static bool claim_range(uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!arena_claim(arena_at(first + i), ARENA_UNUSED)) {
			while (i-- > 0)
				arena_set_kind(arena_at(first + i), ARENA_UNUSED);
			return false;
		}
	return true;
}

bool arenas_claim(uint32_t count, uint32_t *ret_first)
{
	uint32_t run = 0;
	for (uint32_t i = 0; i < arena_count(); i++) {
		run = arena_kind_of(arena_at(i)) == ARENA_UNUSED ? run + 1 : 0;
		if (run == count && claim_range(i + 1 - count, count)) {
			*ret_first = i + 1 - count;
			return true;
		}
	}
	while (region_append(count, ret_first))
		if (claim_range(*ret_first, count))
			return true;
	return false;
}

static void set_range(uint32_t first, uint32_t count, enum arena_kind kind)
{
	for (uint32_t i = 0; i < count; i++)
		arena_set_kind(arena_at(first + i), kind);
}

void arenas_unclaim(uint32_t first, uint32_t count, enum memory_result why)
{
	set_range(first, count, why == MEMORY_TAKEN ? ARENA_BLOCKED : ARENA_UNUSED);
}

static struct pool *describe_huge(uint32_t first, uint32_t count, size_t bytes)
{
	struct arena *arena = arena_at(first);
	struct run run = {.arena = arena, .first = 0, .count = 1, .zeroed = true};
	arena->huge_bytes = bytes;
	arena->huge_arenas = count;
	set_range(first + 1, count - 1, ARENA_HUGE_TAIL);
	arena_set_kind(arena, ARENA_HUGE);
	return arena_describe(&run, 1);
}

/* Asks before the tables are made longer for a request that the kernel will refuse anyway. */
static bool is_obtainable(size_t bytes)
{
	if (bytes < PROBE_BYTES)
		return true;
	void *probe = memory_map(NULL, bytes);
	if (probe)
		memory_unmap(probe, bytes);
	return probe;
}

void arena_give_huge(struct pool *pool)
{
	unsigned unit;
	struct arena *arena = arena_of(pool, &unit);
	uint32_t count = arena->huge_arenas;
	size_t bytes = arena->huge_bytes;
	memory_unmap(arena_base(arena), bytes);
	region_count_unmapped(bytes);
	arena->huge_bytes = 0;
	arena_mark_changed(arena);
	set_range(arena->index, count, ARENA_UNUSED);
}

struct pool *arena_take_huge(size_t bytes)
{
	if (bytes > (size_t)ARENA_LIMIT * ARENA_BYTES || !is_obtainable(bytes))
		return NULL;
	uint32_t count = arenas_for(bytes), first;
	for (bool retried = false;;) {
		if (!arenas_claim(count, &first))
			return NULL;
		enum memory_result result = MEMORY_REFUSED;
		if (record_ensure(arena_at(first)))
			result = memory_map_at(arena_base(arena_at(first)), bytes);
		if (result == MEMORY_OK)
			break;
		arenas_unclaim(first, count, result);
		if (result == MEMORY_REFUSED && (retried || !arena_unmap_idle()))
			return NULL;
		retried = result == MEMORY_REFUSED;
	}
	region_count_mapped((int64_t)bytes);
	return describe_huge(first, count, bytes);
}

void arena_find_at(struct pool *pool, const void *start)
{
	region_set(region_unit_of(start), pool);
}

static bool resize_in_place(struct arena *arena, size_t bytes)
{
	size_t old = arena->huge_bytes;
	if (arenas_for(bytes) > arena->huge_arenas)
		return false;
	if (bytes > old && !memory_grow(arena_base(arena), old, bytes))
		return false;
	if (bytes < old) {
		memory_unmap(arena_base(arena) + bytes, old - bytes);
		region_count_unmapped(old - bytes);
	} else {
		region_count_mapped((int64_t)(bytes - old));
	}
	uint32_t keep = arenas_for(bytes);
	set_range(arena->index + keep, arena->huge_arenas - keep, ARENA_UNUSED);
	arena->huge_arenas = keep;
	arena->huge_bytes = bytes;
	arena_mark_changed(arena);
	return true;
}

/*
 * Moves the pages of `pool` to claimed arenas.  Another mapping may be there: that is seen by reserving them.
 * A kernel that refuses the reservation has found the range free, and the move may yet be possible.
 */
static bool move_pages(struct pool *pool, size_t old_bytes, uint32_t first, size_t bytes)
{
	char *target = arena_base(arena_at(first));
	enum memory_result reserved = memory_reserve_at(target, bytes);
	if (reserved != MEMORY_TAKEN && memory_move(pool->start, old_bytes, target, bytes))
		return true;
	if (reserved == MEMORY_OK)
		memory_unmap(target, bytes);
	arenas_unclaim(first, arenas_for(bytes), reserved);
	return false;
}

struct pool *arena_resize_huge(struct pool *pool, size_t bytes)
{
	unsigned unit;
	struct arena *from = arena_of(pool, &unit);
	if (bytes > (size_t)ARENA_LIMIT * ARENA_BYTES)
		return NULL;
	if (resize_in_place(from, bytes))
		return pool;
	uint32_t first, count = arenas_for(bytes);
	if (!is_obtainable(bytes - from->huge_bytes) || !arenas_claim(count, &first))
		return NULL;
	if (!record_ensure(arena_at(first))) {
		arenas_unclaim(first, count, MEMORY_REFUSED);
		return NULL;
	}
	if (!move_pages(pool, from->huge_bytes, first, bytes))
		return NULL;
	region_count_mapped((int64_t)(bytes - from->huge_bytes));
	arena_mark_changed(from);
	set_range(from->index, from->huge_arenas, ARENA_UNUSED);
	return describe_huge(first, count, bytes);
}
