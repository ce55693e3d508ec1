/* SPDX-License-Identifier: MIT */
/* recorder.c: see recorder.h. */
#include "life/recorder.h"

#include "stack/steps.h"

enum { WAIT_TURNS = 150 }; /* half a second: a thread that is stopped keeps nobody for longer */

struct recorder *recorder_shared;
uint64_t recorder_periods[RECORDER_PERIODS];
static uint32_t period_count = 1; /* atomic */

int recorder_period(uint64_t period)
{
	uint32_t i = 0;
	while (i < period_count && recorder_periods[i] != period)
		i++;
	if (i == RECORDER_PERIODS)
		return -1;
	recorder_periods[i] = period;
	if (i == period_count)
		__atomic_store_n(&period_count, i + 1, __ATOMIC_RELEASE);
	return (int)i;
}

/* A handler that has interrupted its own thread in there does not wait for it. */
bool recorder_begin(void)
{
	uintptr_t self = (uintptr_t)&heap_thread;
	if (__atomic_load_n(&wiped.enterer, __ATOMIC_RELAXED) == self ||
	    !wiped_wait(&wiped.entering, WAIT_TURNS))
		return false;
	__atomic_store_n(&wiped.enterer, self, __ATOMIC_RELAXED);
	return true;
}

void recorder_end(void)
{
	__atomic_store_n(&wiped.enterer, 0, __ATOMIC_RELAXED);
	wiped_done(&wiped.entering);
}

/* Not before it is needed: most processes record nothing. */
static void ensure_steps(void)
{
	static bool asked; /* atomic */
	if (!__atomic_load_n(&asked, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&asked, true, __ATOMIC_RELAXED))
		steps_init();
}

static void *map(size_t bytes)
{
	void *mapped = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (mapped)
		memory_no_huge_pages(mapped, bytes);
	return mapped;
}

static struct recorder *map_recorder(void)
{
	ensure_steps();
	return map(sizeof(struct recorder));
}

static void set_period(struct recorder *recorder, const struct heap *heap)
{
	if (recorder_periods[heap->events.period] == 1 && !recorder->dense) {
		recorder->dense = map(sizeof *recorder->dense);
		steps_widen();
	}
	recorder->turn++;
}

void recorder_follow(struct heap *heap)
{
	if (heap->events.recorder)
		set_period(heap->events.recorder, heap);
}

/* A forked child has rows of its own. */
static void begin_rows(struct recorder *recorder)
{
	for (unsigned i = 0; i < period_count * RECORDER_SITE_PAGES; i++)
		if (recorder->rows_of[i])
			__builtin_memset(recorder->rows_of[i], 0, MEMORY_PAGE);
	recorder->turn++;
	recorder->rows = (struct segment_rows){0};
	recorder->descent = life.descent;
}

static struct pm_site **make_place(struct recorder *recorder, uint32_t number)
{
	struct pm_site ***page = &recorder->rows_of[(number - 1) / RECORDER_PAGE_ROWS];
	if (!*page)
		__atomic_store_n(page, memory_map_own(MEMORY_TELEMETRY, MEMORY_PAGE),
				 __ATOMIC_RELEASE);
	return recorder_place(recorder, number);
}

struct recorder *recorder_renewed(struct heap *heap)
{
	void **of = heap ? &heap->events.recorder : (void **)&recorder_shared;
	struct recorder *recorder = *of;
	if (!recorder) {
		recorder = *of = map_recorder();
		if (recorder && heap)
			set_period(recorder, heap);
	}
	if (recorder && recorder->descent != life.descent)
		begin_rows(recorder);
	return recorder;
}

static struct pm_site *add_row(struct heap *heap, uint32_t number)
{
	const struct site *site = intern_site((number - 1) % INTERN_SITES + 1);
	struct pm_slot *slot = heap ? heap_counted(heap, heap->slot) : NULL;
	struct pm_site row = {
		.frame = site->frame,
		.slot = slot ? (uint32_t)(((char *)slot - (char *)segment.header) / PM_CHUNK_BYTES)
			     : 0,
		.size_class = site->size_class,
		.large_log2 = site->large_log2,
		.stack_end = site->stack_end,
		.period = recorder_periods[(number - 1) / INTERN_SITES],
	};
	struct recorder *recorder = recorder_renewed(heap);
	struct pm_site **place = recorder ? make_place(recorder, number) : NULL;
	if (!place || (slot && !heap_twin(heap)->displacement))
		return NULL;
	if (!*place)
		__atomic_store_n(place, segment_add_row(life.leader, &recorder->rows, &row),
				 __ATOMIC_RELEASE);
	return *place;
}

struct pm_site *recorder_new_row(struct heap *heap, uint32_t number)
{
	if (!recorder_begin())
		return NULL;
	struct pm_site *row = add_row(heap, number);
	recorder_end();
	return row;
}

uint64_t recorder_order(struct heap *heap)
{
	const struct pm_slot *slot = heap_counted(heap, heap->slot);
	uint64_t sum = tally_allocations(&slot->tally[CLASS_LARGE]);
	unsigned c;
	CLASS_EACH(c, &heap->ticking)
	sum += tally_allocations(&slot->tally[c]);
	return sum;
}
