/* SPDX-License-Identifier: MIT */
/*
 * map.c: arenas and pools of a process.  They change while the program runs and may have stopped
 * halfway when it was killed: a record that contradicts itself is counted, not shown.
 */
#include "model/parts.h"
#include "text/allocate.h"

/* A pool that lies in its arena and holds no more blocks than fit. */
static bool pool_is_sane(const struct layout *layout, const struct pm_pool *pool, uint32_t unit)
{
	if (pool->state == PM_POOL_LARGE)
		return true;
	uint64_t bytes = (uint64_t)pool->pages * layout->page_bytes;
	uint64_t room = (uint64_t)(layout->arena_units - unit) * layout->unit_bytes;
	return pool->state == PM_POOL_LIVE && pool->live <= pool->capacity &&
	       pool->size_class < layout->class_count &&
	       layout->classes[pool->size_class].kind == PM_CLASS_POOL && bytes <= room;
}

static void read_pools(const struct pm_arena *arena, struct process *process)
{
	for (uint32_t unit = 0; unit < process->layout->arena_units; unit++) {
		const struct pm_pool *pool = &arena->pool[unit];
		if (pool->state == PM_POOL_NONE)
			continue;
		if (!pool_is_sane(process->layout, pool, unit)) {
			process->pools_torn++;
			continue;
		}
		process->pools[process->pool_count++] = (struct pool){
			.arena = (uint32_t)process->arena_count,
			.unit = unit,
			.owner = pool->owner,
			.pages = pool->pages,
			.live = pool->live,
			.capacity = pool->capacity,
			.touched_pages = pool->touched_pages,
			.state = pool->state,
			.size_class = pool->size_class,
		};
	}
}

static void read_arena(const struct pm_arena *arena, struct process *process)
{
	if (arena->kind == PM_ARENA_NONE)
		return;
	if (arena->kind > PM_ARENA_HUGE || arena->mapped_units > process->layout->arena_units) {
		process->pools_torn++;
		return;
	}
	if (arena->kind == PM_ARENA_POOLS)
		read_pools(arena, process);
	process->arenas[process->arena_count++] = (struct arena){
		.base = arena->base,
		.free_units = arena->free_units,
		.dirty_units = arena->dirty_units,
		.huge_bytes = arena->huge_bytes,
		.mapped_units = arena->mapped_units,
		.kind = arena->kind,
		.is_kept = arena->huge_bytes && arena->pool[0].state == PM_POOL_NONE,
	};
}

static size_t count_pools(const struct image *image, const struct image_entry *entry, uint32_t count)
{
	size_t pools = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct pm_map *map = (const void *)image->chunks[entry[i].number];
		for (uint32_t a = 0; a < image->header.map_arenas; a++)
			for (uint32_t unit = 0; unit < image->header.arena_units; unit++)
				pools += map->arena[a].pool[unit].state != PM_POOL_NONE;
	}
	return pools;
}

void read_map(const struct image *image, struct process *process)
{
	uint32_t count;
	const struct image_entry *entry = image_entries(image, PM_CHUNK_MAP, process->chunk, &count);

	process->arenas = allocate((size_t)count * image->header.map_arenas,
				   sizeof *process->arenas);
	process->pools = allocate(count_pools(image, entry, count), sizeof *process->pools);
	for (uint32_t i = 0; i < count; i++) {
		const struct pm_map *map = (const void *)image->chunks[entry[i].number];
		for (uint32_t a = 0; a < image->header.map_arenas; a++)
			read_arena(&map->arena[a], process);
	}
}
