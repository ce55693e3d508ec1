/* SPDX-License-Identifier: MIT */
/* map.c: a map as text: a sign for each cell, on a terminal in colour. */
#include "render/map.h"

#include "render/glance.h"
#include "render/map_shades.h"
#include "render/tables.h"
#include "render/words.h"
#include "text/number.h"
#include "text/paragraph.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	INDENT = 2,
	COLUMNS_DEFAULT = 80,
	ROW_MAX = 40, /* where nobody sets the scale */
	CELLS_MIN = 8,
	ADDRESS_MIN = 12,
	BAR_COLUMNS = 8,
	OWNER_COLUMNS = 24
};

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof *(columns)

/* --- the picture ------------------------------------------------------------------------------------------- */

struct rows {
	uint64_t scale, count; /* of cells */
	unsigned columns;      /* cells in a row */
	int digits;            /* of an address */
	struct map_cell *cells;
};

static int digits_of(const struct map *map)
{
	int digits = ADDRESS_MIN;

	for (size_t i = 0; i < map->shown_count; i++)
		while (digits < 16 && map->arenas[i].base >> 4 * digits)
			digits++;
	return digits;
}

static struct rows rows_of(const struct map_sheet *sheet, const struct map *map,
			   const struct sink *sink)
{
	size_t width = sheet->columns ? sheet->columns : COLUMNS_DEFAULT;
	struct rows rows = {.columns = CELLS_MIN, .digits = digits_of(map)};
	size_t label = (size_t)rows.digits + 4;

	if (!sheet->columns && sink->columns && sink->columns < width)
		width = sink->columns;
	while (label + rows.columns * 2UL <= width)
		rows.columns *= 2;
	rows.scale = sheet->scale ? sheet->scale : map_scale(map, (uint64_t)rows.columns * ROW_MAX);
	rows.count = map_cell_count(map, rows.scale);
	rows.cells = map_cells(map, rows.scale);
	return rows;
}

static void put_cell(const struct map_look *look, bool is_hidden, struct sink *sink)
{
	if (look->back >= 0)
		sink_colour(sink, is_hidden ? look->back : look->ink, look->back);
	sink_bytes(sink, &look->sign, 1);
	if (look->back >= 0)
		sink_style(sink, STYLE_PLAIN);
}

/* Colour alone says how full a pool is: its sign would only disturb, and shows when it is copied. */
static void put_row(const struct map *map, const struct map_cell *cells, size_t count, int digits,
		    struct sink *sink)
{
	while (count && map_shade_of(map, &cells[count - 1]) == SHADE_UNMAPPED)
		count--;
	if (!count)
		return;
	sink_style(sink, STYLE_FAINT);
	sink_print(sink, "  %0*llx  ", digits, (unsigned long long)cells[0].address);
	sink_style(sink, STYLE_PLAIN);
	for (size_t i = 0; i < count; i++)
		put_cell(&map_looks[map_shade_of(map, &cells[i])], cells[i].kind == MAP_POOL, sink);
	sink_print(sink, "\n");
}

static void put_scale(const struct rows *rows, const struct map *map, struct sink *sink)
{
	uint64_t unit_bytes = map->process->layout->unit_bytes;
	char text[320];

	snprintf(text, sizeof text, "a sign is %s%s, a row %s; in front its address%s%s",
		 number_of(rows->scale, "unit").text, rows->scale == 1 ? "" : " together",
		 number_bytes(rows->scale * rows->columns * unit_bytes).text,
		 rows->scale == 1
			 ? ""
			 : "; it stands for what most of its units are, and for how full its "
			   "pools are on average",
		 map->is_shortened ? "; of a block mapped alone no more is drawn than an arena"
				   : "");
	table_legend(sink, text);
}

static void put_picture(const struct map_sheet *sheet, const struct map *map, struct sink *sink)
{
	struct rows rows = rows_of(sheet, map, sink);

	table_title(sink, "Map", 0, 0);
	put_scale(&rows, map, sink);
	for (uint64_t at = 0; at < rows.count; at += rows.columns) {
		uint64_t left = rows.count - at;
		put_row(map, &rows.cells[at], left < rows.columns ? left : rows.columns,
			rows.digits, sink);
	}
	free(rows.cells);
}

/* --- what the signs mean ------------------------------------------------------------------------------------ */

static void put_key(enum map_shade first, size_t count, struct sink *sink)
{
	for (size_t i = 0; i < count; i++)
		put_cell(&map_looks[first + i], false, sink);
}

