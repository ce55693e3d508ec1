/* SPDX-License-Identifier: MIT */
/*
 * survey_parts.h: what the files of the survey share.
 *
 *   survey_blocks.c: arenas, pools, blocks --> survey.c: pages, /proc, the stream of facts
 */
#ifndef LIFE_SURVEY_PARTS_H
#define LIFE_SURVEY_PARTS_H

#include "heap/region.h"
#include "stack/intern.h"

#include <poolmem/format.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum {
	SURVEY_ARENA_PAGES = ARENA_BYTES / MEMORY_PAGE,
	SURVEY_BLOCKS_MAX = PM_UNIT_BYTES / CLASS_GRAIN, /* of a pool */
};

/* What is known of the blocks of the pool in hand. */
struct survey_blocks {
	uint32_t states[SURVEY_BLOCKS_MAX / 16];
	uint32_t frames[SURVEY_BLOCKS_MAX];
	uint16_t sites[SURVEY_BLOCKS_MAX];   /* their numbers, as frames[] */
	uint16_t which[SURVEY_BLOCKS_MAX];   /* of each live block */
	uint16_t index_of[INTERN_SITES + 1]; /* in frames[], from 1 on; 0: not there */
	uint32_t live_count;
};

/* To the end of the stream; what finds no room is left out, and the survey is cut from there on. */
void survey_put(const void *data, size_t bytes);
void survey_put_fact(enum pm_survey_tag tag, const void *payload, size_t bytes, const void *more,
		     size_t more_bytes);
bool survey_is_cut(void);

/* Of so many bytes from a page on: those that are resident, all when it is not known. */
uint64_t survey_resident_bytes(uintptr_t address, size_t bytes);

/* A bit for each page of an arena that is; ret_pages: zeros before. */
void survey_resident_pages(const struct arena *arena, uint64_t ret_pages[SURVEY_ARENA_PAGES / 64]);

/* All pools; blocks: zeros, and room to work in.  false: no memory. */
bool survey_put_pools(struct survey_blocks *blocks);

/* And then the arenas they are in. */
void survey_put_arenas(void);

#pragma GCC visibility pop

#endif
