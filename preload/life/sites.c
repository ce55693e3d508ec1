/* SPDX-License-Identifier: MIT */
/*
 * sites.c: who allocates.
 *
 *   the countdown of a class --> a block is to be recorded --> its stack --> its site --> a row of the segment
 *                                                                |                         + 1 allocated
 *                                                            its stamp becomes special --> its free: + 1 freed
 *
 * A row belongs to a site and a heap, whose thread alone writes to it; one more recorder, for calls without a heap, has
 * rows that all write to.  Rows and frames are added by one thread at a time; who waits too long for that goes without.
 */
#define _GNU_SOURCE
#include "heap/region.h"
#include "life/life.h"
#include "stack/blocks.h"
#include "stack/intern.h"
#include "stack/sample.h"
#include "stack/walk.h"
#include "sys/memory.h"
#include "tally/clock.h"

#include <dlfcn.h>

enum { SITES_OFF, SITES_SAMPLE, SITES_ALL, SITES_NEVER }; /* the words of the setting */

enum {
	DEPTH_MAX = 128,
	MEMOS = 16,
	PAGE_ROWS = MEMORY_PAGE / sizeof(struct pm_site *),
	SITE_PAGES = INTERN_SITES / PAGE_ROWS,
	PERIODS = 16, /* that rows of a process may have */
	ROW_PAGES = PERIODS * SITE_PAGES,
	WAIT_TURNS = 150, /* half a second: a thread that is stopped keeps nobody for longer */
	PEAK_SHARE = 64,  /* a new peak is noted when it is higher by this part of itself, and by */
	PEAK_BYTES = 16 << 10,
};

/* Of a heap; mapped when it records for the first time. */
struct recorder {
	struct segment_rows rows;
	uint32_t descent; /* whose rows these are */
	struct memo_frames fresh;
	struct walk_memo memo[MEMOS]; /* of where walks begin: calls that come in turn find their own */
	struct pm_site **rows_of[ROW_PAGES]; /* by number of the row less one; NULL: none yet */
} __attribute__((aligned(MEMORY_PAGE)));

static uint64_t periods[PERIODS];     /* 0: nothing is recorded; the first is what it began with */
static uint32_t period_count = 1;     /* atomic */
static uint32_t current;              /* index of the one in force; atomic */
static uintptr_t own_first, own_last; /* addresses of this library */
static struct recorder *shared;       /* of calls without a heap; atomic */
static uint64_t peak_noted;           /* live bytes; atomic */

/* By which the next blocks of the heap are chosen. */
static uint64_t period_of(const struct heap *heap)
{
	return periods[heap->events.period];
}

uint64_t sites_period(void)
{
	return periods[__atomic_load_n(&current, __ATOMIC_ACQUIRE)];
}

/* --- rows ----------------------------------------------------------------------------------------- */

/* Of a block of a site that the heap records now.  Rows of periods that another heap follows have other numbers. */
static uint32_t row_number(const struct heap *heap, uint32_t site)
{
	return heap->events.period * INTERN_SITES + site;
}

static uintptr_t enterer; /* whose thread's words these are; atomic */

/* A handler that has interrupted its own thread in there does not wait for it. */
static bool begin_entering(void)
{
	uintptr_t self = (uintptr_t)&heap_thread;
	if (__atomic_load_n(&enterer, __ATOMIC_RELAXED) == self ||
	    !wiped_wait(&wiped.entering, WAIT_TURNS))
		return false;
	__atomic_store_n(&enterer, self, __ATOMIC_RELAXED);
	return true;
}

