/* SPDX-License-Identifier: MIT */
/* map_picture.h: where each cell of a map stands in a picture, of vectors or of pixels. */
#ifndef POOLMEM_RENDER_MAP_PICTURE_H
#define POOLMEM_RENDER_MAP_PICTURE_H

#include "render/map.h"

enum { MAP_PICTURE_WIDTH = 1024 };

struct map_picture {
	const struct map *map;
	uint64_t scale;         /* units in a cell */
	uint64_t count;         /* cells */
	uint64_t columns, rows; /* of cells */
	unsigned side;          /* of a cell, in pixels */
};

/* cell_max: of all maps of the sheet together, where there are not too many of them. */
struct map_picture map_picture_of(const struct map_sheet *sheet, const struct map *map,
				  uint64_t cell_max);

#endif