/* In tables there is no colour, and in the picture pools show no sign. */
static void put_colours(const struct map *map, struct sink *sink)
{
	bool has_tenths = map->by == MAP_BY_OCCUPANCY || map->by == MAP_BY_AGE;
	size_t groups = map->group_count < MAP_GROUPS_SHOWN ? map->group_count
							    : MAP_GROUPS_SHOWN + 1;

	if (!sink->colour || !map->pools.pools)
		return;
	sink_print(sink, "  ");
	if (has_tenths)
		put_key(SHADE_TENTH, MAP_TENTHS, sink);
	else
		put_key(SHADE_GROUP, groups, sink);
	sink_print(sink, " pools, %s\n",
		   map->by == MAP_BY_OCCUPANCY ? "from empty to full"
		   : has_tenths                ? "from young to old"
					       : "see below");
}

static void cell_of_sign(struct table *table, enum map_shade shade)
{
	table_cell(table, (char[2]){map_looks[shade].sign, 0});
}

static void put_kind(struct table *table, const struct map *map, enum map_kind kind)
{
	uint64_t unit_bytes = map->process->layout->unit_bytes;
	const uint64_t live[MAP_KIND_COUNT] = {
		[MAP_POOL] = map->pools.live_bytes, [MAP_LARGE] = map->large_bytes, [MAP_HUGE] = map->huge_bytes};

	if (kind == MAP_POOL)
		table_cell(table, "");
	else
		cell_of_sign(table, map_shade_of_kind(kind));
	table_cell(table, map_kind_words(kind));
	table_cell(table, number_count(map->units[kind]).text);
	table_cell(table, kind == MAP_UNMAPPED
				  ? "-"
				  : number_share(map->units[kind], map->mapped_units).text);
	table_cell(table, number_bytes(map->units[kind] * unit_bytes).text);
	table_cell(table, kind <= MAP_HUGE ? number_bytes(live[kind]).text : "-");
}

static void put_kinds(const struct map *map, struct sink *sink)
{
	static const struct column columns[] = {
		{"sign", COLUMN_TEXT, 0},    {"what", COLUMN_TEXT, 0},
		{"units", COLUMN_NUMBER, 0}, {"share", COLUMN_NUMBER, 0},
		{"bytes", COLUMN_NUMBER, 0}, {"live", COLUMN_NUMBER, 0},
	};
	struct table table;

	table_title(sink, "What the units are", 0, 0);
	table_begin(&table, COLUMNS(columns));
	for (int kind = 0; kind < MAP_KIND_COUNT; kind++)
		if (map->units[kind])
			put_kind(&table, map, (enum map_kind)kind);
	table_end(&table, sink);
}

static void put_pools(struct table *table, const struct map_pools *pools)
{
	table_cell(table, number_count(pools->pools).text);
	table_cell(table, number_bytes(pools->bytes).text);
	table_cell(table, number_bytes(pools->touched_bytes).text);
	table_cell(table, number_bytes(pools->live_bytes).text);
}

static struct map_label tenth_words(unsigned tenth)
{
	struct map_label label;

	snprintf(label.text, sizeof label.text, "%u-%u %%", tenth * 10, tenth * 10 + 10);
	return label;
}

/* Of what pools hold. */
static const char *held_title(const struct map *map)
{
	return map->heap.survey ? "resident" : "written to";
}