static void end_entering(void)
{
	__atomic_store_n(&enterer, 0, __ATOMIC_RELAXED);
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

static struct recorder *map_recorder(void)
{
	ensure_steps();
	struct recorder *recorder = memory_map(NULL, sizeof *recorder);
	if (recorder)
		memory_no_huge_pages(recorder, sizeof *recorder);
	return recorder;
}

/* A forked child has rows of its own. */
static struct recorder *renewed(struct recorder *recorder)
{
	if (!recorder || recorder->descent == life.descent)
		return recorder;
	for (unsigned i = 0; i < period_count * SITE_PAGES; i++)
		if (recorder->rows_of[i])
			__builtin_memset(recorder->rows_of[i], 0, MEMORY_PAGE);
	recorder->rows = (struct segment_rows){0};
	recorder->descent = life.descent;
	return recorder;
}

/* Where a row is noted; NULL: nowhere yet. */
static struct pm_site **place_of(const struct recorder *recorder, uint32_t number)
{
	struct pm_site **page = __atomic_load_n(&recorder->rows_of[(number - 1) / PAGE_ROWS],
						__ATOMIC_ACQUIRE);
	return page ? &page[(number - 1) % PAGE_ROWS] : NULL;
}

static struct pm_site **make_place(struct recorder *recorder, uint32_t number)
{
	struct pm_site ***page = &recorder->rows_of[(number - 1) / PAGE_ROWS];
	if (!*page)
		__atomic_store_n(page, memory_map(NULL, MEMORY_PAGE), __ATOMIC_RELEASE);
	return place_of(recorder, number);
}

/* heap NULL: the shared one; the caller is the only one that enters. */
static struct recorder *recorder_of(struct heap *heap)
{
	void **recorder = heap ? &heap->events.recorder : (void **)&shared;
	if (!*recorder)
		*recorder = map_recorder();
	return renewed(*recorder);
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
		.period = periods[(number - 1) / INTERN_SITES],
	};
	struct recorder *recorder = recorder_of(heap);
	struct pm_site **place = recorder ? make_place(recorder, number) : NULL;
	if (!place || (slot && !heap_twin(heap)->displacement))
		return NULL;
	if (!*place)
		__atomic_store_n(place, segment_add_row(life.leader, &recorder->rows, &row),
				 __ATOMIC_RELEASE);
	return *place;
}

/* NULL: no room. */
static struct pm_site *row_of(struct heap *heap, uint32_t number)
{
	struct recorder *recorder = heap ? heap->events.recorder
					 : __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
	bool is_own = recorder && recorder->descent == life.descent;
	struct pm_site **place = is_own ? place_of(recorder, number) : NULL;
	struct pm_site *row = place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
	if (row || !begin_entering())
		return row;
	row = add_row(heap, number);
	end_entering();
	return row;
}

/* One instruction, that of a row with one writer without a lock: see counters.h. */
static void add(const struct heap *heap, uint64_t *word, uint64_t amount)
{
	if (heap)
		tally_add(word, amount);
	else
		__atomic_fetch_add(word, amount, __ATOMIC_RELAXED);
}

static void drop(uint64_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}

/* --- recording ------------------------------------------------------------------------------------- */

/* In each heap, process and run another sequence: sums over many processes are estimates, too. */
static void seed(struct heap *heap)
{
	uint64_t state = segment.header->id[0] ^ ((uint64_t)life.leader << 32 | heap->index);
	heap->events.random = sample_random(&state) | 1;
}

uint64_t sites_gap(struct heap *heap, size_t unit)
{
	if (!period_of(heap))
		return UINT64_MAX;
	if (!heap->events.random)
		seed(heap);
	return sample_gap(&heap->events.random, unit, period_of(heap));
}

static bool is_own(uintptr_t address)
{
	return address >= own_first && address < own_last;
}

static uint8_t end_of(enum walk_end end)
{
	static const uint8_t ends[] = {
		[WALK_WHOLE] = PM_STACK_WHOLE,
		[WALK_GUESSED] = PM_STACK_GUESSED,
		[WALK_CUT] = PM_STACK_CUT,
		[WALK_LOST] = PM_STACK_LOST,
	};
	return ends[end];
}

static uint8_t large_log2(const struct pool *pool)
{
	return (uint8_t)__builtin_ctzl(sites_large_unit(pool->block_bytes));
}

