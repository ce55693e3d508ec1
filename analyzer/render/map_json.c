/* SPDX-License-Identifier: MIT */
/* map_json.c: a map for machines: blocks, bytes and units. */
#include "render/json.h"
#include "render/map.h"

#include "study/classes.h"

#include <stdio.h>

static json_t *address_json(uint64_t address)
{
	char text[24];

	snprintf(text, sizeof text, "0x%llx", (unsigned long long)address);
	return json_string(text);
}

static const char *class_name(const struct map *map, uint32_t size_class, char ret[16])
{
	struct class_row row = class_row_of(&map->process->layout->classes[size_class]);

	snprintf(ret, 16, "%s", row.name);
	return ret;
}

static void put_pools(json_t *object, const struct map_pools *pools)
{
	json_put(object, "pools", json_count(pools->pools));
	json_put(object, "units", json_count(pools->units));
	json_put(object, "bytes", json_count(pools->bytes));
	json_put(object, "touched_bytes", json_count(pools->touched_bytes));
	json_put(object, "capacity", json_count(pools->room));
	json_put(object, "live", json_count(pools->live));
	json_put(object, "live_bytes", json_count(pools->live_bytes));
}

static json_t *pools_json(const struct map_pools *pools)
{
	json_t *object = json_object();

	put_pools(object, pools);
	return object;
}

static json_t *units_json(const struct map *map)
{
	json_t *object = json_object();

	for (int kind = 0; kind < MAP_KIND_COUNT; kind++)
		json_put(object, map_kind_keys[kind], json_count(map->units[kind]));
	return object;
}

static json_t *tenths_json(const struct map_pools tenths[MAP_TENTHS])
{
	json_t *array = json_array();

	for (unsigned tenth = 0; tenth < MAP_TENTHS; tenth++)
		json_array_append_new(array, pools_json(&tenths[tenth]));
	return array;
}

/* null: not noted. */
static json_t *ages_json(const struct map *map)
{
	json_t *object = json_object();

	if (!map->knows_ages) {
		json_decref(object);
		return json_null();
	}
	json_put(object, "old_tenths", tenths_json(map->aged));
	json_put(object, "none_live", pools_json(&map->vacant));
	json_put(object, "not_known", pools_json(&map->ageless));
	json_put(object, "mixed", pools_json(&map->mixed));
	return object;
}

static json_t *group_json(const struct map *map, const struct map_group *group)
{
	json_t *object = json_object();
	char name[16];

	if (map->by == MAP_BY_OWNER) {
		json_put(object, "slot", group->key ? json_count(group->key) : json_null());
		json_put(object, "tid", group->owner ? json_count(group->owner->tid) : json_null());
		json_put(object, "name",
			 group->owner && *group->owner->name ? json_text(group->owner->name)
							     : json_null());
	} else {
		json_put(object, "class", json_text(class_name(map, group->key, name)));
	}
	put_pools(object, &group->pools);
	return object;
}

static json_t *groups_json(const struct map *map)
{
	json_t *array = json_array();

	for (size_t i = 0; i < map->group_count; i++)
		json_array_append_new(array, group_json(map, &map->groups[i]));
	return array;
}

static json_t *generations_json(const struct surveyed_pool *surveyed)
{
	json_t *array = json_array();

	for (int generation = 0; generation < GENERATION_COUNT; generation++)
		json_array_append_new(array, json_count(surveyed->live[generation]));
	return array;
}

static void add_pool(json_t *row, const struct map *map, const struct pool *pool)
{
	char name[16];

	json_array_append_new(row, json_text(class_name(map, pool->size_class, name)));
	json_array_append_new(row, json_count(pool->live));
	json_array_append_new(row, json_count(pool->capacity));
	json_array_append_new(row, pool->owner ? json_count(pool->owner) : json_null());
}

/* What a part has that the kind does not say stands behind it: see poolmem-map(1). */
static json_t *span_json(const struct map *map, const struct map_span *span)
{
	json_t *row = json_array();

	json_array_append_new(row, json_count(span->units));
	json_array_append_new(row, json_text(map_kind_keys[span->kind]));
	if (span->kind == MAP_POOL)
		add_pool(row, map, span->pool);
	if (span->surveyed)
		json_array_append_new(row, generations_json(span->surveyed));
	if (span->kind == MAP_LARGE || span->kind == MAP_HUGE)
		json_array_append_new(row, json_count(span->is_continued ? 0 : span->bytes));
	return row;
}

static json_t *arena_json(const struct map *map, const struct map_arena *arena)
{
	json_t *object = json_object(), *spans = json_array();

	for (size_t i = 0; i < arena->count; i++)
		json_array_append_new(spans, span_json(map, &map->spans[arena->first + i]));
	json_put(object, "base", address_json(arena->base));
	json_put(object, "units", spans);
	return object;
}

static json_t *arenas_json(const struct map *map)
{
	json_t *array = json_array();

	for (size_t i = 0; i < map->shown_count; i++)
		json_array_append_new(array, arena_json(map, &map->arenas[i]));
	return array;
}

static json_t *map_object(const struct study *study, const struct process_study *process,
			  const struct map *map)
{
	json_t *object = json_object();

	json_put_process(object, study->recording, process->process);
	json_put(object, "notes", json_notes(&process->figures.notes));
	json_put(object, "unit_bytes", json_count(map->process->layout->unit_bytes));
	json_put(object, "basis", json_text(map->heap.survey ? "survey" : "map"));
	json_put(object, "at", map->heap.survey ? json_text(moment_key(map->moment)) : json_null());
	json_put(object, "published_epoch",
		 map->heap.survey ? json_null() : json_count(map->process->record.published_epoch));
	json_put(object, "epoch", json_count(map->process->record.epoch));
	json_put(object, "arena_count", json_count(map->arena_count));
	json_put(object, "inherited_arenas", json_count(map->inherited_count));
	json_put(object, "units", units_json(map));
	json_put(object, "pools", pools_json(&map->pools));
	json_put(object, "less_than_quarter", pools_json(&map->sparse));
	json_put(object, "tenths", tenths_json(map->tenth));
	json_put(object, "ages", ages_json(map));
	json_put(object, "large_blocks", json_count(map->large_blocks));
	json_put(object, "large_bytes", json_count(map->large_bytes));
	json_put(object, "huge_blocks", json_count(map->huge_blocks));
	json_put(object, "huge_bytes", json_count(map->huge_bytes));
	json_put(object, map->by == MAP_BY_OWNER ? "owners" : "classes", groups_json(map));
	json_put(object, "arenas", arenas_json(map));
	return object;
}

void map_json(const struct map_sheet *sheet, struct sink *sink)
{
	json_t *document = json_object(), *processes = json_array();

	json_common(document, &sheet->study->total.metrics, &sheet->study->total.notes);
	for (size_t i = 0; i < sheet->count; i++)
		json_array_append_new(
			processes, map_object(sheet->study, sheet->processes[i], &sheet->maps[i]));
	json_put(document, "processes", processes);
	json_print(document, sink);
}
