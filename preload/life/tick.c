/* SPDX-License-Identifier: MIT */
/*
 * tick.c: what is done now and then.
 *
 * Each size class of each thread takes a slow call every so many allocations.  Here the counts go to the
 * clock and to the live bytes, the epoch turns, free pages go back, and the segment is brought up to date.
 */
#include "life/recorder.h"
#include "sys/memory.h"
#include "tally/clock.h"

enum {
	TICKS_PER_EPOCH = 8, /* of one busy class */
	TICK_ALLOCATIONS_MIN = 16,
	TICK_ALLOCATIONS_MAX = 8192,
	TICK_UNTIMED = 1024,          /* where no epoch ever turns */
	TIMED_ALLOCATIONS_MAX = 1024, /* of MS: a class that was fast may be slow from now on */
	TICK_BYTES = 1 << 20, /* a class takes its next tick after about so many bytes at the latest */
	LARGE_CHANGES = 64,
	LARGE_CHANGES_TIMED = 8, /* of MS: between large blocks much time may go by */
	LARGE_BYTES_MIN = 256 << 10,
	LARGE_BYTES_MAX = 16 << 20,
	ALLOCATIONS_PER_MS = 1000, /* with repeatable=1 */
};

struct host_pace host_large_pace = {LARGE_CHANGES, LARGE_BYTES_MAX, HEAP_LIVE_HELD};

