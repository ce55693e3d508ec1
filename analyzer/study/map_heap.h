/* SPDX-License-Identifier: MIT */
/* map_heap.h: the arenas and pools that a map is of: as published, or as a survey found them. */
#ifndef POOLMEM_STUDY_MAP_HEAP_H
#define POOLMEM_STUDY_MAP_HEAP_H

#include "model/process.h"

struct map_heap {
	const struct survey *survey; /* NULL: as published */
	const struct arena *arenas;
	const struct pool *pools; /* in the order of their arenas; of a survey `touched_pages` are resident */
	size_t arena_count, pool_count;
	struct arena *own_arenas; /* of a survey; else NULL, and all is the process's */
	struct pool *own_pools;
};

/* survey: NULL, or one that was cut short: as published.  Both must stay until it goes. */
void map_heap_make(const struct process *process, const struct survey *survey, struct map_heap *ret);
void map_heap_free(struct map_heap *heap);

#endif