static void put_tenths(const struct map *map, struct sink *sink)
{
	const struct column columns[] = {
		{"sign", COLUMN_TEXT, 0},
		{"full", COLUMN_NUMBER, 0},
		{"pools", COLUMN_NUMBER, 0},
		{"mapped", COLUMN_NUMBER, 0},
		{held_title(map), COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
	};
	const bool has_sign = map->by == MAP_BY_OCCUPANCY;
	struct table table;

	table_title(sink, "How full pools are", 0, 0);
	table_begin(&table, columns + !has_sign, sizeof columns / sizeof *columns - !has_sign);
	for (unsigned tenth = 0; tenth < MAP_TENTHS; tenth++) {
		if (has_sign)
			cell_of_sign(&table, (enum map_shade)(SHADE_TENTH + tenth));
		table_cell(&table, tenth_words(tenth).text);
		put_pools(&table, &map->tenth[tenth]);
		table_cell(&table, number_share(map->tenth[tenth].pools, map->pools.pools).text);
		table_cell_of_part(&table, (double)map->tenth[tenth].pools,
				   (double)map->pools.pools, BAR_COLUMNS);
	}
	table_end(&table, sink);
}

static void put_group(struct table *table, const struct map_pools *pools)
{
	put_pools(table, pools);
	table_cell(table, number_share(pools->live_bytes, pools->room_bytes).text);
}

static void put_groups(const struct map *map, struct sink *sink)
{
	const bool is_class = map->by == MAP_BY_CLASS;
	const struct column columns[] = {
		{"sign", COLUMN_TEXT, 0},
		{is_class ? "block" : "owner", is_class ? COLUMN_NUMBER : COLUMN_TEXT, OWNER_COLUMNS},
		{"pools", COLUMN_NUMBER, 0},
		{"mapped", COLUMN_NUMBER, 0},
		{held_title(map), COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},
		{"full", COLUMN_NUMBER, 0},
	};
	struct table table;

	if (map->by == MAP_BY_OCCUPANCY || map->by == MAP_BY_AGE || !map->group_count)
		return;
	table_title(sink, is_class ? "Size classes" : "Owners: threads that allocate from a pool",
		    0, 0);
	table_begin(&table, COLUMNS(columns));
	for (size_t i = 0; i < map->group_count && i < MAP_GROUPS_SHOWN; i++) {
		const struct map_group *group = &map->groups[i];
		cell_of_sign(&table, (enum map_shade)(SHADE_GROUP + i));
		table_cell(&table, is_class ? map_class_words(map, group->key).text
					    : map_owner_words(group->owner).text);
		put_group(&table, &group->pools);
	}
	if (map->others.pools) {
		cell_of_sign(&table, SHADE_GROUP + MAP_GROUPS_SHOWN);
		table_cell(&table, "others");
		put_group(&table, &map->others);
	}
	table_end(&table, sink);
}

static void put_age(struct table *table, enum map_shade shade, const char *share,
		    const struct map *map, const struct map_pools *pools)
{
	cell_of_sign(table, shade);
	table_cell(table, share);
	put_pools(table, pools);
	table_cell(table, number_share(pools->pools, map->pools.pools).text);
	table_cell_of_part(table, (double)pools->pools, (double)map->pools.pools, BAR_COLUMNS);
}

static void put_ages(const struct map *map, struct sink *sink)
{
	const struct column columns[] = {
		{"sign", COLUMN_TEXT, 0},
		{"old", COLUMN_NUMBER, 0},
		{"pools", COLUMN_NUMBER, 0},
		{"mapped", COLUMN_NUMBER, 0},
		{held_title(map), COLUMN_NUMBER, 0},
		{"live", COLUMN_NUMBER, 0},
		{"share", COLUMN_NUMBER, 0},
		{"", COLUMN_TEXT, 0},
	};
	struct table table;

	if (map->by != MAP_BY_AGE)
		return;
	table_title(sink, "How old live blocks of pools are", 0, 0);
	table_legend(sink, "old: of a pool's live blocks those of generation 2; -: none lives");
	table_begin(&table, COLUMNS(columns));
	for (unsigned tenth = 0; tenth < MAP_TENTHS; tenth++)
		put_age(&table, (enum map_shade)(SHADE_TENTH + tenth), tenth_words(tenth).text, map,
			&map->aged[tenth]);
	put_age(&table, SHADE_VACANT, "-", map, &map->vacant);
	if (map->ageless.pools)
		put_age(&table, SHADE_UNKNOWN, "not known", map, &map->ageless);
	table_end(&table, sink);
}

/* --- the whole ---------------------------------------------------------------------------------------------- */

/* Without a survey: how old the pools are. */
static void say_publication(const struct map_sheet *sheet, size_t i, struct sink *sink)
{
	if (sheet->maps[i].heap.survey)
		return;
	struct publication publication = publication_of(sheet->study->recording,
							sheet->processes[i]);
	words_publication(&publication, sheet->processes[i]->process->state == STATE_RUNNING, sink);
}

static void put_map(const struct map_sheet *sheet, size_t i, struct sink *sink)
{
	const struct map *map = &sheet->maps[i];

	sink_print(sink, "\n");
	say_publication(sheet, i, sink);
	map_words(map, sink);
	if (map->shown_count)
		put_picture(sheet, map, sink);
	put_colours(map, sink);
	put_kinds(map, sink);
	put_groups(map, sink);
	put_ages(map, sink);
	if (map->pools.pools)
		put_tenths(map, sink);
}

static void say_which(const struct map_sheet *sheet, struct sink *sink)
{
	if (sheet->count >= sheet->known_count)
		return;
	sink_print(sink, "\n");
	paragraph_begin(sink, INDENT);
	sink_print(sink,
		   "  %zu of %zu processes that have a map: --all shows all, --filter REGEX those "
		   "whose program or arguments match.\n",
		   sheet->count, sheet->known_count);
}

void map_text(const struct map_sheet *sheet, struct sink *sink)
{
	const struct study *study = sheet->study;

	glance_heading(study, sink);
	say_which(sheet, sink);
	for (size_t i = 0; i < sheet->count; i++) {
		if (study->process_count > 1) {
			sink_print(sink, "\n");
			glance_heading_of(study, sheet->processes[i], sink);
		}
		put_map(sheet, i, sink);
	}
	words_notes(&study->total.notes, sink);
}
