/* SPDX-License-Identifier: MIT */
/* map_ages.c: see map_ages.h. */
#include "study/map_ages.h"

#include "study/map_groups.h"
#include "text/allocate.h"

#include <stdlib.h>

static int by_address(const void *left, const void *right)
{
	const struct surveyed_pool *a = *(const struct surveyed_pool *const *)left;
	const struct surveyed_pool *b = *(const struct surveyed_pool *const *)right;
	return (a->first > b->first) - (a->first < b->first);
}

static const struct surveyed_pool **sorted_pools(const struct survey *survey)
{
	const struct surveyed_pool **pools = allocate(survey->pool_count, sizeof(void *));

	for (size_t i = 0; i < survey->pool_count; i++)
		pools[i] = &survey->pools[i];
	if (survey->pool_count)
		qsort(pools, survey->pool_count, sizeof(void *), by_address);
	return pools;
}

/* The same pool: it may have gone, and another may have come, between publication and survey. */
static bool is_same(const struct surveyed_pool *surveyed, const struct pool *pool)
{
	uint64_t live = (uint64_t)surveyed->live[0] + surveyed->live[1] + surveyed->live[2];

	return surveyed->state == PM_SURVEY_BLOCKS && surveyed->size_class == pool->size_class &&
	       surveyed->live_count == live;
}

static void find_age(struct map_span *span, const struct surveyed_pool **pools, size_t count)
{
	const struct surveyed_pool wanted = {.first = span->address}, *key = &wanted;
	const struct surveyed_pool **found = count ? bsearch(&key, pools, count, sizeof(void *),
							     by_address)
						   : NULL;

	if (found && is_same(*found, span->pool))
		span->surveyed = *found;
}

static bool is_mixed(const struct surveyed_pool *pool)
{
	return (pool->live[0] != 0) + (pool->live[1] != 0) + (pool->live[2] != 0) > 1;
}

static void count_age(struct map *map, const struct map_span *span)
{
	const struct surveyed_pool *surveyed = span->surveyed;
	uint32_t page_bytes = map->process->layout->page_bytes;

	map->knows_ages |= surveyed != NULL;
	if (!surveyed)
		map_pools_add(&map->ageless, span, page_bytes);
	else if (!surveyed->live_count)
		map_pools_add(&map->vacant, span, page_bytes);
	else
		map_pools_add(&map->aged[map_tenth_of(surveyed->live[2], surveyed->live_count)],
			      span, page_bytes);
	if (surveyed && is_mixed(surveyed))
		map_pools_add(&map->mixed, span, page_bytes);
}

void map_ages_make(struct map *map)
{
	const struct survey *survey = map->heap.survey ? map->heap.survey : map->process->survey;
	const struct surveyed_pool **pools = survey ? sorted_pools(survey) : NULL;

	for (size_t i = 0; survey && i < map->span_count; i++) {
		struct map_span *span = &map->spans[i];
		if (span->kind != MAP_POOL)
			continue;
		find_age(span, pools, survey->pool_count);
		count_age(map, span);
	}
	free(pools);
}
