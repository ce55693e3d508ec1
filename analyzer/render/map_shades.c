/* SPDX-License-Identifier: MIT */
/*
  * map_shades.c: see map_shades.h.  Pools go from red (all but empty, or young) over yellow to blue (full, or old):
 * told apart by those who see few colours, too.
 */
#include "render/map_shades.h"

#include "study/classes.h"
#include "text/number.h"

#include <stdio.h>

const struct map_look map_looks[SHADE_COUNT] = {
	[SHADE_TENTH] = {'.', 231, 124, 0xa50026, 0xb3123a},
	[SHADE_TENTH + 1] = {',', 231, 160, 0xd73027, 0xd73027},
	[SHADE_TENTH + 2] = {':', 16, 209, 0xf46d43, 0xf46d43},
	[SHADE_TENTH + 3] = {'-', 16, 215, 0xfdae61, 0xfdae61},
	[SHADE_TENTH + 4] = {'=', 16, 222, 0xfddc7a, 0xfee090},
	[SHADE_TENTH + 5] = {'+', 16, 195, 0xc7e8f0, 0xd6eef5},
	[SHADE_TENTH + 6] = {'*', 16, 153, 0xa3d3e6, 0xabd9e9},
	[SHADE_TENTH + 7] = {'#', 16, 110, 0x74add1, 0x74add1},
	[SHADE_TENTH + 8] = {'%', 231, 67, 0x4575b4, 0x4f80c0},
	[SHADE_TENTH + 9] = {'@', 231, 25, 0x313695, 0x3d53b5},
	[SHADE_GROUP] = {'a', 16, 214, 0xe69f00, 0xe69f00},
	[SHADE_GROUP + 1] = {'b', 16, 74, 0x56b4e9, 0x56b4e9},
	[SHADE_GROUP + 2] = {'c', 231, 29, 0x009e73, 0x009e73},
	[SHADE_GROUP + 3] = {'d', 16, 227, 0xeadb2c, 0xf0e442},
	[SHADE_GROUP + 4] = {'e', 231, 25, 0x0072b2, 0x1a84c4},
	[SHADE_GROUP + 5] = {'f', 231, 166, 0xd55e00, 0xd55e00},
	[SHADE_GROUP + 6] = {'g', 16, 175, 0xcc79a7, 0xcc79a7},
	[SHADE_GROUP + 7] = {'h', 231, 94, 0x80522d, 0xa5774f},
	[SHADE_GROUP + 8] = {'x', 231, 240, 0x566666, 0x839696},
	[SHADE_VACANT] = {'o', -1, -1, 0xd3dccb, 0x4b5645},
	[SHADE_LARGE] = {'L', 231, 97, 0x9673c4, 0x8a63c0},
	[SHADE_HUGE] = {'H', 231, 54, 0x5a2f8f, 0xb99be0},
	[SHADE_FILTERED] = {'/', -1, -1, 0xd9d2c5, 0x46433d},
	[SHADE_DIRTY] = {'~', 16, 245, 0xa9adb3, 0x6b717a},
	[SHADE_CLEAN] = {'_', -1, -1, 0xe7e9ec, 0x2c3138},
	[SHADE_UNKNOWN] = {'?', -1, -1, 0x000000, 0xffffff},
	[SHADE_UNMAPPED] = {' ', -1, -1, 0xffffff, 0x16181c},
};

enum map_shade map_shade_of_kind(enum map_kind kind)
{
	static const enum map_shade shades[MAP_KIND_COUNT] = {
		[MAP_LARGE] = SHADE_LARGE,       [MAP_HUGE] = SHADE_HUGE,
		[MAP_FILTERED] = SHADE_FILTERED, [MAP_DIRTY] = SHADE_DIRTY,
		[MAP_CLEAN] = SHADE_CLEAN,       [MAP_UNKNOWN] = SHADE_UNKNOWN,
		[MAP_UNMAPPED] = SHADE_UNMAPPED,
	};
	return shades[kind];
}