static uint32_t publish_frame(const struct pm_frame *frame)
{
	return segment_add_frame(life.leader, frame);
}

static uint32_t enter(const struct stack *stack)
{
	bool whole = false;
	if (!begin_entering())
		return 0;
	uint32_t number = intern_enter(stack, publish_frame, &whole);
	end_entering();
	if (number && !whole)
		drop(&life_process()->dropped_stacks);
	return number;
}

/* Where few are recorded, each walk is as good as new. */
static struct walk_memo *memo_for(struct recorder *recorder, uintptr_t sp)
{
	uint64_t hash = (sp >> 4) * UINT64_C(0x9e3779b97f4a7c15);
	return &recorder->memo[sites_period() == 1 ? hash >> 60 : 0];
}

/* The site of a block by the stack from `from` on.  0: no room. */
__attribute__((noinline)) static uint32_t find_site(struct recorder *recorder, struct frame from,
						    const struct pool *pool)
{
	struct walk_memo *memo = memo_for(recorder, from.sp);
	unsigned depth = walk_again(from, memo, &recorder->fresh), own = 0;
	const uintptr_t *addresses = memo->kept.ip + memo->begin;
	while (own < depth && is_own(addresses[own]))
		own++;
	struct stack stack = {
		.addresses = addresses + own,
		.hash = memo->hash[memo->begin + own],
		.depth = depth - own,
		.generation = modules_generation(),
		.size_class = pool->size_class,
		.large_log2 = pool->state == POOL_LARGE ? large_log2(pool) : 0,
		.end = end_of(memo->end),
	};
	if (stack.depth > DEPTH_MAX) {
		stack.depth = DEPTH_MAX;
		stack.end = PM_STACK_CUT;
	}
	uint32_t number = intern_find(&stack);
	return number ? number : enter(&stack);
}

/* Blocks of pools that the thread of the heap has allocated so far. */
static uint64_t pooled(struct heap *heap)
{
	const struct pm_slot *slot = heap_counted(heap, heap->slot);
	struct class_set classes = heap->ticking;
	uint64_t sum = 0;
	for (int c; (c = class_take(&classes)) >= 0;)
		sum += tally_allocations(&slot->tally[c]);
	return sum;
}

/* Blocks that the thread of the heap has allocated so far; from pools, where each is recorded, these. */
static uint64_t order_of(struct heap *heap)
{
	const struct pm_slot *slot = heap_counted(heap, heap->slot);
	uint64_t sum = tally_allocations(&slot->tally[CLASS_LARGE]);
	return sum + (period_of(heap) == 1 ? heap->events.recorded : pooled(heap));
}

/* Of a block that is alive and the heap's own: nobody else writes its stamp but to age it, and it is young. */
static uint8_t *stamp_of(struct pool *pool, const void *block)
{
	return &pool->stamps[pool->state == POOL_LARGE ? 0 : pool_place(pool, block).index];
}

static bool note(struct heap *heap, struct pool *pool, const void *block, size_t requested,
		 uint32_t site)
{
	uint8_t *stamp = stamp_of(pool, block);
	struct recorded recorded = {
		.address = (uintptr_t)block,
		.requested = requested,
		.bytes = pool->block_bytes,
		.epoch = clock_now.epoch,
		.order = order_of(heap),
		.site = site,
		.descent = life.descent,
		.heap = heap->index,
		.size_class = pool->size_class,
		.stamp = *stamp,
	};
	if (!blocks_put(&recorded))
		return false;
	__atomic_store_n(stamp, STAMP_SPECIAL, __ATOMIC_RELAXED);
	return true;
}

