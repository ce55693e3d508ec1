/* SPDX-License-Identifier: MIT */
/* map_png.c: a map as pixels of a few colours, with what they mean below. */
#include "render/command.h"
#include "render/map.h"
#include "render/map_picture.h"
#include "render/map_shades.h"
#include "render/pixel_font.h"
#include "render/words.h"
#include "text/allocate.h"
#include "text/number.h"

#include <ctype.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MARGIN = 16,
	WIDTH = MAP_PICTURE_WIDTH + 2 * MARGIN,
	HEIGHT_MAX = 1 << 15,
	PEN = 2, /* pixels of the picture to one of a letter */
	LETTER_WIDTH = (PIXEL_FONT_COLUMNS + 1) * PEN,
	LINE_HEIGHT = (PIXEL_FONT_ROWS + 4) * PEN,
	LINE_LETTERS = MAP_PICTURE_WIDTH / LETTER_WIDTH,
	SWATCH = PIXEL_FONT_ROWS * PEN,
	TENTH_WIDTH = 48,
	ENTRY_COLUMNS = 2,
	ENTRY_WIDTH = MAP_PICTURE_WIDTH / ENTRY_COLUMNS,
	SHADE_INK = SHADE_COUNT, /* of letters; the page is white as SHADE_UNMAPPED */
	COLOUR_COUNT
};

/* Pixels are shades.  Drawn from top to bottom; without pixels, measured. */
struct canvas {
	unsigned char *pixels;
	size_t top; /* where the next thing goes */
};

static void fill(struct canvas *canvas, size_t x, size_t y, size_t width, size_t height, int shade)
{
	for (size_t row = 0; canvas->pixels && row < height; row++)
		memset(canvas->pixels + (canvas->top + y + row) * WIDTH + x, shade, width);
}

/* --- words -------------------------------------------------------------------------------------------------- */

static void put_letter(struct canvas *canvas, size_t x, size_t y, char letter)
{
	const unsigned char *columns = pixel_font_glyph((unsigned char)letter);

	for (unsigned column = 0; column < PIXEL_FONT_COLUMNS; column++)
		for (unsigned row = 0; row < PIXEL_FONT_ROWS; row++)
			if (columns[column] >> row & 1)
				fill(canvas, x + (size_t)column * PEN, y + (size_t)row * PEN, PEN,
				     PEN, SHADE_INK);
}

static void put_text(struct canvas *canvas, size_t x, size_t y, const char *text, size_t letter_max)
{
	for (size_t i = 0; text[i] && i < letter_max; i++)
		put_letter(canvas, x + i * LETTER_WIDTH, y, text[i]);
}

/* As many letters as fit a line, up to a blank if there is one; a number and its unit stay together. */
static size_t line_length(const char *text)
{
	size_t length = strlen(text);

	if (length <= LINE_LETTERS)
		return length;
	for (size_t at = LINE_LETTERS; at; at--)
		if (text[at] == ' ' && !isdigit((unsigned char)text[at - 1]))
			return at;
	return LINE_LETTERS;
}

static void put_lines(struct canvas *canvas, const char *text)
{
	while (*text) {
		size_t length = line_length(text);
		put_text(canvas, MARGIN, 0, text, length);
		canvas->top += LINE_HEIGHT;
		text += length + (text[length] == ' ');
	}
}

static void put_heading(struct canvas *canvas, const struct map_sheet *sheet,
			const struct map_picture *picture)
{
	const struct map *map = picture->map;
	uint64_t unit_bytes = map->process->layout->unit_bytes;
	char *command = command_of(sheet->study, map->process);
	char line[320];

	put_text(canvas, MARGIN, 0, command, LINE_LETTERS);
	canvas->top += LINE_HEIGHT;
	free(command);
	snprintf(line, sizeof line, "pid %u, %s. A cell is %s (%s), a row %s.",
		 map->process->record.pid, words_state(map->process).text,
		 number_of(picture->scale, "unit").text,
		 number_bytes(picture->scale * unit_bytes).text,
		 number_bytes(picture->scale * picture->columns * unit_bytes).text);
	put_lines(canvas, line);
	put_lines(canvas, map_pools_words(map).text);
	put_lines(canvas, map->pools.pools ? map_sparse_words(map).text : "");
}

/* --- cells and what they mean -------------------------------------------------------------------------------- */

static void put_cells(struct canvas *canvas, const struct map_picture *picture)
{
	struct map_cell *cells = canvas->pixels ? map_cells(picture->map, picture->scale) : NULL;
	unsigned side = picture->side, shown = side > 4 ? side - 1 : side;

	for (uint64_t i = 0; cells && i < picture->count; i++)
		fill(canvas, MARGIN + i % picture->columns * side, i / picture->columns * side,
		     shown, shown, map_shade_of(picture->map, &cells[i]));
	free(cells);
	canvas->top += picture->rows * side + MARGIN;
}