enum map_shade map_shade_of(const struct map *map, const struct map_cell *cell)
{
	if (cell->kind != MAP_POOL)
		return map_shade_of_kind(cell->kind);
	if (map->by == MAP_BY_OCCUPANCY)
		return (enum map_shade)(SHADE_TENTH + cell->tenth);
	if (map->by != MAP_BY_AGE)
		return (enum map_shade)(SHADE_GROUP + cell->group);
	if (cell->aged > 0)
		return (enum map_shade)(SHADE_TENTH + cell->old_tenth);
	return cell->live > 0 ? SHADE_UNKNOWN : SHADE_VACANT;
}

const char *map_kind_words(enum map_kind kind)
{
	static const char *const words[MAP_KIND_COUNT] = {
		[MAP_POOL] = "pools",
		[MAP_LARGE] = "large blocks",
		[MAP_HUGE] = "blocks mapped alone",
		[MAP_FILTERED] = "in use, filtered out",
		[MAP_DIRTY] = "free, written to",
		[MAP_CLEAN] = "free, clean",
		[MAP_UNKNOWN] = "in use, not described",
		[MAP_UNMAPPED] = "not mapped",
	};
	return words[kind];
}

struct map_label map_class_words(const struct map *map, uint32_t size_class)
{
	const struct pm_class *record = &map->process->layout->classes[size_class];
	struct map_label label = {"malloc(0)"};

	if (record->request_max)
		snprintf(label.text, sizeof label.text, "%s",
			 number_count(record->block_bytes).text);
	return label;
}

struct map_label map_owner_words(const struct slot *owner)
{
	struct map_label label = {"-"};

	if (owner && *owner->name)
		snprintf(label.text, sizeof label.text, "%s (%u)", owner->name, owner->tid);
	else if (owner)
		snprintf(label.text, sizeof label.text, "%u", owner->tid);
	return label;
}

struct map_label map_group_words(const struct map *map, const struct map_group *group)
{
	struct map_label label;

	if (map->by == MAP_BY_OWNER && !group->owner)
		return (struct map_label){"no thread known"};
	if (map->by == MAP_BY_OWNER)
		snprintf(label.text, sizeof label.text, "thread %.80s",
			 map_owner_words(group->owner).text);
	else
		snprintf(label.text, sizeof label.text, "%.40s%s",
			 map_class_words(map, group->key).text,
			 map->process->layout->classes[group->key].request_max ? " bytes" : "");
	return label;
}

static size_t add_pools(const char *words, enum map_shade shade, const struct map_pools *pools,
			struct map_entry *ret)
{
	if (!pools->pools)
		return 0;
	ret->shade = shade;
	snprintf(ret->label.text, sizeof ret->label.text, "%s: %s", words,
		 number_bytes(pools->bytes).text);
	return 1;
}

size_t map_entries(const struct map *map, struct map_entry ret[MAP_ENTRIES_MAX])
{
	uint64_t unit_bytes = map->process->layout->unit_bytes;
	size_t count = 0;

	if (map->by == MAP_BY_AGE) {
		count += add_pools("pools without a live block", SHADE_VACANT, &map->vacant, ret);
		count += add_pools("pools of unknown age", SHADE_UNKNOWN, &map->ageless,
				   ret + count);
	}
	for (int kind = MAP_LARGE; kind < MAP_UNMAPPED; kind++) {
		if (!map->units[kind])
			continue;
		struct map_entry *entry = &ret[count++];
		entry->shade = map_shade_of_kind((enum map_kind)kind);
		snprintf(entry->label.text, sizeof entry->label.text, "%s: %s, %s",
			 map_kind_words((enum map_kind)kind),
			 number_bytes(map->units[kind] * unit_bytes).text,
			 number_share(map->units[kind], map->mapped_units).text);
	}
	return count;
}