__attribute__((noinline)) void sites_record(struct heap *heap, struct pool *pool, const void *block,
					    size_t requested)
{
	struct recorder *recorder = life.recording ? recorder_of(heap) : NULL;
	uint32_t site = recorder ? find_site(recorder, frame_of_caller(), pool) : 0;
	site = site ? row_number(heap, site) : 0;
	struct pm_site *row = site ? row_of(heap, site) : NULL;
	heap->events.recorded += pool->state != POOL_LARGE;
	if (!row || !note(heap, pool, block, requested, site)) {
		drop(&life_process()->dropped_blocks);
		return;
	}
	add(heap, &row->allocated, 1);
	add(heap, &row->allocated_bytes, pool->block_bytes);
	add(heap, &row->requested, requested);
}

/* --- what becomes of recorded blocks ---------------------------------------------------------------- */

/* The stamp tells the age until an ageing pass would have turned it: the epoch and the table of ages do not change as one. */
static uint8_t stamp_now(const struct recorded *recorded)
{
	bool is_old = clock_now.epoch - recorded->epoch >= CLOCK_OLD_AGE + CLOCK_AGEING_PERIOD;
	return is_old || recorded->is_frozen ? STAMP_OLD : recorded->stamp;
}

static void count_death(struct heap *heap, const struct recorded *recorded)
{
	struct pm_site *row = row_of(heap, recorded->site);
	bool is_own = heap && heap->index == recorded->heap;
	if (!row) {
		drop(&life_process()->dropped_blocks);
		return;
	}
	if (recorded->descent != life.descent) {
		add(heap, &row->inherited, 1);
		return;
	}
	add(heap, &row->died[stamp_age(stamp_now(recorded))], 1);
	add(heap, &row->remote, !is_own);
	add(heap, &row->temporary,
	    is_own && clock_now.epoch == recorded->epoch && order_of(heap) == recorded->order);
	add(heap, &row->freed_requested, recorded->requested);
	add(heap, &row->freed_bytes, recorded->bytes);
	add(heap, &row->freed, 1);
}

struct recorded *host_recorded(const void *block)
{
	return blocks_find(block);
}

/* A forked child that is not settled yet counts what it inherited by the stamps, and not in rows. */
uint8_t host_special_died(struct heap *heap, struct recorded *found, unsigned size_class,
			  size_t block_bytes)
{
	struct recorded recorded = {.is_frozen = true};
	if (found) {
		recorded = *found;
		blocks_remove(found);
	}
	if (recorded.is_frozen)
		survival_frozen_died(size_class, block_bytes);
	if (recorded.is_module)
		modules_closed(recorded.address);
	if (recorded.site && wiped.alive && life.recording)
		count_death(heap, &recorded);
	return found ? stamp_now(&recorded) : STAMP_OLD;
}

/* Of a block that lives; NULL: it is not this process's to count. */
static struct pm_site *row_of_block(const struct recorded *recorded)
{
	bool is_counted = recorded && recorded->site && wiped.alive &&
			  recorded->descent == life.descent;
	return is_counted ? row_of(heap_mine(), recorded->site) : NULL;
}

void host_special_resized(const void *block, size_t requested)
{
	struct recorded *recorded = blocks_find(block);
	struct pm_site *row = row_of_block(recorded);
	if (!row)
		return;
	add(heap_mine(), (uint64_t *)&row->resized_requested, requested - recorded->requested);
	recorded->requested = requested;
}

void host_special_moved(const void *block)
{
	struct pm_site *row = row_of_block(blocks_find(block));
	if (row)
		add(heap_mine(), &row->moved, 1);
}

bool sites_resized(const void *block, int64_t bytes, uint8_t *ret_stamp)
{
	struct recorded *recorded = blocks_find(block);
	if (!recorded)
		return true;
	*ret_stamp = stamp_now(recorded);
	recorded->bytes += (uint64_t)bytes;
	struct pm_site *row = row_of_block(recorded);
	if (row)
		add(heap_mine(), (uint64_t *)&row->resized_bytes, (uint64_t)bytes);
	return recorded->is_frozen;
}

/* --- the statistics of survival ---------------------------------------------------------------------- */

