/* SPDX-License-Identifier: MIT */
/* map_shades.h: how a cell of a map looks: in text, on a terminal, in pictures. */
#ifndef POOLMEM_RENDER_MAP_SHADES_H
#define POOLMEM_RENDER_MAP_SHADES_H

#include "study/map.h"

/* Tenths: of how full or how old.  Then groups and the rest of them, then what is no pool. */
enum map_shade {
	SHADE_TENTH,
	SHADE_GROUP = SHADE_TENTH + MAP_TENTHS,
	SHADE_VACANT = SHADE_GROUP + MAP_GROUPS_SHOWN + 1, /* by age: a pool without a live block */
	SHADE_LARGE,
	SHADE_HUGE,
	SHADE_FILTERED,
	SHADE_DIRTY,
	SHADE_CLEAN,
	SHADE_UNKNOWN,
	SHADE_UNMAPPED,
	SHADE_COUNT
};

struct map_look {
	char sign;
	int16_t ink, back;    /* of the 256 colours of terminals; -1: the terminal's own */
	uint32_t light, dark; /* 0xrrggbb, on a light page and on a dark one */
};

extern const struct map_look map_looks[SHADE_COUNT];

enum map_shade map_shade_of(const struct map *map, const struct map_cell *cell);

/* Of what is no pool. */
enum map_shade map_shade_of_kind(enum map_kind kind);

struct map_label {
	char text[320];
};

/* "pools", "free, written to" */
const char *map_kind_words(enum map_kind kind);

/* "blocks of 48 bytes", "thread 1234 (worker)" */
struct map_label map_group_words(const struct map *map, const struct map_group *group);

/* "48", "malloc(0)": the class of a pool. */
struct map_label map_class_words(const struct map *map, uint32_t size_class);

/* "worker (1234)", "1234", "-" */
struct map_label map_owner_words(const struct slot *owner);

/* An entry of a picture's legend. */
struct map_entry {
	enum map_shade shade;
	struct map_label label;
};

enum { MAP_ENTRIES_MAX = MAP_KIND_COUNT + 2 };

/* What is no pool, and by age pools that have no share of old blocks.  Returns how many there are. */
size_t map_entries(const struct map *map, struct map_entry ret[MAP_ENTRIES_MAX]);

/* "1,234 pools are 43.2 % full: ..." */
struct map_label map_pools_words(const struct map *map);
const char *map_moment_words(const struct map *map); /* of a survey: which moment it is of */

/* "230 of them, 18.6 %, are less than a quarter full and hold ..." */
struct map_label map_sparse_words(const struct map *map);

#endif
