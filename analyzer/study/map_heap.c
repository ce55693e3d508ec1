/* SPDX-License-Identifier: MIT */
/* map_heap.c: see map_heap.h. */
#include "study/map_heap.h"

#include "text/allocate.h"

#include <stdlib.h>

/* Pools and arenas of a survey, each in order of address. */
struct going {
	const struct process *process;
	const struct survey *survey;
	struct map_heap *heap;
	size_t next; /* pool */
};

static uint64_t units_from(uint64_t first, uint64_t count, uint32_t arena_units)
{
	uint64_t units = 0;

	for (uint64_t i = 0; i < count && first + i < arena_units && first + i < 64; i++)
		units |= UINT64_C(1) << (first + i);
	return units;
}

static bool has_resident(const struct survey *survey, const struct surveyed_arena *arena,
			 uint64_t first, uint64_t bytes)
{
	for (uint64_t at = first; at < first + bytes; at += survey->page_bytes)
		if (survey_is_resident(survey, arena, at))
			return true;
	return false;
}

/* Of free units those that hold memory. */
static uint64_t dirty_of(const struct going *going, const struct surveyed_arena *arena)
{
	const struct layout *layout = going->process->layout;
	uint64_t dirty = 0;

	for (uint32_t unit = 0; unit < layout->arena_units && unit < 64; unit++)
		if (arena->free_units >> unit & 1 &&
		    has_resident(going->survey, arena,
				 arena->base + (uint64_t)unit * layout->unit_bytes,
				 layout->unit_bytes))
			dirty |= UINT64_C(1) << unit;
	return dirty;
}

static uint16_t clamp16(uint64_t value)
{
	return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

static uint16_t resident_pages(const struct going *going, const struct surveyed_arena *arena,
			       const struct surveyed_pool *pool)
{
	const struct survey *survey = going->survey;
	uint64_t pages = 0, last = arena->base + (uint64_t)survey->arena_pages * survey->page_bytes;

	for (uint64_t at = pool->first; at < last && at - pool->first < pool->bytes;
	     at += survey->page_bytes)
		pages += survey_is_resident(survey, arena, at);
	return clamp16(pages * survey->page_bytes / going->process->layout->page_bytes);
}

static void add_pool(struct going *going, const struct surveyed_arena *arena, uint32_t unit,
		     const struct surveyed_pool *pool)
{
	struct map_heap *heap = going->heap;
	bool is_large = pool->state == PM_SURVEY_LARGE;
	uint64_t bytes = is_large ? pool->block_bytes : pool->bytes;

	heap->own_pools[heap->pool_count++] = (struct pool){
		.arena = (uint32_t)heap->arena_count,
		.unit = unit,
		.owner = pool->owner,
		.pages = (uint32_t)(bytes / going->process->layout->page_bytes),
		.live = clamp16(pool->live_count),
		.capacity = clamp16(pool->capacity),
		.touched_pages = resident_pages(going, arena, pool),
		.state = is_large ? PM_POOL_LARGE : PM_POOL_LIVE,
		.size_class = pool->size_class,
	};
}

/* Blocks of such a class, where one fits at least; what a thread keeps of large ones is free, and written to. */
static void add_from(struct going *going, const struct surveyed_arena *arena,
		     const struct surveyed_pool *pool, struct arena *out)
{
	const struct layout *layout = going->process->layout;
	uint64_t unit = (pool->first - arena->base) / layout->unit_bytes;
	bool is_pool = layout->classes[pool->size_class].kind == PM_CLASS_POOL;

	if (arena->kind == PM_ARENA_HUGE) {
		if (unit)
			return;
		out->huge_bytes = pool->bytes;
		out->is_kept = pool->state == PM_SURVEY_KEPT;
	} else if (pool->state == PM_SURVEY_KEPT) {
		uint64_t units = units_from(unit, pool->bytes / layout->unit_bytes,
					    layout->arena_units);
		out->free_units |= units;
		out->dirty_units |= units;
	} else if (pool->state == PM_SURVEY_LARGE || (is_pool && pool->capacity)) {
		add_pool(going, arena, (uint32_t)unit, pool);
	}
}

static void add_arena(struct going *going, const struct surveyed_arena *arena)
{
	const struct survey *survey = going->survey;
	const struct layout *layout = going->process->layout;
	uint64_t bytes = (uint64_t)layout->arena_units * layout->unit_bytes;
	struct arena out = {
		.base = arena->base,
		.free_units = arena->free_units,
		.dirty_units = dirty_of(going, arena),
		.mapped_units = arena->kind == PM_ARENA_HUGE ? 0 : arena->mapped_units,
		.kind = arena->kind,
	};

	while (going->next < survey->pool_count && survey->pools[going->next].first < arena->base)
		going->next++;
	for (; going->next < survey->pool_count &&
	       survey->pools[going->next].first - arena->base < bytes;
	     going->next++)
		add_from(going, arena, &survey->pools[going->next], &out);
	going->heap->own_arenas[going->heap->arena_count++] = out;
}

void map_heap_make(const struct process *process, const struct survey *survey, struct map_heap *ret)
{
	struct map_heap heap = {.arenas = process->arenas,
				.pools = process->pools,
				.arena_count = process->arena_count,
				.pool_count = process->pool_count};

	if (survey && survey->is_whole) {
		heap = (struct map_heap){
			.survey = survey,
			.own_arenas = allocate(survey->arena_count + 1, sizeof(struct arena)),
			.own_pools = allocate(survey->pool_count + 1, sizeof(struct pool))};
		struct going going = {.process = process, .survey = survey, .heap = &heap};
		for (size_t i = 0; i < survey->arena_count; i++)
			add_arena(&going, &survey->arenas[i]);
		heap.arenas = heap.own_arenas;
		heap.pools = heap.own_pools;
	}
	*ret = heap;
}

void map_heap_free(struct map_heap *heap)
{
	free(heap->own_arenas);
	free(heap->own_pools);
}
