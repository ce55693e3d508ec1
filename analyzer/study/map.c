/* SPDX-License-Identifier: MIT */
/* map.c: see map.h. */
#include "study/map.h"

#include "model/saturate.h"
#include "study/classes.h"
#include "study/map_ages.h"
#include "study/map_groups.h"
#include "text/allocate.h"

#include <stdlib.h>

#define KIND_KEY(name, key) [MAP_##name] = key,
const char *const map_kind_keys[MAP_KIND_COUNT] = {MAP_KINDS(KIND_KEY)};

/* What is longer than an address space can be is no block. */
#define HUGE_BYTES_MAX (UINT64_C(1) << 47)

/* What one goes through while a map is made. */
struct walk {
	struct map *map;
	const struct map_query *query;
	const struct slot **slots; /* by chunk */
	const size_t *first_pool;  /* of each arena in heap.pools, and the end of the last */
	size_t span_room;
};

unsigned map_tenth_of(uint64_t live, uint64_t room)
{
	if (live >= room)
		return room ? MAP_TENTHS - 1 : 0;
	return (unsigned)((unsigned __int128)live * MAP_TENTHS / room);
}

/* --- owners ----------------------------------------------------------------------------------------------- */

static int by_chunk(const void *left, const void *right)
{
	const struct slot *a = *(const struct slot *const *)left;
	const struct slot *b = *(const struct slot *const *)right;
	return (a->chunk > b->chunk) - (a->chunk < b->chunk);
}

static const struct slot **sorted_slots(const struct process *process)
{
	const struct slot **slots = allocate(process->slot_count, sizeof *slots);

	for (size_t i = 0; i < process->slot_count; i++)
		slots[i] = &process->slots[i];
	if (process->slot_count)
		qsort(slots, process->slot_count, sizeof *slots, by_chunk);
	return slots;
}

static const struct slot *owner_of(const struct walk *walk, const struct pool *pool)
{
	const struct slot wanted = {.chunk = pool->owner}, *key = &wanted;
	const struct slot **found;

	if (!pool->owner || pool->state != PM_POOL_LIVE || !walk->map->process->slot_count)
		return NULL;
	found = bsearch(&key, walk->slots, walk->map->process->slot_count, sizeof *found, by_chunk);
	return found ? *found : NULL;
}

/* --- spans ------------------------------------------------------------------------------------------------ */

static struct map_span *add_span(struct walk *walk, const struct map_span *span)
{
	struct map *map = walk->map;

	map->spans = allocate_more(map->spans, map->span_count, &walk->span_room,
				   sizeof *map->spans);
	map->spans[map->span_count] = *span;
	return &map->spans[map->span_count++];
}

static void describe_pool(const struct walk *walk, struct map_span *span)
{
	const struct process *process = walk->map->process;
	const struct pool *pool = span->pool;
	struct class_row named = {.name = "large"};

	span->owner = owner_of(walk, pool);
	span->bytes = product(pool->pages, process->layout->page_bytes);
	if (pool->state == PM_POOL_LIVE)
		named = class_row_of(&process->layout->classes[pool->size_class]);
	if (!map_query_wants(walk->query, named.name, span->owner)) {
		span->kind = MAP_FILTERED;
	} else if (pool->state == PM_POOL_LIVE) {
		span->live_bytes = product(pool->live, named.block_bytes);
		span->room_bytes = product(pool->capacity, named.block_bytes);
	}
}

static enum map_kind kind_of(const struct arena *arena, uint32_t unit, const struct pool *pool)
{
	uint64_t bit = UINT64_C(1) << unit;

	if (pool)
		return pool->state == PM_POOL_LARGE ? MAP_LARGE : MAP_POOL;
	if (unit >= arena->mapped_units)
		return MAP_UNMAPPED;
	if (arena->free_units & bit)
		return arena->dirty_units & bit ? MAP_DIRTY : MAP_CLEAN;
	return MAP_UNKNOWN;
}

/*
 * A pool is as long as it says.  The run of a large block ends where something else begins: in front of an
 * aligned one, and behind it, there may be units that it does not fill.
 */
static bool goes_on(const struct map *map, const struct map_span *span, uint64_t address)
{
	const struct layout *layout = map->process->layout;

	if (!span->pool || address != span->address + span->units * layout->unit_bytes)
		return false;
	return span->pool->state == PM_POOL_LARGE || span->units * layout->unit_bytes < span->bytes;
}

