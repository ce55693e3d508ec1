/* SPDX-License-Identifier: MIT */
/*
 * recorder.h: what a heap needs to record blocks: its rows in the segment, and what its last walks found.
 *
 * A row belongs to a site and a heap, whose thread alone writes to it; one more recorder, for calls without a heap, has
 * rows that all write to.  Blocks that were chosen by different periods (`poolmem ctl`) have rows of their own: the number of a
 * row is that of its site, plus INTERN_SITES for each period before its own.  Rows and frames are added by one thread at a time; who waits too long for that goes without.
 */
#ifndef LIFE_RECORDER_H
#define LIFE_RECORDER_H

#include "heap/heap.h"
#include "life/life.h"
#include "stack/intern.h"
#include "stack/known.h"
#include "stack/walk.h"
#include "sys/memory.h"

#pragma GCC visibility push(hidden)

enum {
	RECORDER_MEMOS = 16,
	RECORDER_RECENT = 256,
	RECORDER_DENSE_RECENT = 4096,
	RECORDER_PERIODS = 16, /* that rows of a process may have */
	RECORDER_PAGE_ROWS = MEMORY_PAGE / sizeof(struct pm_site *),
	RECORDER_SITE_PAGES = INTERN_SITES / RECORDER_PAGE_ROWS,
	RECORDER_PAGES = RECORDER_PERIODS * RECORDER_SITE_PAGES,
	RECORDER_ROWS = RECORDER_PERIODS * INTERN_SITES,
};

/* What makes walks short where each block is recorded: calls that come in turn find their own last walk. */
struct dense {
	struct walk_memo memo[RECORDER_MEMOS]; /* of where walks begin */
	struct known_set known[KNOWN_SETS];
	struct recent recent[RECORDER_DENSE_RECENT];
};

/* Of a heap; mapped when it records for the first time. */
struct recorder {
	struct segment_rows rows;
	uint32_t descent;    /* whose rows these are */
	uint32_t turn;       /* other rows than before: what is recent says nothing any more */
	struct dense *dense; /* since each block is recorded; NULL: it never was, or no memory */
	struct memo_frames fresh;
	struct walk_memo memo; /* of a sample */
	struct recent recent[RECORDER_RECENT];
	struct pm_site **rows_of[RECORDER_PAGES]; /* by number of the row less one; NULL: none yet */
} __attribute__((aligned(MEMORY_PAGE)));

extern uint64_t recorder_periods[RECORDER_PERIODS]; /* 0: nothing is recorded; the first is what it began with */

/* Its index there, entered if it is new.  -1: no room.  One caller at a time. */
int recorder_period(uint64_t period);

/* The heap follows another period from now on. */
void recorder_follow(struct heap *heap);

/* One thread at a time enters sites, frames and rows.  false: another one has it too long. */
bool recorder_begin(void);
void recorder_end(void);

/* That of the heap, made or begun anew for a forked child.  NULL: no memory.  heap NULL: the shared one. */
struct recorder *recorder_renewed(struct heap *heap);

static inline struct recorder *recorder_of(struct heap *heap)
{
	struct recorder *recorder = heap->events.recorder;
	if (likely(recorder && recorder->descent == life.descent))
		return recorder;
	return recorder_renewed(heap);
}

/* Where a row is noted; NULL: nowhere yet. */
static inline struct pm_site **recorder_place(const struct recorder *recorder, uint32_t number)
{
	uint32_t at = number - 1;
	struct pm_site **page = __atomic_load_n(&recorder->rows_of[at / RECORDER_PAGE_ROWS],
						__ATOMIC_ACQUIRE);
	return page ? &page[at % RECORDER_PAGE_ROWS] : NULL;
}

/* Makes it, if it is not there yet.  NULL: no room. */
struct pm_site *recorder_new_row(struct heap *heap, uint32_t number);

extern struct recorder *recorder_shared; /* of calls without a heap; atomic */

/* The heap's row of that number; heap NULL: the shared one.  NULL: no room. */
static inline struct pm_site *recorder_row(struct heap *heap, uint32_t number)
{
	struct recorder *recorder = heap ? heap->events.recorder
					 : __atomic_load_n(&recorder_shared, __ATOMIC_ACQUIRE);
	bool is_own = recorder && recorder->descent == life.descent;
	struct pm_site **place = is_own ? recorder_place(recorder, number) : NULL;
	struct pm_site *row = place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
	return likely(row) ? row : recorder_new_row(heap, number);
}

/* One instruction, that of a row with one writer without a lock: see counters.h. */
static inline void recorder_add(const struct heap *heap, uint64_t *word, uint64_t amount)
{
	if (heap)
		tally_add(word, amount);
	else
		__atomic_fetch_add(word, amount, __ATOMIC_RELAXED);
}

/* Counts something that found no room. */
static inline void recorder_drop(uint64_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}

/* Blocks that the thread of the heap has allocated so far. */
uint64_t recorder_order(struct heap *heap);

#pragma GCC visibility pop

#endif
