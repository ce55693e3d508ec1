/* SPDX-License-Identifier: MIT */
/*
 * next.h: heap=next, between who begins it (next.c), who counts its calls (next_calls.c), who knows the sizes of blocks
 * (next_sizes.c) and who counts those that get another one (next_resize.c).
 */
#ifndef LIFE_NEXT_H
#define LIFE_NEXT_H

#include "heap/heap.h"
#include "life/next_sizes.h"
#include "life/recorder.h"
#include "stack/blocks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* From now on calls are counted.  `word_tells`: glibc serves; `has_births`: blocks are to have stamps. */
void next_count(bool word_tells, bool has_births);

/* Sends the calls of malloc's family to the functions that suit next_how. */
void next_choose_calls(void);

/* Like heap_here(), where no heap serves a class.  NULL: as there. */
static inline struct heap *next_heap(void)
{
	struct heap *heap = heap_thread.heap;
	return likely(heap) ? heap : host_heap();
}

static inline struct pm_tally *next_tally(const struct heap *heap, unsigned size_class)
{
	return heap_counted(heap, &heap->slot->tally[size_class]);
}

/* Counts a block that came, or NULL that came instead.  Returns it. */
void *next_came(void *block, size_t requested);

/* A block that goes.  All that is known by its address is taken out: once it is given back that may be another's. */
struct next_end {
	struct next_size size;
	uint8_t stamp;
	bool is_recorded;
	struct recorded recorded;
};

void next_take_out(void *block, struct next_end *ret_end);
void next_count_end(struct heap *heap, const struct next_end *end);

/* With repeatable=1: so many bytes of a recorded block are seen to live at once, or no more. */
void next_see(struct heap *heap, struct next_size size, int64_t bytes);

/* realloc() of a block: of which more is known by its address; of which nothing but its size is. */
void *next_resize(void *block, size_t size);
void *next_resize_bare(void *block, size_t size);

#pragma GCC visibility pop

#endif