/* What begins at a unit, or goes on from the arena before. */
static struct map_span span_at(const struct walk *walk, const struct map_arena *into,
			       uint64_t address, enum map_kind kind, const struct pool *pool)
{
	const struct map *map = walk->map;
	const struct map_span *last = map->span_count ? &map->spans[map->span_count - 1] : NULL;
	struct map_span span = {.address = address, .kind = kind, .pool = pool};

	if (pool) {
		describe_pool(walk, &span);
	} else if (kind == MAP_UNKNOWN && last && map->span_count == into->first &&
		   goes_on(map, last, address)) {
		span = *last;
		span.address = address;
		span.units = 0;
		span.is_continued = true;
	}
	return span;
}

static void add_unit(struct walk *walk, const struct map_arena *into, const struct arena *arena,
		     uint32_t unit, const struct pool *pool)
{
	struct map *map = walk->map;
	uint64_t address = arena->base + unit * (uint64_t)map->process->layout->unit_bytes;
	enum map_kind kind = kind_of(arena, unit, pool);
	struct map_span *last = map->span_count > into->first ? &map->spans[map->span_count - 1]
							      : NULL;
	bool is_same = last && !pool && !last->pool && last->kind == kind;

	if (last && kind == MAP_UNKNOWN)
		is_same |= goes_on(map, last, address);
	if (!is_same) {
		struct map_span span = span_at(walk, into, address, kind, pool);
		last = add_span(walk, &span);
	}
	last->units++;
}

static void add_pools_of(struct walk *walk, struct map_arena *into, size_t index)
{
	const struct map_heap *heap = &walk->map->heap;
	const struct pool *pool = heap->pools + walk->first_pool[index];
	const struct pool *end = heap->pools + walk->first_pool[index + 1];

	for (uint32_t unit = 0; unit < walk->map->process->layout->arena_units; unit++) {
		bool begins = pool < end && pool->unit == unit;
		add_unit(walk, into, &heap->arenas[index], unit, begins ? pool : NULL);
		pool += begins;
	}
}

static void add_huge(struct walk *walk, const struct arena *arena)
{
	const struct layout *layout = walk->map->process->layout;
	uint64_t bytes = arena->huge_bytes < HUGE_BYTES_MAX ? arena->huge_bytes : HUGE_BYTES_MAX;
	struct map_span span = {.address = arena->base, .kind = MAP_HUGE, .bytes = bytes};

	span.units = (bytes + layout->unit_bytes - 1) / layout->unit_bytes;
	if (arena->is_kept)
		span.kind = MAP_DIRTY;
	else if (!map_query_wants(walk->query, "large", NULL))
		span.kind = MAP_FILTERED;
	add_span(walk, &span);
	if (span.units >= layout->arena_units)
		return;
	span = (struct map_span){.address = arena->base + span.units * layout->unit_bytes,
				 .units = layout->arena_units - span.units,
				 .kind = MAP_UNMAPPED};
	add_span(walk, &span);
}

static void close_arena(struct map *map, struct map_arena *arena)
{
	const struct layout *layout = map->process->layout;

	arena->count = map->span_count - arena->first;
	for (size_t i = arena->first; i < map->span_count; i++) {
		struct map_span *span = &map->spans[i];
		if (!span->bytes)
			span->bytes = product(span->units, layout->unit_bytes);
		span->drawn = span->units < layout->arena_units ? span->units : layout->arena_units;
		map->is_shortened |= span->drawn < span->units;
		arena->drawn += span->drawn;
		arena->live_bytes = sum(arena->live_bytes, span->live_bytes);
		arena->room_bytes = sum(arena->room_bytes, span->room_bytes);
	}
}

static void add_arena(struct walk *walk, size_t index)
{
	struct map *map = walk->map;
	const struct arena *arena = &map->heap.arenas[index];
	struct map_arena *into = &map->arenas[map->arena_count];

	if (arena->kind == PM_ARENA_HUGE && !arena->huge_bytes)
		return; /* a block's later arenas: described by the first */
	*into = (struct map_arena){.base = arena->base, .first = map->span_count};
	if (arena->kind == PM_ARENA_HUGE)
		add_huge(walk, arena);
	else
		add_pools_of(walk, into, index);
	close_arena(map, into);
	map->arena_count++;
}

/* --- arenas ----------------------------------------------------------------------------------------------- */

struct place {
	uint64_t base;
	size_t index; /* in heap.arenas */
};

static int by_base(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->base != b->base)
		return a->base < b->base ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* The emptiest pools first; what has no pools last. */
