/* SPDX-License-Identifier: MIT */
/* map.h: a picture of arenas and pools: as text, as JSON, as a vector and as a pixel picture. */
#ifndef POOLMEM_RENDER_MAP_H
#define POOLMEM_RENDER_MAP_H

#include "study/map.h"
#include "text/sink.h"

/* Processes and their maps, those to be shown first. */
struct map_sheet {
	const struct study *study;
	const struct process_study **processes;
	const struct map *maps;
	size_t count;       /* to be shown */
	size_t known_count; /* processes that have such a map, shown or not */
	uint64_t scale;     /* units in a cell; 0: as many as the picture has room for */
	size_t columns;     /* of text; 0: those of the terminal, at most 80 */
};

/* Cells that a picture may have at most, whoever sets its scale. */
enum { MAP_CELLS_MAX = 1 << 20, MAP_SVG_CELLS = 1 << 14, MAP_PNG_CELLS = 1 << 16 };

void map_text(const struct map_sheet *sheet, struct sink *sink);
void map_json(const struct map_sheet *sheet, struct sink *sink);
void map_svg(const struct map_sheet *sheet, struct sink *sink);

/* The bytes of the file, freed by the caller. */
bool map_png(const struct map_sheet *sheet, unsigned char **ret_file, size_t *ret_bytes,
	     struct failure *why);

/* What the figures say, in sentences. */
void map_words(const struct map *map, struct sink *sink);

#endif
