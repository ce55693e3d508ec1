/* SPDX-License-Identifier: MIT */
/* map_words.c: what a map says, in sentences. */
#include "render/map.h"
#include "render/map_shades.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>

static void say_units(const struct map *map, struct sink *sink)
{
	uint64_t unit_bytes = map->process->layout->unit_bytes;
	const char *between = ":";

	paragraph_begin_indented(sink);
	sink_print(sink, "%s of %s %s mapped", number_of(map->mapped_units, "unit").text,
		   number_bytes(unit_bytes).text, map->mapped_units == 1 ? "is" : "are");
	for (int kind = 0; kind < MAP_UNMAPPED; kind++) {
		if (!map->units[kind])
			continue;
		sink_print(sink, "%s %s %s", between,
			   number_share(map->units[kind], map->mapped_units).text,
			   map_kind_words((enum map_kind)kind));
		between = ";";
	}
	sink_print(sink, ".\n");
}

struct map_label map_sparse_words(const struct map *map)
{
	const struct map_pools *sparse = &map->sparse;
	bool is_one = sparse->pools == 1;
	struct map_label label, some = {"All of them are"};

	if (!sparse->pools && map->pools.pools == 1)
		return (struct map_label){"It is at least a quarter full."};
	if (!sparse->pools)
		return (struct map_label){"None of them is less than a quarter full."};
	if (map->pools.pools == 1)
		some = (struct map_label){"It is"};
	else if (sparse->pools < map->pools.pools)
		snprintf(some.text, sizeof some.text, "%s of them, %s, %s",
			 number_count(sparse->pools).text,
			 number_share(sparse->pools, map->pools.pools).text, is_one ? "is" : "are");
	snprintf(label.text, sizeof label.text,
		 "%.160s less than a quarter full and hold%s %s for %s of live blocks.", some.text,
		 is_one ? "s" : "", number_bytes(sparse->touched_bytes).text,
		 number_bytes(sparse->live_bytes).text);
	return label;
}

struct map_label map_pools_words(const struct map *map)
{
	const struct map_pools *pools = &map->pools;
	struct map_label label;

	if (pools->pools)
		snprintf(label.text, sizeof label.text,
			 "%s%s %s %s full: %s of live blocks where there is room for %s.",
			 number_of(pools->pools, "pool").text,
			 map->is_filtered ? " that the filter wants" : "",
			 pools->pools == 1 ? "is" : "are",
			 number_share(pools->live_bytes, pools->room_bytes).text,
			 number_bytes(pools->live_bytes).text, number_bytes(pools->room_bytes).text);
	else
		snprintf(label.text, sizeof label.text, "There are no pools%s.",
			 map->is_filtered ? " that the filter wants" : "");
	return label;
}

static void say_pools(const struct map *map, struct sink *sink)
{
	paragraph_begin_indented(sink);
	sink_print(sink, "%s", map_pools_words(map).text);
	if (map->pools.pools)
		sink_print(sink, " %s", map_sparse_words(map).text);
	sink_print(sink, "\n");
}

const char *map_moment_words(const struct map *map)
{
	switch (map->moment) {
	case MOMENT_PEAK: return "As surveyed when about most was resident.";
	case MOMENT_LIVE_PEAK: return "As surveyed when about most was live.";
	default:
		return map->process->state == STATE_RUNNING ? "As surveyed just now."
							    : "As surveyed at the end.";
	}
}

static void say_moment(const struct map *map, struct sink *sink)
{
	if (!map->heap.survey)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "%s What pools hold is what was resident then.\n", map_moment_words(map));
}

static void say_ages(const struct map *map, struct sink *sink)
{
	if (!map->knows_ages)
		return;
	paragraph_begin_indented(sink);
	sink_print(sink, "%s %s live blocks of several generations, %s of live blocks.\n",
		   number_of(map->mixed.pools, "pool").text, map->mixed.pools == 1 ? "has" : "have",
		   number_bytes(map->mixed.live_bytes).text);
}

static void say_left_out(const struct map *map, struct sink *sink)
{
	if (map->inherited_count) {
		paragraph_begin_indented(sink);
		sink_print(sink,
			   "%s that it has from its parent since the fork %s left out; --inherited "
			   "shows them.\n",
			   number_of(map->inherited_count, "arena").text,
			   map->inherited_count == 1 ? "is" : "are");
	}
	if (map->shown_count < map->arena_count) {
		paragraph_begin_indented(sink);
		sink_print(sink, "Shown are %s of %s; the figures are of all.\n",
			   number_count(map->shown_count).text,
			   number_of(map->arena_count, "arena").text);
	}
}

void map_words(const struct map *map, struct sink *sink)
{
	say_units(map, sink);
	say_pools(map, sink);
	say_ages(map, sink);
	say_moment(map, sink);
	say_left_out(map, sink);
}