static void freeze(struct recorded *recorded, void *more)
{
	if (recorded->is_frozen || recorded->epoch == clock_now.epoch)
		return;
	recorded->is_frozen = true;
	frozen_add(more, recorded->size_class, recorded->bytes);
}

void sites_freeze(struct frozen *ret_more)
{
	blocks_each(freeze, ret_more);
}

static void unfreeze(struct recorded *recorded, void *unused)
{
	(void)unused;
	if (recorded->is_frozen)
		recorded->stamp = STAMP_OLD;
	recorded->is_frozen = false;
}

void sites_unfreeze(void)
{
	blocks_each(unfreeze, NULL);
}

static void correct(struct recorded *recorded, void *context)
{
	struct survival_begun *begun = context;
	uint64_t *blocks = begun->of[recorded->size_class];
	unsigned generation = clock_generation(stamp_now(recorded));
	if (recorded->is_frozen)
		frozen_add(&begun->frozen, recorded->size_class, recorded->bytes);
	blocks[2]--;
	blocks[generation]++;
	if (recorded->size_class != CLASS_LARGE)
		return;
	begun->of[CLASS_LARGE_BYTES][2] -= recorded->bytes;
	begun->of[CLASS_LARGE_BYTES][generation] += recorded->bytes;
}

void sites_correct(struct survival_begun *begun)
{
	blocks_each(correct, begun);
}

/* --- the peak --------------------------------------------------------------------------------------- */

static void note_peak(struct pm_site *row, void *unused)
{
	(void)unused;
	row->peak_live = (int64_t)(row->allocated - row->freed);
	row->peak_bytes = (int64_t)(row->allocated_bytes - row->freed_bytes) + row->resized_bytes;
}

void sites_note_peak(void)
{
	uint64_t live = life_process()->live_now_bytes;
	uint64_t noted = __atomic_load_n(&peak_noted, __ATOMIC_RELAXED);
	if (!sites_period() || live < noted + noted / PEAK_SHARE + PEAK_BYTES ||
	    !wiped_try(&wiped.entering))
		return;
	__atomic_store_n(&peak_noted, live, __ATOMIC_RELAXED);
	segment_each_row(life.leader, note_peak, NULL);
	end_entering();
}

/* --- beginning --------------------------------------------------------------------------------------- */

/* The countdowns of a forked child begin anew. */
void sites_begin(void)
{
	struct heap *heap;
	__atomic_store_n(&peak_noted, 0, __ATOMIC_RELAXED);
	if (life.process)
		life.process->site_period = sites_period();
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		heap->events.armed = (struct class_set){{0}};
		heap->events.random = 0;
		sites_follow(heap);
	}
}

bool sites_switch(uint64_t period)
{
	uint32_t i = 0;
	while (i < period_count && periods[i] != period)
		i++;
	if (i == PERIODS)
		return false;
	periods[i] = period;
	if (i == period_count)
		__atomic_store_n(&period_count, i + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&current, i, __ATOMIC_RELEASE);
	return true;
}

bool sites_follow(struct heap *heap)
{
	uint32_t now = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	if (heap->events.period == now)
		return false;
	heap->events.recorded = heap->slot ? pooled(heap) : 0;
	heap->events.period = now;
	return true;
}

void sites_init(void)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	extern const char etext[] __attribute__((visibility("hidden")));
	uint32_t mode = life.settings.sites.index;
	uint64_t sample = life.settings.sites_period ? life.settings.sites_period : 1;
	if (mode == SITES_NEVER || !walk_available()) {
		control_init(mode == SITES_NEVER ? PM_CONTROL_NEVER : PM_CONTROL_NO_STACKS);
		return;
	}
	periods[0] = mode == SITES_OFF ? 0 : mode == SITES_ALL ? 1 : sample;
	own_first = (uintptr_t)__ehdr_start;
	own_last = (uintptr_t)etext;
	life.process->site_period = periods[0];
	modules_init();
	control_init(PM_CONTROL_OPEN);
}