static void put_tenths(struct canvas *canvas, const struct map *map)
{
	const char *words = map->by == MAP_BY_AGE ? "pools, 0 to 100 % of live blocks old"
						  : "pools, 0 to 100 % full";
	for (unsigned tenth = 0; tenth < MAP_TENTHS; tenth++)
		fill(canvas, MARGIN + (size_t)tenth * TENTH_WIDTH, 0, TENTH_WIDTH - 2, SWATCH,
		     SHADE_TENTH + (int)tenth);
	put_text(canvas, MARGIN + MAP_TENTHS * TENTH_WIDTH + 8, 0, words, LINE_LETTERS);
	canvas->top += LINE_HEIGHT;
}

static void put_entry(struct canvas *canvas, size_t index, enum map_shade shade, const char *text)
{
	size_t x = MARGIN + index % ENTRY_COLUMNS * ENTRY_WIDTH;
	size_t y = index / ENTRY_COLUMNS * LINE_HEIGHT;

	fill(canvas, x, y, SWATCH, SWATCH, shade);
	put_text(canvas, x + SWATCH + 8, y, text, (ENTRY_WIDTH - SWATCH - 16) / LETTER_WIDTH);
}

static void close_entries(struct canvas *canvas, size_t count)
{
	canvas->top += (count + ENTRY_COLUMNS - 1) / ENTRY_COLUMNS * LINE_HEIGHT;
}

static void put_groups(struct canvas *canvas, const struct map *map)
{
	size_t shown = 0;
	char text[400];

	for (; shown < map->group_count && shown < MAP_GROUPS_SHOWN; shown++) {
		const struct map_group *group = &map->groups[shown];
		snprintf(text, sizeof text, "%s: %s", map_group_words(map, group).text,
			 number_bytes(group->pools.bytes).text);
		put_entry(canvas, shown, (enum map_shade)(SHADE_GROUP + shown), text);
	}
	if (map->others.pools) {
		snprintf(text, sizeof text, "others: %s", number_bytes(map->others.bytes).text);
		put_entry(canvas, shown++, (enum map_shade)(SHADE_GROUP + MAP_GROUPS_SHOWN), text);
	}
	close_entries(canvas, shown);
}

static void put_kinds(struct canvas *canvas, const struct map *map)
{
	struct map_entry entries[MAP_ENTRIES_MAX];
	size_t count = map_entries(map, entries);

	for (size_t i = 0; i < count; i++)
		put_entry(canvas, i, entries[i].shade, entries[i].label.text);
	close_entries(canvas, count);
}

static void put_maps(struct canvas *canvas, const struct map_sheet *sheet)
{
	canvas->top = MARGIN;
	for (size_t i = 0; i < sheet->count; i++) {
		struct map_picture picture = map_picture_of(sheet, &sheet->maps[i], MAP_PNG_CELLS);
		put_heading(canvas, sheet, &picture);
		put_cells(canvas, &picture);
		if (picture.map->by == MAP_BY_CLASS || picture.map->by == MAP_BY_OWNER)
			put_groups(canvas, picture.map);
		else if (picture.map->pools.pools)
			put_tenths(canvas, picture.map);
		put_kinds(canvas, picture.map);
		canvas->top += MARGIN;
	}
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static void set_colours(unsigned char ret[COLOUR_COUNT][3])
{
	for (int shade = 0; shade < COLOUR_COUNT; shade++) {
		uint32_t colour = shade == SHADE_INK ? 0x1a1a1a : map_looks[shade].light;
		ret[shade][0] = (unsigned char)(colour >> 16);
		ret[shade][1] = (unsigned char)(colour >> 8);
		ret[shade][2] = (unsigned char)colour;
	}
}

static bool encode(const struct canvas *canvas, unsigned char **ret_file, size_t *ret_bytes,
		   struct failure *why)
{
	unsigned char colours[COLOUR_COUNT][3];
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = WIDTH,
			   .height = (png_uint_32)canvas->top,
			   .format = PNG_FORMAT_RGB_COLORMAP,
			   .colormap_entries = COLOUR_COUNT};
	png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
	unsigned char *file = allocate(bytes, 1);

	set_colours(colours);
	if (png_image_write_to_memory(&image, file, &bytes, 0, canvas->pixels, 0, colours)) {
		*ret_file = file;
		*ret_bytes = bytes;
		return true;
	}
	free(file);
	return fail(why, FAILURE_WRITE, "cannot make the picture: %s", image.message);
}

bool map_png(const struct map_sheet *sheet, unsigned char **ret_file, size_t *ret_bytes,
	     struct failure *why)
{
	struct canvas canvas = {.pixels = NULL};

	put_maps(&canvas, sheet);
	if (canvas.top > HEIGHT_MAX)
		return fail(why, FAILURE_NOTHING,
			    "a picture of %zu maps is too high: --filter REGEX names fewer processes",
			    sheet->count);
	canvas.pixels = allocate(canvas.top, WIDTH);
	memset(canvas.pixels, SHADE_UNMAPPED, canvas.top * WIDTH);
	put_maps(&canvas, sheet);
	bool done = encode(&canvas, ret_file, ret_bytes, why);
	free(canvas.pixels);
	return done;
}