static int by_occupancy(const void *left, const void *right)
{
	const struct map_arena *a = left, *b = right;
	unsigned __int128 of_a = (unsigned __int128)a->live_bytes * b->room_bytes;
	unsigned __int128 of_b = (unsigned __int128)b->live_bytes * a->room_bytes;

	if (!a->room_bytes != !b->room_bytes)
		return a->room_bytes ? -1 : 1;
	if (of_a != of_b)
		return of_a < of_b ? -1 : 1;
	return (a->base > b->base) - (a->base < b->base);
}

/* A child whose parent is not in the recording shows what it has from there: nobody else does. */
static struct inheritance left_out(const struct recording *recording, const struct process *process,
				   const struct map_query *query)
{
	static const struct inheritance nothing;

	return query->inherited || !parent_of(recording, process)
		       ? nothing
		       : inheritance_of(recording, process);
}

static struct place *places_of(const struct recording *recording, const struct map_query *query,
			       struct map *map, size_t *ret_count)
{
	const struct process *process = map->process;
	struct inheritance inheritance = left_out(recording, process, query);
	const struct map_heap *heap = &map->heap;
	struct place *places = allocate(heap->arena_count, sizeof *places);

	for (size_t i = 0; i < heap->arena_count; i++)
		if (is_inherited_arena(&inheritance, &heap->arenas[i]))
			map->inherited_count++;
		else
			places[(*ret_count)++] = (struct place){heap->arenas[i].base, i};
	if (*ret_count)
		qsort(places, *ret_count, sizeof *places, by_base);
	return places;
}

/* Pools stand in the order of their arenas. */
static size_t *first_pools(const struct map_heap *heap)
{
	size_t *first = allocate(heap->arena_count + 1, sizeof *first);
	size_t pool = 0;

	for (size_t i = 0; i <= heap->arena_count; i++) {
		first[i] = pool;
		while (pool < heap->pool_count && heap->pools[pool].arena == i)
			pool++;
	}
	return first;
}

static void add_arenas(const struct recording *recording, struct walk *walk)
{
	struct map *map = walk->map;
	size_t count = 0;
	struct place *places = places_of(recording, walk->query, map, &count);

	map->arenas = allocate(count, sizeof *map->arenas);
	for (size_t i = 0; i < count; i++)
		add_arena(walk, places[i].index);
	free(places);
}

/* --- the whole -------------------------------------------------------------------------------------------- */

static void count_span(struct map *map, const struct map_span *span)
{
	map->units[span->kind] += span->units;
	map->mapped_units += span->kind == MAP_UNMAPPED ? 0 : span->units;
	if (span->kind == MAP_LARGE && !span->is_continued) {
		map->large_blocks++;
		map->large_bytes = sum(map->large_bytes, span->bytes);
	}
	if (span->kind == MAP_HUGE) {
		map->huge_blocks++;
		map->huge_bytes = sum(map->huge_bytes, span->bytes);
	}
	if (span->kind != MAP_POOL)
		return;
	const struct pool *pool = span->pool;
	uint32_t page_bytes = map->process->layout->page_bytes;
	map_pools_add(&map->pools, span, page_bytes);
	map_pools_add(&map->tenth[map_tenth_of(pool->live, pool->capacity)], span, page_bytes);
	if ((uint64_t)pool->live * 4 < pool->capacity)
		map_pools_add(&map->sparse, span, page_bytes);
}

static size_t shown_of(const struct map_query *query, size_t count)
{
	return query->arena_max && query->arena_max < count ? query->arena_max : count;
}

void map_make(const struct recording *recording, const struct process *process,
	      const struct map_query *query, struct map *ret)
{
	struct map map = {
		.process = process, .by = query->by, .is_filtered = map_query_is_filtered(query)};
	const struct survey *survey = moment_survey(process, query->moment, &map.moment);

	map_heap_make(process, survey, &map.heap);
	size_t *first_pool = first_pools(&map.heap);
	struct walk walk = {.map = &map,
			    .query = query,
			    .slots = sorted_slots(process),
			    .first_pool = first_pool};

	add_arenas(recording, &walk);
	for (size_t i = 0; i < map.span_count; i++)
		count_span(&map, &map.spans[i]);
	map_groups_make(&map);
	map_ages_make(&map);
	if (query->order == MAP_ORDER_OCCUPANCY && map.arena_count)
		qsort(map.arenas, map.arena_count, sizeof *map.arenas, by_occupancy);
	map.shown_count = shown_of(query, map.arena_count);
	free(walk.slots);
	free(first_pool);
	*ret = map;
}

void map_free(struct map *map)
{
	map_heap_free(&map->heap);
	free(map->spans);
	free(map->arenas);
	free(map->groups);
}
