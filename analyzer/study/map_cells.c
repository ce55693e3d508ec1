/* SPDX-License-Identifier: MIT */
/* map_cells.c: units of a map merged into cells, so that a picture has room for all of them. */
#include "study/map.h"
#include "text/allocate.h"

uint64_t map_cell_count(const struct map *map, uint64_t scale)
{
	uint64_t units = 0;

	for (size_t i = 0; i < map->shown_count; i++)
		units += map->arenas[i].drawn;
	return units / scale + (units % scale != 0);
}

uint64_t map_scale(const struct map *map, uint64_t cell_max)
{
	uint64_t scale = 1;

	while (map_cell_count(map, scale) > cell_max)
		scale *= 2;
	return scale;
}

/* Of the pools in the span as large a share as its units are. */
static void add_part(struct map_cell *cell, const struct map_span *span, uint64_t units)
{
	cell->units[span->kind] += units;
	if (span->kind != MAP_POOL)
		return;
	double share = (double)units / (double)span->drawn;
	cell->live += share * (double)span->live_bytes;
	cell->room += share * (double)span->room_bytes;
	if (span->surveyed && span->surveyed->live_count) {
		double old = (double)span->surveyed->live[2] / (double)span->surveyed->live_count;
		cell->aged += share * (double)span->live_bytes;
		cell->old += share * old * (double)span->live_bytes;
	}
	cell->group_units[span->group < MAP_GROUPS_SHOWN ? span->group : MAP_GROUPS_SHOWN] += units;
}

static unsigned tenth_of(double part, double whole)
{
	double tenth = whole > 0 ? part * MAP_TENTHS / whole : 0;

	return tenth < MAP_TENTHS ? (unsigned)tenth : MAP_TENTHS - 1;
}

static void sum_up(struct map_cell *cell)
{
	for (int kind = 1; kind < MAP_KIND_COUNT; kind++)
		if (cell->units[kind] > cell->units[cell->kind])
			cell->kind = (enum map_kind)kind;
	for (size_t group = 1; group <= MAP_GROUPS_SHOWN; group++)
		if (cell->group_units[group] > cell->group_units[cell->group])
			cell->group = group;
	cell->tenth = tenth_of(cell->live, cell->room);
	cell->old_tenth = tenth_of(cell->old, cell->aged);
}

/* Lays a span behind the units that are there already; returns how many there are then. */
static uint64_t lay(const struct map_span *span, uint64_t at, uint64_t scale, uint64_t unit_bytes,
		    struct map_cell *cells)
{
	for (uint64_t done = 0, part; done < span->drawn; done += part, at += part) {
		struct map_cell *cell = &cells[at / scale];
		uint64_t room = scale - at % scale, left = span->drawn - done;
		bool is_first = room == scale;
		part = left < room ? left : room;
		if (is_first)
			cell->address = span->address + done * unit_bytes;
		cell->span = is_first ? span : NULL;
		add_part(cell, span, part);
	}
	return at;
}

struct map_cell *map_cells(const struct map *map, uint64_t scale)
{
	uint64_t count = map_cell_count(map, scale), at = 0;
	struct map_cell *cells = allocate(count, sizeof *cells);

	for (size_t a = 0; a < map->shown_count; a++)
		for (size_t s = 0; s < map->arenas[a].count; s++)
			at = lay(&map->spans[map->arenas[a].first + s], at, scale,
				 map->process->layout->unit_bytes, cells);
	for (uint64_t i = 0; i < count; i++)
		sum_up(&cells[i]);
	return cells;
}
