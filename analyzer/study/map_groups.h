/* SPDX-License-Identifier: MIT */
/* map_groups.h: pools of a map by class or by owner. */
#ifndef POOLMEM_STUDY_MAP_GROUPS_H
#define POOLMEM_STUDY_MAP_GROUPS_H

#include "study/map.h"

/* Of a pool. */
void map_pools_add(struct map_pools *pools, const struct map_span *span, uint32_t page_bytes);

/* Says of each pool to which group it belongs. */
void map_groups_make(struct map *map);

#endif
