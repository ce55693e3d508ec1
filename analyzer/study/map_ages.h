/* SPDX-License-Identifier: MIT */
/* map_ages.h: how old the blocks of a map's pools are, from what was noted at the end (setting `frag`). */
#ifndef POOLMEM_STUDY_MAP_AGES_H
#define POOLMEM_STUDY_MAP_AGES_H

#include "study/map.h"

/* Of each pool and in all; where nothing was noted, nothing is known. */
void map_ages_make(struct map *map);

#endif
