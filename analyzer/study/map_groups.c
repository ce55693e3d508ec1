/* SPDX-License-Identifier: MIT */
/* map_groups.c: see map_groups.h. */
#include "study/map_groups.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

void map_pools_add(struct map_pools *pools, const struct map_span *span, uint32_t page_bytes)
{
	const struct pool *pool = span->pool;
	uint64_t touched = pool->touched_pages < pool->pages ? pool->touched_pages : pool->pages;

	pools->pools++;
	pools->units += span->units;
	pools->bytes = sum(pools->bytes, span->bytes);
	pools->touched_bytes = sum(pools->touched_bytes, product(touched, page_bytes));
	pools->live += pool->live;
	pools->room += pool->capacity;
	pools->live_bytes = sum(pools->live_bytes, span->live_bytes);
	pools->room_bytes = sum(pools->room_bytes, span->room_bytes);
}

static uint32_t key_of(const struct map *map, const struct map_span *span)
{
	return map->by == MAP_BY_OWNER ? span->pool->owner : span->pool->size_class;
}

static int by_key(const void *left, const void *right)
{
	const struct map_group *a = left, *b = right;
	return (a->key > b->key) - (a->key < b->key);
}

static int most_units_first(const void *left, const void *right)
{
	const struct map_group *a = left, *b = right;
	if (a->pools.units != b->pools.units)
		return a->pools.units < b->pools.units ? 1 : -1;
	return by_key(left, right);
}

/* One of each key, by key. */
static void collect_keys(struct map *map)
{
	size_t kept = 0;

	map->groups = allocate(map->pools.pools, sizeof *map->groups);
	for (size_t i = 0; i < map->span_count; i++)
		if (map->spans[i].kind == MAP_POOL)
			map->groups[map->group_count++] = (struct map_group){
				.key = key_of(map, &map->spans[i]), .owner = map->spans[i].owner};
	if (map->group_count)
		qsort(map->groups, map->group_count, sizeof *map->groups, by_key);
	for (size_t i = 0; i < map->group_count; i++)
		if (!kept || map->groups[kept - 1].key != map->groups[i].key)
			map->groups[kept++] = map->groups[i];
	map->group_count = kept;
}

static struct map_group *group_at(const struct map *map, const struct map_span *span)
{
	const struct map_group wanted = {.key = key_of(map, span)};
	return bsearch(&wanted, map->groups, map->group_count, sizeof wanted, by_key);
}

/* Where each group of `map`, still by key, stands among those with most units. */
static size_t *ranks_of(const struct map *map, const struct map_group *ranked)
{
	size_t *ranks = allocate(map->group_count, sizeof *ranks);

	for (size_t i = 0; i < map->group_count; i++) {
		const struct map_group *group = bsearch(&ranked[i], map->groups, map->group_count,
							sizeof *ranked, by_key);
		ranks[group - map->groups] = i;
	}
	return ranks;
}

static void sort_groups(struct map *map)
{
	struct map_group *ranked = allocate(map->group_count, sizeof *ranked);

	if (map->group_count) {
		memcpy(ranked, map->groups, map->group_count * sizeof *ranked);
		qsort(ranked, map->group_count, sizeof *ranked, most_units_first);
	}
	size_t *ranks = ranks_of(map, ranked);
	for (size_t i = 0; i < map->span_count; i++)
		if (map->spans[i].kind == MAP_POOL)
			map->spans[i].group = ranks[group_at(map, &map->spans[i]) - map->groups];
	free(ranks);
	free(map->groups);
	map->groups = ranked;
}

/* Sums of pools that were counted one by one: they cannot overflow where those did not. */
static void merge(struct map_pools *into, const struct map_pools *pools)
{
	into->pools += pools->pools;
	into->units += pools->units;
	into->live += pools->live;
	into->room += pools->room;
	into->bytes = sum(into->bytes, pools->bytes);
	into->touched_bytes = sum(into->touched_bytes, pools->touched_bytes);
	into->live_bytes = sum(into->live_bytes, pools->live_bytes);
	into->room_bytes = sum(into->room_bytes, pools->room_bytes);
}

void map_groups_make(struct map *map)
{
	collect_keys(map);
	for (size_t i = 0; i < map->span_count; i++) {
		const struct map_span *span = &map->spans[i];
		if (span->kind != MAP_POOL)
			continue;
		map_pools_add(&group_at(map, span)->pools, span, map->process->layout->page_bytes);
	}
	sort_groups(map);
	for (size_t i = MAP_GROUPS_SHOWN; i < map->group_count; i++)
		merge(&map->others, &map->groups[i].pools);
}
