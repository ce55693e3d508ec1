/* SPDX-License-Identifier: MIT */
/*
 * sites.c: who allocates.
 *
 *   the countdown of a class --> a block is to be recorded --> its stack --> its site --> a row of the segment
 *                                                                |                         + 1 allocated
 *                                                            its stamp becomes special --> its free: see deaths.c
 */
#define _GNU_SOURCE
#include "heap/region.h"
#include "life/recorder.h"
#include "life/records.h"
#include "stack/sample.h"
#include "tally/clock.h"

#include <dlfcn.h>

enum { SITES_OFF, SITES_SAMPLE, SITES_ALL, SITES_NEVER }; /* the words of the setting */

enum {
	DEPTH_MAX = 128,
	PEAK_SHARE = 64, /* a new peak is noted when it is higher by this part of itself, and by */
	PEAK_BYTES = 16 << 10,
	PEAK_SHARE_REPEATABLE = 512, /* the same where peaks of two runs are to be compared */
	PEAK_BYTES_REPEATABLE = 1 << 10,
	ALLOCATIONS_PER_CHUNK = 16, /* for rows are looked for in all chunks */
	ALLOCATIONS_PER_ROW = 64, /* between two epochs that rows are noted at, so that it costs next to nothing */
};

static uint32_t current;              /* index of the period in force; atomic */
static uintptr_t own_first, own_last; /* addresses of this library */
static uint64_t peak_noted;           /* live bytes; atomic */
static uint64_t note_due; /* allocations from when on rows are noted as an epoch begins */
static unsigned note_turn;

/* By which the next blocks of the heap are chosen. */
static inline uint64_t period_of(const struct heap *heap)
{
	return recorder_periods[heap->events.period];
}

uint64_t sites_period(void)
{
	return recorder_periods[__atomic_load_n(&current, __ATOMIC_ACQUIRE)];
}

/* --- recording ------------------------------------------------------------------------------------- */