/* 1: of another allocator, of which none was seen yet. */
static size_t unit_of(unsigned size_class)
{
	size_t unit = life_unit(size_class);
	return unit ? unit : 1;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

/*
 * Allocations of the class in an eighth of an epoch, when it has seen `allocations` so far: as many as NET can
 * rise by, as bytes have room for, or as there were on average in that time.
 */
static uint64_t tick_share(unsigned size_class, uint64_t allocations)
{
	uint64_t share = clock_now.length / TICKS_PER_EPOCH;
	if (host_next && !next_has_births())
		return TICK_UNTIMED;
	if (clock_now.kind == PM_CLOCK_BYTES)
		return share / unit_of(size_class);
	if (clock_now.kind != PM_CLOCK_MS)
		return share;
	uint64_t shares = TICKS_PER_EPOCH * clock_now.units / clock_now.length;
	return at_most(allocations / (shares + 1), TIMED_ALLOCATIONS_MAX);
}

/* Allocations of the class until its next tick. */
static int64_t tick_interval(unsigned size_class, uint64_t allocations)
{
	uint64_t count = tick_share(size_class, allocations);
	count = at_most(count, TICK_BYTES / unit_of(size_class));
	count = at_most(count, TICK_ALLOCATIONS_MAX);
	return count < TICK_ALLOCATIONS_MIN ? TICK_ALLOCATIONS_MIN : (int64_t)count;
}

/*
 * The next event of a class is its tick or the next block that is recorded, whichever comes first.  That is drawn anew each
 * time: how far off it is does not hang on how far off it was.
 */
static void arm_event(struct heap *heap, unsigned size_class)
{
	struct host_events *events = &heap->events;
	uint64_t until = events->until_tick[size_class];
	uint64_t gap = sites_gap(heap, life_unit(size_class));
	class_put(&events->recording, size_class, gap <= until);
	class_put(&events->armed, size_class, true);
	until = at_most(gap, until);
	events->until_tick[size_class] -= (uint16_t)until;
	tally_arm(heap_counted(heap, &heap->slot->tally[size_class]), (int64_t)until - 1);
}

static void arm(struct heap *heap, unsigned size_class)
{
	const struct pm_tally *tally = heap_counted(heap, &heap->slot->tally[size_class]);
	int64_t interval = tick_interval(size_class, tally_allocations(tally));
	heap->events.until_tick[size_class] = (uint16_t)(interval + 1);
	arm_event(heap, size_class);
}

/* The first event of a class comes with its first block, whether that is to be recorded or not. */
static bool is_recorded(struct heap *heap, unsigned size_class)
{
	struct host_events *events = &heap->events;
	if (class_is_in(&events->armed, size_class))
		return class_is_in(&events->recording, size_class);
	return sites_gap(heap, life_unit(size_class)) == 1;
}

void tick_arm(struct heap *heap)
{
	for (unsigned size_class = 0; size_class < CLASS_POOLED; size_class++)
		if (heap_is_ticking(heap, size_class))
			arm(heap, size_class);
}

/* Large blocks take no countdown; their bytes alone can end an epoch of BYTES. */
void tick_pace_large(void)
{
	if (life.settings.repeatable)
		host_large_pace.held = 0;
	uint64_t share = clock_now.length / TICKS_PER_EPOCH;
	if (clock_now.kind == PM_CLOCK_MS)
		host_large_pace.changes = LARGE_CHANGES_TIMED;
	if (clock_now.kind == PM_CLOCK_BYTES)
		host_large_pace.bytes = share < LARGE_BYTES_MIN ? LARGE_BYTES_MIN
								: at_most(share, LARGE_BYTES_MAX);
}

void host_live_changed(int64_t bytes)
{
	if (peak_changed(bytes))
		timeline_note(0);
}

/* Hands on at once what the next tick would: no peak goes unseen between two of them. */
void tick_live(struct heap *heap, unsigned size_class, int64_t bytes)
{
	heap_set_ticking(heap, size_class);
	__atomic_add_fetch(&heap->live_seen, bytes, __ATOMIC_RELAXED);
	if (!peak_changed(bytes))
		return;
	timeline_note(0);
	sites_note_peak();
}

/* What the heap has counted in the classes it uses. */
struct sums {
	uint64_t allocations, allocated_bytes, frees;
	int64_t live_bytes; /* of pools; large blocks have said so themselves */
};

static void add_class(struct heap *heap, unsigned size_class, struct sums *sums)
{
	const struct pm_tally *tally = heap_counted(heap, &heap->slot->tally[size_class]);
	uint64_t allocations = tally_allocations(tally), frees = tally_frees(tally);
	int64_t live = (int64_t)(allocations - frees);
	sums->allocations += allocations;
	sums->allocated_bytes += allocations * life_unit(size_class);
	sums->frees += frees;
	sums->live_bytes += live * (int64_t)life_unit(size_class);
}

static void add_large(struct heap *heap, struct sums *sums)
{
	const struct pm_tally *blocks = heap_counted(heap, &heap->slot->tally[CLASS_LARGE]);
	const struct pm_tally *bytes = heap_counted(heap, &heap->slot->tally[CLASS_LARGE_BYTES]);
	sums->allocations += tally_allocations(blocks);
	sums->allocated_bytes += tally_allocations(bytes);
	sums->frees += tally_frees(blocks);
}

static struct sums sum_up(struct heap *heap)
{
	struct sums sums = {0};
	unsigned size_class;
	CLASS_EACH(size_class, &heap->ticking)
	add_class(heap, size_class, &sums);
	add_large(heap, &sums);
	return sums;
}

/* A class that began to tick, or epochs that became longer: how much can come and go between two ticks? */
static void bound_interval(struct heap *heap)
{
	uint64_t bytes = HEAP_LIVE_HELD;
	if (heap->interval_length == clock_now.length)
		return;
	heap->interval_length = clock_now.length;
	for (unsigned size_class = 1; size_class < CLASS_POOLED; size_class++)
		if (heap_is_ticking(heap, size_class))
			bytes += (uint64_t)tick_interval(size_class, UINT64_MAX) *
				 life_unit(size_class);
	__atomic_add_fetch(&life.interval_bytes, bytes - heap->interval_seen, __ATOMIC_RELAXED);
	heap->interval_seen = bytes;
}

/* Of a heap that frees what others allocate, NET counts below 0. */
static uint64_t clock_total(const struct sums *sums)
{
	switch (clock_now.kind) {
	case PM_CLOCK_BYTES: return sums->allocated_bytes;
	case PM_CLOCK_NET: return sums->allocations - sums->frees;
	default: return sums->allocations;
	}
}

static void feed_clock(struct heap *heap, const struct sums *sums)
{
	if (clock_now.kind == PM_CLOCK_MS) {
		clock_show(host_milliseconds()); /* asked for: not even repeatable=1 makes it another clock */
		return;
	}
	uint64_t total = clock_total(sums);
	clock_count((int64_t)(total - heap->clock_seen));
	heap->clock_seen = total;
}

void tick_flush(struct heap *heap)
{
	threads_drain_private(heap);
	struct sums sums = sum_up(heap);
	feed_clock(heap, &sums);
	__atomic_add_fetch(&life.allocations, sums.allocations - heap->allocs_seen,
			   __ATOMIC_RELAXED);
	heap->allocs_seen = sums.allocations;
	peak_hand_on(heap, sums.live_bytes);
	bound_interval(heap);
	peak_bound();
}

enum { WAIT_TURNS = 300 };

bool tick_hold(void)
{
	return wiped_wait(&wiped.advancing, WAIT_TURNS);
}

void tick_release(void)
{
	wiped_done(&wiped.advancing);
}

void tick_sweep(unsigned generation)
{
	uint64_t allocations = survival_turn(generation);
	tick_pace_large();
	ageing_pass_if_due();
	publish_pools_if_due(allocations);
	sites_note_epoch(allocations);
}

static void turn_epoch(void)
{
	if (!clock_is_due() || !wiped_try(&wiped.advancing))
		return;
	if (clock_is_due())
		tick_sweep(clock_choose());
	tick_release();
}

/* What purges wait by, milliseconds. */
static uint64_t purge_time(uint64_t now_ns)
{
	return life.settings.repeatable
		       ? __atomic_load_n(&life.allocations, __ATOMIC_RELAXED) / ALLOCATIONS_PER_MS
		       : now_ns / 1000000;
}

static void purge_when_due(uint64_t now)
{
	uint64_t due = __atomic_load_n(&life.next_purge_ms, __ATOMIC_RELAXED);
	if (now < due ||
	    !__atomic_compare_exchange_n(&life.next_purge_ms, &due, now + life.settings.purge_ms,
					 false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	heap_tend_abandoned(false);
	large_flush_heaps(false);
	if (!arena_purge_part())
		__atomic_store_n(&life.next_purge_ms, now, __ATOMIC_RELAXED); /* at the next tick */
}

static void purge_sparse_when_due(struct heap *heap, uint64_t now)
{
	if (now < heap->sparse_due_ms)
		return;
	size_t bytes;
	remote_drain(heap); /* one that never runs out of blocks does not come to it else */
	if (sparse_purge_part(heap, &bytes))
		heap->sparse_due_ms = now + life.settings.purge_ms;
}

void tick_keep_spares(unsigned count)
{
	for (unsigned i = 0; life.recording && !segment.full && i < count; i++)
		life.spare[i] = segment_renew_spare(life.spare[i]);
}

/* Only those that fork: a leaf, perhaps inside a sandbox, makes no areas. */
static void keep_spares_if_forking(void)
{
	if (life_process()->children)
		tick_keep_spares(LIFE_SPARES);
}

/* What a slow call that looks at the process's figures does first. */
static void catch_up(struct heap *heap)
{
	fork_check(heap);
	threads_rejoin(heap);
	remote_flush(heap);
}

void tick_catch_up(struct heap *heap)
{
	catch_up(heap);
	tick_flush(heap);
}

static void tick(struct heap *heap)
{
	tick_flush(heap);
	turn_epoch();
	uint64_t now_ns = threads_clock_ns(), now = purge_time(now_ns);
	purge_when_due(now);
	purge_sparse_when_due(heap, now);
	keep_spares_if_forking();
	publish_process();
	timeline_note(now_ns);
	sites_note_peak();
	control_look(heap);
}

void host_tick(struct heap *heap)
{
	if (!life.started)
		return;
	catch_up(heap);
	tick(heap);
}

static void tick_class(struct heap *heap, unsigned size_class)
{
	catch_up(heap);
	arm(heap, size_class);
	heap_count(heap, PM_COUNTER_TICKS);
	tick(heap);
}

/* Where each block is recorded the next event is the next block: the countdown has run out, and stays so. */
static inline bool is_next_due(struct heap *heap, unsigned size_class)
{
	struct host_events *events = &heap->events;
	if (!wiped.alive || recorder_periods[events->period] != 1 ||
	    !class_is_in(&events->armed, size_class) ||
	    !class_is_in(&events->recording, size_class) || !events->until_tick[size_class])
		return false;
	events->until_tick[size_class]--;
	return true;
}

void host_due(struct heap *heap, struct pool *pool, void *block, size_t requested, const void *frame)
{
	unsigned size_class = pool->size_class;
	if (is_next_due(heap, size_class)) {
		sites_record(heap, pool, block, requested, frame);
		return;
	}
	if (!life.started) {
		heap_set_ticking(heap, size_class);
		tally_arm(heap_counted(heap, &heap->slot->tally[size_class]), TICK_ALLOCATIONS_MIN);
		return;
	}
	fork_check(heap);
	heap_set_ticking(heap, size_class);
	if (is_recorded(heap, size_class))
		sites_record(heap, pool, block, requested, frame);
	tick_due(heap, size_class);
}

void tick_due(struct heap *heap, unsigned size_class)
{
	heap_set_ticking(heap, size_class);
	if (class_is_in(&heap->events.armed, size_class) && heap->events.until_tick[size_class])
		arm_event(heap, size_class);
	else
		tick_class(heap, size_class);
}

void host_large_due(struct heap *heap, struct pool *pool, size_t requested, const void *frame)
{
	if (!life.started)
		return;
	fork_check(heap);
	control_look(heap);
	if (sites_gap(heap, sites_large_unit(pool->block_bytes)) == 1)
		sites_record(heap, pool, pool->start, requested, frame);
	sites_note_peak();
}
