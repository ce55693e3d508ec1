/* SPDX-License-Identifier: MIT */
/* map_picture.c: see map_picture.h. */
#include "render/map_picture.h"

enum { COLUMNS_MIN = 64, COLUMNS_MAX = 256, CELLS_LEAST = 512 };

struct map_picture map_picture_of(const struct map_sheet *sheet, const struct map *map,
				  uint64_t cell_max)
{
	uint64_t share = cell_max / sheet->count;
	uint64_t scale = map_scale(map, share > CELLS_LEAST ? share : CELLS_LEAST);
	struct map_picture picture = {.map = map, .columns = COLUMNS_MIN};

	picture.scale = sheet->scale > scale ? sheet->scale : scale;
	picture.count = map_cell_count(map, picture.scale);
	while (picture.columns < COLUMNS_MAX && picture.count > picture.columns * picture.columns)
		picture.columns *= 2;
	picture.rows = (picture.count + picture.columns - 1) / picture.columns;
	picture.side = (unsigned)(MAP_PICTURE_WIDTH / picture.columns);
	return picture;
}