/* In each heap, process and run another sequence: sums over many processes are estimates, too. */
static void seed(struct heap *heap)
{
	uint64_t drawn = life.settings.repeatable ? 0 : segment.header->id[0];
	uint64_t state = drawn ^ ((uint64_t)life.leader << 32 | heap->index);
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

/* One number for both. */
static uint32_t size_of(const struct pool *pool)
{
	return (uint32_t)pool->size_class << 8 | (pool->state == POOL_LARGE ? large_log2(pool) : 0);
}

static uint32_t publish_frame(const struct pm_frame *frame)
{
	return segment_add_frame(life.leader, frame);
}

static uint32_t enter(const struct stack *stack)
{
	bool whole = false;
	if (!recorder_begin())
		return 0;
	uint32_t number = intern_enter(stack, publish_frame, &whole);
	recorder_end();
	if (number && (!whole || stack->end == PM_STACK_NONE))
		recorder_drop(&life_process()->dropped_stacks);
	return number;
}

/* Where few are recorded, each walk is as good as new. */
static struct walk_memo *memo_for(struct recorder *recorder, uintptr_t sp)
{
	uint64_t hash = (sp >> 4) * UINT64_C(0x9e3779b97f4a7c15);
	return recorder->dense ? &recorder->dense->memo[hash / (UINT64_MAX / RECORDER_MEMOS + 1)]
			       : &recorder->memo;
}

static struct stack stack_of(uint64_t hash, const struct pool *pool, enum walk_end end)
{
	return (struct stack){
		.hash = hash,
		.size_class = pool->size_class,
		.large_log2 = pool->state == POOL_LARGE ? large_log2(pool) : 0,
		.end = end_of(end),
	};
}

/* Less functions of the library. */
__attribute__((noinline)) static struct stack walk_stack(struct recorder *recorder,
							 const struct frame *from,
							 const struct pool *pool)
{
	struct walk_memo *memo = memo_for(recorder, from->sp);
	unsigned depth = walk_again(from, memo, &recorder->fresh), own = 0;
	const uintptr_t *addresses = memo->kept.ip + memo->begin;
	while (own < depth && is_own(addresses[own]))
		own++;
	struct stack stack = stack_of(memo->hash[memo->begin + own], pool, memo->end);
	stack.addresses = addresses + own;
	stack.depth = depth - own;
	if (stack.depth > DEPTH_MAX) {
		stack.depth = DEPTH_MAX;
		stack.end = PM_STACK_CUT;
	} else if (memo->end != WALK_CUT) {
		stack.numbers = &memo->number[memo->begin + own];
	}
	if (recorder->dense)
		known_note(recorder->dense->known, from, memo, stack.hash);
	return stack;
}

/* Less its outer frames. */
static struct stack shortened(const struct stack *stack, unsigned depth)
{
	struct stack shorter = *stack;
	shorter.numbers = NULL;
	shorter.depth = depth;
	shorter.end = depth ? PM_STACK_CUT : PM_STACK_NONE;
	shorter.hash = 0;
	while (depth--)
		shorter.hash = walk_hash(shorter.hash, stack->addresses[depth]);
	return shorter;
}

/* Of the site of that number, 0: none.  Row NULL: no room. */
static struct recent with_row(struct heap *heap, uint32_t number, uint64_t hash)
{
	if (!number)
		return (struct recent){.row = NULL};
	number += heap->events.period * INTERN_SITES;
	return (struct recent){.hash = hash, .row = recorder_row(heap, number), .number = number};
}

static struct recent find_site(struct heap *heap, const struct stack *stack, uint64_t hash)
{
	uint32_t number = intern_find(hash);
	if (!number && intern_has_room(stack->depth))
		number = enter(stack);
	return with_row(heap, number, hash);
}

/* Programs that recurse have more stacks than there is room for: of what comes late the innermost frames count, or the
 * size alone. */
static struct recent find_shorter(struct heap *heap, const struct stack *stack)
{
	static const unsigned depths[] = {INTERN_SHORT, INTERN_TINY, 0};
	struct recent site = {0};
	for (unsigned i = 0; i < sizeof depths / sizeof *depths && !site.row; i++)
		if (stack->depth > depths[i]) {
			struct stack shorter = shortened(stack, depths[i]);
			site = find_site(heap, &shorter, intern_hash(&shorter));
		}
	return site;
}

/* Where one of many stacks are recorded in turn, there is room for as many. */
static struct recent *recent_for(struct recorder *recorder, uint64_t hash)
{
	return recorder->dense ? &recorder->dense->recent[hash % RECORDER_DENSE_RECENT]
			       : &recorder->recent[hash % RECORDER_RECENT];
}

/* Of a stack that was not recorded lately. */
__attribute__((noinline)) static struct recent look_up(struct heap *heap, struct recorder *recorder,
						       const struct frame *from,
						       const struct pool *pool, struct stack *stack,
						       uint64_t hash)
{
	struct recent site = with_row(heap, intern_find(hash), hash);
	if (!site.row && !stack->addresses)
		*stack = walk_stack(recorder, from, pool);
	if (!site.row)
		site = find_site(heap, stack, hash);
	if (!site.row)
		site = find_shorter(heap, stack);
	site.hash = hash;
	site.turn = recorder->turn;
	return site;
}

/* Of a stack that is known the addresses are not. */
static __attribute__((noinline)) const struct recent *search(struct heap *heap,
							     struct recorder *recorder,
							     const struct frame *from,
							     const struct pool *pool,
							     struct known *known)
{
	struct stack stack = known ? stack_of(known->hash, pool, known->end)
				   : walk_stack(recorder, from, pool);
	uint64_t hash = intern_hash(&stack);
	struct recent *recent = recent_for(recorder, hash);
	if (recent->hash != hash || recent->turn != recorder->turn || !recent->row)
		*recent = look_up(heap, recorder, from, pool, &stack, hash);
	if (known) {
		known->recent = *recent;
		known->recent.size = size_of(pool);
	}
	return recent;
}

static inline const struct recent *site_of(struct heap *heap, struct recorder *recorder,
					   const void *frame, const struct pool *pool)
{
	struct frame from = frame_of_caller(frame);
	struct known *known = recorder->dense ? known_find(recorder->dense->known, &from) : NULL;
	if (known && likely(known->recent.row && known->recent.turn == recorder->turn &&
			    known->recent.size == size_of(pool)))
		return &known->recent;
	return search(heap, recorder, &from, pool, known);
}

/* Units of pools get it when the first block is recorded. */
static bool is_beside(const struct heap *heap, const struct pool *pool)
{
	if (period_of(heap) != 1 || pool->state == POOL_LARGE || host_next)
		return false;
	if (likely(records_has_room(pool)))
		return true;
	bool made = recorder_begin();
	if (made) {
		made = records_make_room(pool);
		recorder_end();
	}
	return made;
}

/* Of a block that is alive and the heap's own: nobody else writes its stamp but to age it, and it is young. */
static bool note(struct heap *heap, struct pool *pool, const void *block, size_t requested,
		 uint32_t site)
{
	bool is_large = pool->state == POOL_LARGE;
	uint64_t index = is_large ? 0 : pool_place(pool, block).index;
	uint8_t *stamp = &pool->stamps[index];
	if (is_beside(heap, pool))
		records_put_beside(pool, index, site, requested, *stamp);
	else if (!records_put(heap, pool, index, site, requested,
			      period_of(heap) == 1 && !is_large ? 0 : recorder_order(heap)))
		return false;
	__atomic_store_n(stamp, STAMP_SPECIAL, __ATOMIC_RELEASE); /* behind its record */
	return true;
}

void sites_record(struct heap *heap, struct pool *pool, const void *block, size_t requested,
		  const void *frame)
{
	struct recorder *recorder = life.recording ? recorder_of(heap) : NULL;
	static const struct recent none;
	heap->events.latest = (uintptr_t)block;
	const struct recent *site = recorder ? site_of(heap, recorder, frame, pool) : &none;
	struct pm_site *row = site->row;
	if (!row || !note(heap, pool, block, requested, site->number)) {
		recorder_drop(&life_process()->dropped_blocks);
		return;
	}
	tally_increment(&row->allocated);
	tally_add(&row->allocated_bytes, pool->block_bytes);
	tally_add(&row->requested, requested);
	if (life.settings.repeatable && pool->state != POOL_LARGE)
		tick_live(heap, pool->size_class, pool->block_bytes);
}

/* --- the peak --------------------------------------------------------------------------------------- */

static struct pm_site_then live_of(const struct pm_site *row)
{
	return (struct pm_site_then){
		.live = (int64_t)(row->allocated - row->freed),
		.bytes = (int64_t)(row->allocated_bytes - row->freed_bytes) + row->resized_bytes,
	};
}

static void note_peak(struct pm_site *row, void *unused)
{
	struct pm_site_then now = live_of(row);
	(void)unused;
	row->peak_live = now.live;
	row->peak_bytes = now.bytes;
}

void sites_note_peak(void)
{
	uint64_t live = life_process()->live_now_bytes;
	uint64_t noted = __atomic_load_n(&peak_noted, __ATOMIC_RELAXED);
	bool often = life.settings.repeatable;
	uint64_t share = often ? PEAK_SHARE_REPEATABLE : PEAK_SHARE;
	uint64_t least = often ? PEAK_BYTES_REPEATABLE : PEAK_BYTES;
	if (!sites_period() || live < noted + noted / share + least || !wiped_try(&wiped.entering))
		return;
	__atomic_store_n(&peak_noted, live, __ATOMIC_RELAXED);
	segment_each_row(life.leader, note_peak, NULL);
	wiped_done(&wiped.entering);
}

struct noting {
	unsigned turn;
	uint64_t rows;
};

static void note_epoch(struct pm_site *row, void *context)
{
	struct noting *noting = context;
	row->then[noting->turn] = live_of(row);
	noting->rows++;
}

/* In turn, so that who is killed halfway leaves the other.  A row that comes later has nothing noted, and had nothing. */
void sites_note_epoch(uint64_t allocations)
{
	struct pm_process *process = life_process();
	if (!life.recording || !sites_period() || allocations < note_due ||
	    !wiped_try(&wiped.entering))
		return;
	struct noting noting = {.turn = note_turn ^= 1};
	__atomic_store_n(&process->noted_epoch[noting.turn], 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	segment_each_row(life.leader, note_epoch, &noting);
	__atomic_store_n(&process->noted_epoch[noting.turn], clock_now.epoch, __ATOMIC_RELEASE);
	uint64_t chunks = __atomic_load_n(&segment.header->chunks, __ATOMIC_RELAXED);
	note_due = allocations + noting.rows * ALLOCATIONS_PER_ROW + chunks * ALLOCATIONS_PER_CHUNK;
	wiped_done(&wiped.entering);
}

/* --- beginning --------------------------------------------------------------------------------------- */

/* The countdowns of a forked child begin anew. */
void sites_begin(void)
{
	struct heap *heap;
	__atomic_store_n(&peak_noted, 0, __ATOMIC_RELAXED);
	note_due = 0;
	if (life.process)
		life.process->site_period = sites_period();
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		heap->events.armed = (struct class_set){{0}};
		heap->events.latest = 0;
		heap->events.random = 0;
		sites_follow(heap);
	}
}

bool sites_switch(uint64_t period)
{
	int i = recorder_period(period);
	if (i >= 0)
		__atomic_store_n(&current, (uint32_t)i, __ATOMIC_RELEASE);
	return i >= 0;
}

bool sites_follow(struct heap *heap)
{
	uint32_t now = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	if (heap->events.period == now)
		return false;
	heap->events.period = now;
	heap->events.latest = 0;
	recorder_follow(heap);
	return true;
}

void sites_init(void)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	extern const char etext[] __attribute__((visibility("hidden")));
	uint32_t mode = life.settings.sites.index;
	uint64_t sample = life.settings.sites_period ? life.settings.sites_period : 1;
	bool has_stamps = !host_next || next_has_births();
	if (mode == SITES_NEVER || !has_stamps || !walk_available()) {
		control_init(mode == SITES_NEVER ? PM_CONTROL_NEVER
			     : has_stamps        ? PM_CONTROL_NO_STACKS
						 : PM_CONTROL_NO_BIRTHS,
			     sample);
		return;
	}
	recorder_periods[0] = mode == SITES_OFF ? 0 : mode == SITES_ALL ? 1 : sample;
	own_first = (uintptr_t)__ehdr_start;
	own_last = (uintptr_t)etext;
	life.process->site_period = recorder_periods[0];
	modules_init();
	control_init(PM_CONTROL_OPEN, sample);
}
