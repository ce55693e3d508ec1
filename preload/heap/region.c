/* SPDX-License-Identifier: MIT */
/*
 * region.c: the map from address to pool, and the table of arenas.
 *
 * The map is an array over all units, replaced by one four times as long when arenas outgrow it.  Old maps
 * stay: a thread that loaded the old pointer finds in it every unit that was in use when it did.
 *
 * No lock: whoever enters a pool writes to the map in force and then to each longer one that he sees;
 * whoever makes a longer one shows it first and copies afterwards.  So an entry is either seen by the copy
 * or written by its owner.
 */
#include "heap/region.h"

#include "heap/host.h"
#include "sys/memory.h"

enum { FIRST_MAP_UNITS = 128, MAP_GROWTH_SHIFT = 2, MAPS = 10 };

_Static_assert((uint64_t)FIRST_MAP_UNITS << (MAPS - 1) * MAP_GROWTH_SHIFT >=
		       (uint64_t)ARENA_LIMIT * PM_ARENA_UNITS,
	       "the last one holds all");

/* Far from where the kernel puts mappings, within 47 bits, and within 44 for valgrind; or within the 39 of small machines. */
static const uintptr_t hints[] = {(uintptr_t)8 << 40, (uintptr_t)1 << 36};

struct pool pool_nowhere = {.owner = OWNER_NONE};

static struct pool *first_map[FIRST_MAP_UNITS];
static struct pool **maps[MAPS + 1]; /* atomic; the last stays NULL */
struct arena *arena_blocks[ARENA_BLOCKS] MEMORY_FAR;

struct region region;

/* The library's own address carries the kernel's randomisation, and none where that is off. */
static uintptr_t slide_below(uintptr_t limit)
{
	return ((uintptr_t)&slide_below >> 12 & 0xfffff) * ARENA_BYTES % limit;
}

/* When the kernel refuses memory just now, it may have some later. */
static uintptr_t choose_base(void)
{
	uintptr_t base = 0;
	for (unsigned i = 0; i < sizeof hints / sizeof *hints; i++) {
		uintptr_t hint = hints[i] + slide_below(hints[i]);
		char *probe = memory_map((void *)hint, PM_UNIT_BYTES);
		if (!probe)
			return hint;
		memory_unmap(probe, PM_UNIT_BYTES);
		base = ((uintptr_t)probe + ARENA_BYTES - 1) / ARENA_BYTES * ARENA_BYTES;
		if (base == hint)
			break;
	}
	return base;
}

void region_init(void)
{
	if (region.units)
		return;
	uintptr_t base = choose_base();
	for (unsigned i = 0; i < FIRST_MAP_UNITS; i++)
		first_map[i] = &pool_nowhere;
	region.base_unit = base >> UNIT_SHIFT;
	region.pool_at = maps[0] = first_map;
	__atomic_store_n(&region.units, FIRST_MAP_UNITS, __ATOMIC_RELEASE);
}

static uintptr_t units_of(unsigned number)
{
	return (uintptr_t)FIRST_MAP_UNITS << number * MAP_GROWTH_SHIFT;
}

static unsigned map_in_force(void)
{
	uintptr_t units = __atomic_load_n(&region.units, __ATOMIC_ACQUIRE);
	unsigned number = 0;
	while (units_of(number) < units)
		number++;
	return number;
}

static struct pool **show_map(unsigned number)
{
	struct pool **map = __atomic_load_n(&maps[number], __ATOMIC_SEQ_CST);
	size_t bytes = units_of(number) * sizeof *map;
	if (map)
		return map;
	struct pool **mine = memory_map_own(MEMORY_META, bytes);
	if (!mine)
		return NULL;
	for (uintptr_t i = 0; i < units_of(number); i++)
		mine[i] = &pool_nowhere;
	if (__atomic_compare_exchange_n(&maps[number], &map, mine, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		__atomic_add_fetch(&region.meta_bytes, bytes, __ATOMIC_RELAXED);
		return mine;
	}
	memory_unmap_own(mine, bytes);
	return map;
}

/* Any number of threads may do this at once. */
static bool grow_map(void)
{
	unsigned number = map_in_force();
	struct pool **from = maps[number], **to = number < MAPS - 1 ? show_map(number + 1) : NULL;
	uintptr_t units = units_of(number);
	if (!to)
		return false;
	for (uintptr_t i = 0; i < units; i++) {
		struct pool *nowhere = &pool_nowhere;
		__atomic_compare_exchange_n(&to[i], &nowhere,
					    __atomic_load_n(&from[i], __ATOMIC_SEQ_CST), false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
	__atomic_compare_exchange_n(&region.pool_at, &from, to, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	__atomic_compare_exchange_n(&region.units, &units, units_of(number + 1), false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	return true;
}

bool region_cover(uint32_t arenas)
{
	while ((uintptr_t)arenas * PM_ARENA_UNITS > __atomic_load_n(&region.units, __ATOMIC_ACQUIRE))
		if (!grow_map())
			return false;
	return true;
}

void region_set(uintptr_t unit, struct pool *pool)
{
	struct pool **map;
	for (unsigned i = map_in_force(); (map = __atomic_load_n(&maps[i], __ATOMIC_SEQ_CST)); i++)
		__atomic_store_n(&map[unit], pool, __ATOMIC_SEQ_CST);
}

void region_set_run(const struct arena *arena, unsigned first, unsigned count, struct pool *pool)
{
	for (unsigned i = 0; i < count; i++)
		region_set(region_unit_of(arena_unit_at(arena, first + i)), pool);
}

static struct arena *arena_block(uint32_t number)
{
	struct arena *block = __atomic_load_n(&arena_blocks[number], __ATOMIC_ACQUIRE);
	if (block)
		return block;
	struct arena *mine = memory_map_own(MEMORY_META, ARENA_BLOCK * sizeof *mine);
	if (!mine)
		return NULL;
	if (__atomic_compare_exchange_n(&arena_blocks[number], &block, mine, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	memory_unmap_own(mine, ARENA_BLOCK * sizeof *mine);
	return block;
}

bool region_append(uint32_t count, uint32_t *ret_first)
{
	uint32_t first = __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE);
	do {
		if (count > ARENA_LIMIT - first || !region_cover(first + count))
			return false;
		for (uint32_t b = first / ARENA_BLOCK; b <= (first + count - 1) / ARENA_BLOCK; b++)
			if (!arena_block(b))
				return false;
		for (uint32_t i = first; i < first + count; i++)
			arena_at(i)->index = i; /* before it is seen, and not before it is needed */
	} while (!__atomic_compare_exchange_n(&region.arenas, &first, first + count, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	*ret_first = first;
	return true;
}

void region_count_mapped(int64_t change)
{
	tally_raise(&region.mapped_peak,
		    __atomic_add_fetch(&region.mapped_bytes, change, __ATOMIC_RELAXED));
	host_mapped_changed();
}

void region_count_unmapped(size_t bytes)
{
	__atomic_sub_fetch(&region.mapped_bytes, bytes, __ATOMIC_RELAXED);
	__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	host_mapped_changed();
}
