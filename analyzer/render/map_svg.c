/* SPDX-License-Identifier: MIT */
/* map_svg.c: a map as a picture that needs nothing else and says of each cell what it is. */
#include "render/command.h"
#include "render/map.h"
#include "render/map_picture.h"
#include "render/map_shades.h"
#include "render/words.h"
#include "render/xml.h"
#include "text/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	LEFT = 130,
	RIGHT = 20,
	WIDTH = LEFT + MAP_PICTURE_WIDTH + RIGHT,
	HEADING = 110,   /* above the cells of a map */
	LABEL_STEP = 16, /* between two addresses, at least */
	LEGEND_STEP = 22,
	LEGEND_COLUMNS = 2, /* the longest name of a thread, escaped, with its figures */
	LEGEND_WIDTH = MAP_PICTURE_WIDTH / LEGEND_COLUMNS,
	SWATCH = 14,
	TENTH_WIDTH = 60,
	LEGEND_GAP = 14, /* above the legend */
	GAP = 24,        /* below each map */
	TEXT_COLUMNS = 120,
	LEGEND_TEXT_COLUMNS = 68, /* of letters 7 pixels wide */
	WORDS_BYTES = 512
};

/* --- what the mouse brings up -------------------------------------------------------------------------------- */

/* Every word of a picture goes through the escaper, our own too: "<0.1 %". */
static void put_words(struct sink *sink, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_words(struct sink *sink, const char *format, ...)
{
	char text[WORDS_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	xml_put(text, 0, sink);
}

static void put_cut(struct sink *sink, const char *style, unsigned x, uint64_t y, const char *text,
		    size_t column_max)
{
	sink_print(sink, "<text class=\"%s\" x=\"%u\" y=\"%llu\">", style, x, (unsigned long long)y);
	xml_put(text, column_max, sink);
	sink_print(sink, "</text>\n");
}

static void put_text(struct sink *sink, const char *style, unsigned x, uint64_t y, const char *text)
{
	put_cut(sink, style, x, y, text, TEXT_COLUMNS);
}

static void put_pool_tip(const struct map *map, const struct map_span *span, struct sink *sink)
{
	const struct pool *pool = span->pool;

	put_words(sink, "pool of %s%s, %s of %s live (%s), %s of %s",
		  map_class_words(map, pool->size_class).text,
		  map->process->layout->classes[pool->size_class].request_max ? "-byte blocks" : "",
		  number_count(pool->live).text, number_count(pool->capacity).text,
		  number_share(pool->live, pool->capacity).text,
		  number_bytes(span->live_bytes).text, number_bytes(span->bytes).text);
	if (span->surveyed)
		put_words(sink, "; %s, %s, %s of generation 0, 1, 2",
			  number_count(span->surveyed->live[0]).text,
			  number_count(span->surveyed->live[1]).text,
			  number_count(span->surveyed->live[2]).text);
	if (span->owner)
		put_words(sink, "; thread %s", map_owner_words(span->owner).text);
}

static void put_span_tip(const struct map *map, const struct map_span *span, struct sink *sink)
{
	if (span->kind == MAP_POOL)
		put_pool_tip(map, span, sink);
	else if (span->kind == MAP_LARGE || span->kind == MAP_HUGE)
		put_words(sink, "%s of %s",
			  span->kind == MAP_LARGE ? "large block" : "block mapped alone,",
			  number_bytes(span->bytes).text);
	else
		put_words(sink, "%s, %s", map_kind_words(span->kind),
			  number_of(span->units, "unit").text);
}

static void put_merged_tip(const struct map *map, const struct map_cell *cell, struct sink *sink)
{
	const char *between = "";

	for (int kind = 0; kind < MAP_KIND_COUNT; kind++) {
		if (!cell->units[kind])
			continue;
		put_words(sink, "%s%s (%s", between, map_kind_words((enum map_kind)kind),
			  number_of(cell->units[kind], "unit").text);
		if (kind == MAP_POOL)
			put_words(sink, ", %.0f %% full, %s live",
				  cell->room > 0 ? 100 * cell->live / cell->room : 0,
				  number_bytes((uint64_t)cell->live).text);
		put_words(sink, ")");
		between = ", ";
	}
	if (cell->units[MAP_POOL] && cell->group < MAP_GROUPS_SHOWN)
		put_words(sink, "; mostly %s", map_group_words(map, &map->groups[cell->group]).text);
}

static void put_tip(const struct map *map, const struct map_cell *cell, struct sink *sink)
{
	sink_print(sink, "<title>0x%llx: ", (unsigned long long)cell->address);
	if (cell->span)
		put_span_tip(map, cell->span, sink);
	else
		put_merged_tip(map, cell, sink);
	sink_print(sink, "</title>");
}

/* --- cells --------------------------------------------------------------------------------------------------- */

/* Cells in a row that are parts of one thing are one. */
static uint64_t length_of(const struct map_picture *picture, const struct map_cell *cells,
			  uint64_t first)
{
	const struct map_span *span = cells[first].span;
	uint64_t end = first - first % picture->columns + picture->columns;
	uint64_t at = first + 1;

	while (span && at < end && at < picture->count && cells[at].span == span)
		at++;
	return at - first;
}

static void put_cell(const struct map_picture *picture, const struct map_cell *cell, uint64_t at,
		     uint64_t length, unsigned top, struct sink *sink)
{
	enum map_shade shade = map_shade_of(picture->map, cell);
	double gap = picture->side > 4 ? 1 : 0.5;

	if (shade == SHADE_UNMAPPED)
		return;
	sink_print(sink, "<rect class=\"s%d\" x=\"%llu\" y=\"%llu\" width=\"%g\" height=\"%g\">",
		   shade, LEFT + (unsigned long long)(at % picture->columns * picture->side),
		   top + (unsigned long long)(at / picture->columns * picture->side),
		   (double)(length * picture->side) - gap, picture->side - gap);
	put_tip(picture->map, cell, sink);
	sink_print(sink, "</rect>\n");
}

static void put_cells(const struct map_picture *picture, const struct map_cell *cells, unsigned top,
		      struct sink *sink)
{
	for (uint64_t at = 0, length; at < picture->count; at += length) {
		length = length_of(picture, cells, at);
		put_cell(picture, &cells[at], at, length, top, sink);
	}
}

static void put_addresses(const struct map_picture *picture, const struct map_cell *cells,
			  unsigned top, struct sink *sink)
{
	uint64_t step = LABEL_STEP / picture->side;

	for (uint64_t row = 0; row < picture->rows; row += step)
		sink_print(sink,
			   "<text class=\"soft code\" x=\"%d\" y=\"%llu\" text-anchor=\"end\">"
			   "%llx</text>\n",
			   LEFT - 8, top + (unsigned long long)(row * picture->side) + 12,
			   (unsigned long long)cells[row * picture->columns].address);
}

/* --- legend ---------------------------------------------------------------------------------------------------*/

static void put_swatch(enum map_shade shade, unsigned x, unsigned y, unsigned width,
		       struct sink *sink)
{
	sink_print(sink, "<rect class=\"s%d\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\"/>\n",
		   shade, x, y, width, SWATCH);
}

static bool has_tenths(const struct map *map)
{
	return map->by == MAP_BY_OCCUPANCY || map->by == MAP_BY_AGE;
}

static void put_tenths(const struct map *map, unsigned top, struct sink *sink)
{
	bool is_age = map->by == MAP_BY_AGE;
	const struct map_pools *tenths = is_age ? map->aged : map->tenth;
	const char *word = is_age ? "old" : "full";
	for (unsigned tenth = 0; tenth < MAP_TENTHS; tenth++) {
		unsigned x = LEFT + tenth * TENTH_WIDTH;
		put_swatch((enum map_shade)(SHADE_TENTH + tenth), x, top, TENTH_WIDTH - 2, sink);
		put_text(sink, "soft", x, top + SWATCH + 13, number_count(tenths[tenth].pools).text);
	}
	sink_print(sink,
		   "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">0 %% %s</text>\n"
		   "<text x=\"%d\" y=\"%u\">100 %% %s; below: how many pools</text>\n",
		   LEFT - 8, top + 12, word, LEFT + MAP_TENTHS * TENTH_WIDTH + 4, top + 12, word);
}

struct place {
	unsigned x, y;
};

static struct place place_of(size_t index, unsigned top)
{
	return (struct place){LEFT + (unsigned)(index % LEGEND_COLUMNS) * LEGEND_WIDTH,
			      top + (unsigned)(index / LEGEND_COLUMNS) * LEGEND_STEP};
}

static unsigned entries_height(size_t count)
{
	return (unsigned)((count + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS) * LEGEND_STEP + 8;
}

static void put_group(enum map_shade shade, const char *name, const struct map_pools *pools,
		      struct place place, struct sink *sink)
{
	char text[WORDS_BYTES];

	put_swatch(shade, place.x, place.y, SWATCH, sink);
	snprintf(text, sizeof text, "%s: %s, %s full", name, number_bytes(pools->bytes).text,
		 number_share(pools->live_bytes, pools->room_bytes).text);
	put_cut(sink, "", place.x + SWATCH + 6, place.y + 12, text, LEGEND_TEXT_COLUMNS);
}

static size_t groups_shown(const struct map *map)
{
	return map->group_count < MAP_GROUPS_SHOWN ? map->group_count : MAP_GROUPS_SHOWN;
}

static void put_groups(const struct map *map, unsigned top, struct sink *sink)
{
	size_t shown = groups_shown(map);

	for (size_t i = 0; i < shown; i++)
		put_group((enum map_shade)(SHADE_GROUP + i),
			  map_group_words(map, &map->groups[i]).text, &map->groups[i].pools,
			  place_of(i, top), sink);
	if (map->others.pools)
		put_group((enum map_shade)(SHADE_GROUP + MAP_GROUPS_SHOWN), "others", &map->others,
			  place_of(shown, top), sink);
}

static unsigned key_height(const struct map *map)
{
	if (has_tenths(map))
		return map->pools.pools ? SWATCH + 30 : 0;
	return entries_height(groups_shown(map) + (map->others.pools != 0));
}

static unsigned kinds_height(const struct map *map)
{
	struct map_entry entries[MAP_ENTRIES_MAX];

	return entries_height(map_entries(map, entries));
}

static void put_kinds(const struct map *map, unsigned top, struct sink *sink)
{
	struct map_entry entries[MAP_ENTRIES_MAX];
	size_t count = map_entries(map, entries);

	for (size_t i = 0; i < count; i++) {
		struct place place = place_of(i, top);
		put_swatch(entries[i].shade, place.x, place.y, SWATCH, sink);
		put_cut(sink, "", place.x + SWATCH + 6, place.y + 12, entries[i].label.text,
			LEGEND_TEXT_COLUMNS);
	}
}

/* --- a map --------------------------------------------------------------------------------------------------- */

static void put_scale(const struct map_picture *picture, struct sink *sink)
{
	const struct pm_process *record = &picture->map->process->record;
	uint64_t unit_bytes = picture->map->process->layout->unit_bytes;

	put_words(sink, "pid %u, %s. A cell is %s (%s), a row %s.", record->pid,
		  words_state(picture->map->process).text, number_of(picture->scale, "unit").text,
		  number_bytes(picture->scale * unit_bytes).text,
		  number_bytes(picture->scale * picture->columns * unit_bytes).text);
	if (picture->map->heap.survey)
		put_words(sink, " %s", map_moment_words(picture->map));
	else if (record->state != PM_STATE_EXITED)
		put_words(sink, " As published last: epoch %llu of %llu.",
			  (unsigned long long)record->published_epoch,
			  (unsigned long long)record->epoch);
}

static void put_heading(const struct map_sheet *sheet, const struct map_picture *picture,
			unsigned top, struct sink *sink)
{
	const struct map *map = picture->map;
	char *command = command_of(sheet->study, map->process);

	put_text(sink, "title", LEFT, top + 30, command);
	sink_print(sink, "<text class=\"soft\" x=\"%d\" y=\"%u\">", LEFT, top + 52);
	put_scale(picture, sink);
	sink_print(sink, "</text>\n");
	put_text(sink, "", LEFT, top + 74, map_pools_words(map).text);
	if (map->pools.pools)
		put_text(sink, "", LEFT, top + 94, map_sparse_words(map).text);
	free(command);
}

static unsigned cells_height(const struct map_picture *picture)
{
	return (unsigned)picture->rows * picture->side + LEGEND_GAP;
}

static unsigned map_height(const struct map_picture *picture)
{
	return HEADING + cells_height(picture) + key_height(picture->map) +
	       kinds_height(picture->map) + GAP;
}

static void put_map(const struct map_sheet *sheet, const struct map_picture *picture, unsigned top,
		    struct sink *sink)
{
	const struct map *map = picture->map;
	struct map_cell *cells = map_cells(map, picture->scale);

	put_heading(sheet, picture, top, sink);
	put_addresses(picture, cells, top + HEADING, sink);
	put_cells(picture, cells, top + HEADING, sink);
	top += HEADING + cells_height(picture);
	if (!has_tenths(map))
		put_groups(map, top, sink);
	else if (map->pools.pools)
		put_tenths(map, top, sink);
	put_kinds(map, top + key_height(map), sink);
	free(cells);
}

/* --- the whole ------------------------------------------------------------------------------------------------*/

static void put_shades(bool is_dark, struct sink *sink)
{
	for (int shade = 0; shade < SHADE_COUNT; shade++)
		sink_print(sink, ".s%d { fill: #%06x }%s", shade,
			   is_dark ? map_looks[shade].dark : map_looks[shade].light,
			   shade % 4 == 3 || shade + 1 == SHADE_COUNT ? "\n" : " ");
}

static void put_style(struct sink *sink)
{
	sink_print(sink, "<style>\n"
			 "text { font: 13px sans-serif; fill: #1a1a1a }\n"
			 ".title { font-size: 16px }\n"
			 ".soft { fill: #666 }\n"
			 ".code { font: 11px monospace }\n"
			 ".page { fill: #fff }\n"
			 "rect:hover { stroke: #000; stroke-width: 1.5 }\n");
	put_shades(false, sink);
	sink_print(sink, "@media (prefers-color-scheme: dark) {\n"
			 "text { fill: #eee }\n"
			 ".soft { fill: #9aa }\n"
			 ".page { fill: #16181c }\n"
			 "rect:hover { stroke: #fff }\n");
	put_shades(true, sink);
	sink_print(sink, "}\n</style>\n");
}

static unsigned put_or_measure(const struct map_sheet *sheet, struct sink *sink)
{
	unsigned top = 0;

	for (size_t i = 0; i < sheet->count; i++) {
		struct map_picture picture = map_picture_of(sheet, &sheet->maps[i], MAP_SVG_CELLS);
		if (sink)
			put_map(sheet, &picture, top, sink);
		top += map_height(&picture);
	}
	return top;
}

void map_svg(const struct map_sheet *sheet, struct sink *sink)
{
	unsigned height = put_or_measure(sheet, NULL);

	sink_print(sink,
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		   "viewBox=\"0 0 %d %u\">\n",
		   WIDTH, height, WIDTH, height);
	put_style(sink);
	sink_print(sink, "<rect class=\"page\" width=\"100%%\" height=\"100%%\"/>\n");
	put_or_measure(sheet, sink);
	sink_print(sink, "</svg>\n");
}
