/* SPDX-License-Identifier: MIT */
/* arena.c: taking and giving runs of units, without locks. */
#include "heap/arena.h"

#include "heap/region.h"
#include "sys/memory.h"
#include "sys/wiped.h"

/*
 * Descriptors and stamps begin a cache line off the page: blocks begin at pages, and a store to one address
 * delays a load from another that is a multiple of 4 KiB away (pairs of malloc and free took three times
 * as long).
 */
enum {
	META_OFFSET = 64,
	GROW_UNITS_MIN = 4,
	META_BYTES = PM_ARENA_UNITS * ((int)sizeof(struct pool) + STAMPS_FINE + STAMPS_COARSE) +
		     MEMORY_PAGE
};

/* Descriptors lie this far below the arenas, side by side too, so that the kernel merges the mappings. */
static const uintptr_t META_DISTANCE = (uintptr_t)2 << 40;

static uint64_t mask_of(unsigned first, unsigned count)
{
	return (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << first;
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

static void count_mapped(size_t bytes)
{
	tally_raise(&region.mapped_peak,
		    __atomic_add_fetch(&region.mapped_bytes, bytes, __ATOMIC_RELAXED));
}

/* Descriptors and stamps, kept for good once the arena is used. */
static bool ensure_meta(struct arena *arena)
{
	if (arena->pools)
		return true;
	char *hint = (char *)((region.base_unit << UNIT_SHIFT) - META_DISTANCE) +
		     (size_t)arena->index * META_BYTES;
	char *meta = memory_map(hint, META_BYTES);
	if (!meta)
		return false;
	__atomic_add_fetch(&region.meta_bytes, META_BYTES, __ATOMIC_RELAXED);
	meta += META_OFFSET;
	arena->stamps_coarse = (uint8_t *)meta + PM_ARENA_UNITS * sizeof(struct pool);
	arena->stamps_fine = arena->stamps_coarse + (size_t)PM_ARENA_UNITS * STAMPS_COARSE;
	arena->pools = (struct pool *)meta;
	return true;
}

static bool claim(struct arena *arena)
{
	uint32_t unused = ARENA_UNUSED;
	return __atomic_compare_exchange_n(&arena->kind, &unused, ARENA_CLAIMED, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void set_kind(struct arena *arena, enum arena_kind kind)
{
	__atomic_store_n(&arena->kind, kind, __ATOMIC_RELEASE);
}

static uint32_t kind_of(const struct arena *arena)
{
	return __atomic_load_n(&arena->kind, __ATOMIC_ACQUIRE);
}

static uint32_t arena_count(void)
{
	return __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE);
}

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

/* false: another thread was faster. */
static bool take_bits(struct arena *arena, uint64_t mask, bool *ret_zeroed)
{
	uint64_t word = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
	do {
		if ((word & mask) != mask)
			return false;
	} while (!__atomic_compare_exchange_n(&arena->free, &word, word & ~mask, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	uint64_t dirty = __atomic_fetch_and(&arena->dirty, ~mask, __ATOMIC_RELAXED) & mask;
	if (dirty)
		__atomic_sub_fetch(&region.free_dirty,
				   (uint64_t)__builtin_popcountl(dirty) * PM_UNIT_BYTES,
				   __ATOMIC_RELAXED);
	*ret_zeroed = !dirty;
	return true;
}

bool arena_take_at(struct arena *arena, unsigned first, unsigned count, bool *ret_zeroed)
{
	return first + count <= PM_ARENA_UNITS &&
	       take_bits(arena, mask_of(first, count), ret_zeroed);
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
		if (take_bits(arena, mask_of(first, count), &ret_run->zeroed)) {
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
		if (kind_of(arena) != ARENA_POOLS) { /* it was unmapped, see unmap_arena() */
			__atomic_compare_exchange_n(&arena->mapped, &now, from, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
			return true;
		}
		enum memory_result result = memory_map_at(arena_base(arena) +
								  (size_t)from * PM_UNIT_BYTES,
							  (size_t)units * PM_UNIT_BYTES);
		if (result == MEMORY_OK) {
			count_mapped((size_t)units * PM_UNIT_BYTES);
			__atomic_or_fetch(&arena->free, mask_of(from, units), __ATOMIC_SEQ_CST);
			lower_hint(arena->index);
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
		if (kind_of(arena_at(i)) == ARENA_UNUSED && claim(arena_at(i))) {
			if (ensure_meta(arena_at(i))) {
				set_kind(arena_at(i), ARENA_POOLS);
				return arena_at(i);
			}
			set_kind(arena_at(i), ARENA_UNUSED);
			return NULL;
		}
	uint32_t first;
	return region_append(1, &first) ? open_arena() : NULL;
}

static bool grow(unsigned count)
{
	bool refused = false;
	uint32_t arenas = arena_count();
	for (uint32_t i = arenas; i-- > 0 && !refused;)
		if (kind_of(arena_at(i)) == ARENA_POOLS && extend(arena_at(i), count, &refused))
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

/* Takes an arena that holds nothing out of use and unmaps it. */
static bool unmap_arena(struct arena *arena)
{
	uint32_t pools = ARENA_POOLS;
	uint32_t mapped = __atomic_load_n(&arena->mapped, __ATOMIC_ACQUIRE);
	bool zeroed;
	if (!mapped || !__atomic_compare_exchange_n(&arena->kind, &pools, ARENA_CLAIMED, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	if (!take_bits(arena, mask_of(0, mapped), &zeroed)) {
		set_kind(arena, ARENA_POOLS);
		return false;
	}
	size_t bytes = (size_t)mapped * PM_UNIT_BYTES;
	bool mine = __atomic_compare_exchange_n(&arena->mapped, &mapped, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED);
	if (mine) {
		memory_unmap(arena_base(arena), bytes);
		__atomic_sub_fetch(&region.mapped_bytes, bytes, __ATOMIC_RELAXED);
		__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	} else { /* it was extended just now */
		arena_give(arena, 0, (unsigned)(bytes / PM_UNIT_BYTES));
	}
	set_kind(arena, mine ? ARENA_UNUSED : ARENA_POOLS);
	return mine;
}

/* For a process at its limit. */
static bool unmap_idle(void)
{
	bool any = false;
	for (uint32_t i = 0; i < arena_count(); i++)
		any |= unmap_arena(arena_at(i));
	return any;
}

static bool take_anywhere(unsigned count, struct run *ret_run)
{
	uint32_t arenas = arena_count();
	for (uint32_t i = __atomic_load_n(&region.first_free, __ATOMIC_RELAXED); i < arenas; i++) {
		struct arena *arena = arena_at(i);
		if (kind_of(arena) == ARENA_POOLS && take_in(arena, count, ret_run))
			return true;
		if (!__atomic_load_n(&arena->free, __ATOMIC_RELAXED) && i + 1 < arenas)
			raise_hint(arena);
	}
	return false;
}

bool arena_take(unsigned count, struct run *ret_run)
{
	while (!take_anywhere(count, ret_run))
		if (!grow(count) && !(unmap_idle() && grow(count)))
			return false;
	return true;
}

static void mark_dirty(struct arena *arena, unsigned first, unsigned count)
{
	__atomic_or_fetch(&arena->dirty, mask_of(first, count), __ATOMIC_RELAXED);
	__atomic_add_fetch(&region.free_dirty, (uint64_t)count * PM_UNIT_BYTES, __ATOMIC_RELAXED);
}

void arena_give(struct arena *arena, unsigned first, unsigned count)
{
	mark_dirty(arena, first, count);
	arena_mark_changed(arena);
	__atomic_or_fetch(&arena->free, mask_of(first, count), __ATOMIC_SEQ_CST);
	lower_hint(arena->index);
}

struct pool *arena_describe(const struct run *run, bool fine_stamps)
{
	struct arena *arena = run->arena;
	struct pool *pool = &arena->pools[run->first];
	pool->start = arena_base(arena) + (size_t)run->first * PM_UNIT_BYTES;
	pool->units = (uint16_t)run->count;
	pool->arena = arena->index;
	pool->stamps = fine_stamps ? arena->stamps_fine + (size_t)run->first * STAMPS_FINE
				   : arena->stamps_coarse + (size_t)run->first * STAMPS_COARSE;
	for (unsigned i = 0; i < run->count; i++)
		region_set((uintptr_t)arena->index * PM_ARENA_UNITS + run->first + i, pool);
	arena_mark_changed(arena);
	return pool;
}

struct arena *arena_of(const struct pool *pool, unsigned *ret_unit)
{
	struct arena *arena = arena_at(pool->arena);
	*ret_unit = (unsigned)(pool - arena->pools);
	return arena;
}

void arena_each_pool(void (*visit)(struct pool *, void *), void *context)
{
	for (uint32_t i = 0; i < arena_count(); i++) {
		const struct arena *arena = arena_at(i);
		for (unsigned unit = 0; arena->pools && unit < PM_ARENA_UNITS; unit++)
			if (__atomic_load_n(&arena->pools[unit].state, __ATOMIC_ACQUIRE) !=
			    POOL_UNUSED)
				visit(&arena->pools[unit], context);
	}
}

/* --- purge ------------------------------------------------------------------------------------- */

/* Purges the runs of set bits of `units`, all taken from the free word before. */
static size_t purge_units(struct arena *arena, uint64_t units)
{
	size_t bytes = 0;
	while (units) {
		unsigned first = (unsigned)__builtin_ctzl(units);
		uint64_t rest = ~(units >> first);
		unsigned count = rest ? (unsigned)__builtin_ctzl(rest) : 64;
		if (count > 64 - first)
			count = 64 - first;
		bool done = memory_purge(arena_base(arena) + (size_t)first * PM_UNIT_BYTES,
					 (size_t)count * PM_UNIT_BYTES);
		if (done)
			bytes += (size_t)count * PM_UNIT_BYTES;
		else /* locked memory stays dirty */
			mark_dirty(arena, first, count);
		units &= ~mask_of(first, count);
	}
	return bytes;
}

static size_t purge_arena(struct arena *arena, bool all)
{
	uint64_t dirty = __atomic_load_n(&arena->dirty, __ATOMIC_RELAXED);
	uint64_t wanted = all ? dirty : dirty & arena->aged;
	uint64_t word = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
	uint64_t taken;
	arena->aged = dirty & ~wanted;
	do
		taken = word & wanted;
	while (taken && !__atomic_compare_exchange_n(&arena->free, &word, word & ~taken, true,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	if (!taken)
		return 0;
	uint64_t was_dirty = __atomic_fetch_and(&arena->dirty, ~taken, __ATOMIC_RELAXED) & taken;
	__atomic_sub_fetch(&region.free_dirty,
			   (uint64_t)__builtin_popcountl(was_dirty) * PM_UNIT_BYTES,
			   __ATOMIC_RELAXED);
	size_t bytes = purge_units(arena, was_dirty);
	arena_mark_changed(arena);
	__atomic_or_fetch(&arena->free, taken, __ATOMIC_SEQ_CST);
	lower_hint(arena->index);
	return bytes;
}

size_t arena_purge(bool all)
{
	if (!wiped_try(&wiped.purging))
		return 0;
	size_t bytes = 0;
	for (uint32_t i = 0; i < arena_count(); i++)
		if (kind_of(arena_at(i)) == ARENA_POOLS)
			bytes += purge_arena(arena_at(i), all);
	wiped_done(&wiped.purging);
	__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	return bytes;
}

/* --- blocks that span arenas --------------------------------------------------------------------- */

static const size_t PROBE_BYTES = (size_t)1 << 32;

static uint32_t arenas_for(size_t bytes)
{
	return (uint32_t)((bytes + ARENA_BYTES - 1) / ARENA_BYTES);
}

/* Claims arenas first ... first + count - 1, all or none. */
static bool claim_range(uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (kind_of(arena_at(first + i)) != ARENA_UNUSED || !claim(arena_at(first + i))) {
			while (i-- > 0)
				set_kind(arena_at(first + i), ARENA_UNUSED);
			return false;
		}
	return true;
}

static bool claim_arenas(uint32_t count, uint32_t *ret_first)
{
	uint32_t run = 0;
	for (uint32_t i = 0; i < arena_count(); i++) {
		run = kind_of(arena_at(i)) == ARENA_UNUSED ? run + 1 : 0;
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
		set_kind(arena_at(first + i), kind);
}

static struct pool *describe_huge(uint32_t first, uint32_t count, size_t bytes)
{
	struct arena *arena = arena_at(first);
	struct run run = {.arena = arena, .first = 0, .count = 1, .zeroed = true};
	arena->huge_bytes = bytes;
	arena->huge_arenas = count;
	for (uint32_t i = 1; i < count; i++)
		set_kind(arena_at(first + i), ARENA_HUGE_TAIL);
	set_kind(arena, ARENA_HUGE);
	return arena_describe(&run, false);
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

struct pool *arena_take_huge(size_t bytes)
{
	if (bytes > (size_t)ARENA_LIMIT * ARENA_BYTES || !is_obtainable(bytes))
		return NULL;
	uint32_t count = arenas_for(bytes), first;
	for (bool retried = false;;) {
		if (!claim_arenas(count, &first))
			return NULL;
		enum memory_result result = MEMORY_REFUSED;
		if (ensure_meta(arena_at(first)))
			result = memory_map_at(arena_base(arena_at(first)), bytes);
		if (result == MEMORY_OK)
			break;
		set_range(first, count, result == MEMORY_TAKEN ? ARENA_BLOCKED : ARENA_UNUSED);
		if (result == MEMORY_REFUSED && (retried || !unmap_idle()))
			return NULL;
		retried = result == MEMORY_REFUSED;
	}
	count_mapped(bytes);
	return describe_huge(first, count, bytes);
}

void arena_find_at(struct pool *pool, const void *start)
{
	region_set(((uintptr_t)start >> UNIT_SHIFT) - region.base_unit, pool);
}

void arena_give_huge(struct pool *pool)
{
	unsigned unit;
	struct arena *arena = arena_of(pool, &unit);
	uint32_t count = arena->huge_arenas;
	size_t bytes = arena->huge_bytes;
	memory_unmap(arena_base(arena), bytes);
	__atomic_sub_fetch(&region.mapped_bytes, bytes, __ATOMIC_RELAXED);
	__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	arena->huge_bytes = 0;
	arena_mark_changed(arena);
	set_range(arena->index, count, ARENA_UNUSED);
}

static bool resize_in_place(struct arena *arena, size_t bytes)
{
	size_t old = arena->huge_bytes;
	if (arenas_for(bytes) > arena->huge_arenas)
		return false;
	if (bytes > old && !memory_grow(arena_base(arena), old, bytes))
		return false;
	if (bytes < old)
		memory_unmap(arena_base(arena) + bytes, old - bytes);
	count_mapped(bytes - old);
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
	set_range(first, arenas_for(bytes), reserved == MEMORY_TAKEN ? ARENA_BLOCKED : ARENA_UNUSED);
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
	if (!is_obtainable(bytes - from->huge_bytes) || !claim_arenas(count, &first))
		return NULL;
	if (!ensure_meta(arena_at(first))) {
		set_range(first, count, ARENA_UNUSED);
		return NULL;
	}
	if (!move_pages(pool, from->huge_bytes, first, bytes))
		return NULL;
	count_mapped(bytes - from->huge_bytes);
	arena_mark_changed(from);
	set_range(from->index, from->huge_arenas, ARENA_UNUSED);
	return describe_huge(first, count, bytes);
}
