/* SPDX-License-Identifier: MIT */
/*
 * remote.c: frees of blocks that another heap owns.
 *
 *   freed by a thread --> its batch for the pool --> pool->remote --> pool->free, by the owner
 *                         private                    one word, atomic
 *
 * The freeing thread counts the free and clears the stamp, so that the block is dead for everybody.  Then it waits
 * in a batch of the thread's heap until there are some 2 KiB of its pool, and one compare-and-swap pushes all of them
 * onto the pool's `remote` list: with a swap for each, the word's cache line would change sides each time.  The owner
 * takes the list over when it runs out of blocks.  A full pool is in no list of its owner's, so the first push to it
 * also puts the pool on the owner's `notified` list.
 *
 * A batch goes when it is full, when another pool needs its place, at each tick of the thread, in malloc_trim() and when
 * the thread ends.  So a thread that falls idle withholds HEAP_BATCHES times HEAP_BATCH_BYTES at most, and keeps as
 * many pools from going back.  Batches of threads that did not survive a fork are lost to the child, so much for each;
 * the forking thread's own is there on both sides, private memory as the lists are, and each side pushes its own.
 *
 * Batches change inside heap_enter(): a signal handler in between finds no heap and pushes what it frees itself.
 */
#include "heap/heap.h"
#include "heap/region.h"

enum { FREES_PER_TICK = 256 };

static void notify(struct heap *owner, struct pool *pool)
{
	struct pool *head = __atomic_load_n(&owner->notified, __ATOMIC_RELAXED);
	do
		pool->notify_next = head;
	while (!__atomic_compare_exchange_n(&owner->notified, &head, pool, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
}

/* Once they are pushed the pool may be gone, unless it waits for the notice. */
static void push(struct pool *pool, void *first, void *last, uint32_t blocks)
{
	struct heap *owner = __atomic_load_n(&pool->owner, __ATOMIC_ACQUIRE);
	if (pool_push_remote(pool, first, last, blocks))
		notify(owner, pool);
}

static void flush(struct batch *batch)
{
	if (batch->pool)
		push(batch->pool, batch->first, batch->last, batch->room - batch->left);
	batch->pool = NULL;
}

void remote_flush(struct heap *heap)
{
	for (unsigned i = 0; i < HEAP_BATCHES; i++)
		flush(&heap->batch[i]);
}

static inline struct batch *batch_for(struct heap *heap, const struct pool *pool)
{
	return &heap->batch[pool->first_unit % HEAP_BATCHES];
}

/* true: now it is full. */
static inline bool put_next(struct batch *batch, void *block)
{
	*(void **)block = batch->first;
	batch->first = block;
	return !--batch->left;
}

/*
 * A batch begins with the second free in a row: where frees go here and there, a block alone would wait and keep its pool
 * from going back.
 */
static void put(struct heap *heap, struct pool *pool, void *block)
{
	struct batch *batch = batch_for(heap, pool);
	if (batch->pool == pool) {
		if (put_next(batch, block))
			flush(batch);
	} else if (batch->seen != pool) {
		flush(batch);
		batch->seen = pool;
		push(pool, block, block, 1);
	} else {
		uint32_t room = (uint32_t)(HEAP_BATCH_BYTES / pool->block_bytes);
		*batch = (struct batch){pool, block, block, room, room - 1, pool};
		pool_set_batched(pool);
	}
}

/* A block of which not even two would make a batch goes at once. */
static void hand_over(struct heap *heap, struct pool *pool, void *block)
{
	if (!heap || pool->block_bytes > HEAP_BATCH_BYTES / 2) {
		push(pool, block, block, 1);
		return;
	}
	heap_enter();
	put(heap, pool, block);
	heap_leave(heap);
}

static void count_free(struct heap *heap, const struct pool *pool, uint64_t index, uint8_t stamp)
{
	if (unlikely(stamp == STAMP_SPECIAL))
		stamp = host_special_died(heap, pool, index);
	if (heap)
		heap_set_ticking(heap, pool->size_class);
	heap_count_free(heap, pool->size_class, stamp);
	heap_count(heap, PM_COUNTER_REMOTE_FREE);
}

/*
 * Nobody else changes the stamp of a block that is freed once, but who ages or freezes it, and they look whether it is what they
 * saw.  (An exchange would find two threads that free it within the same few instructions, and waits for the line each
 * time: a third of the time of a block that is freed elsewhere.)  A special one is found once: its record dies with it.
 */
static inline uint8_t take_stamp(uint8_t *at)
{
	uint8_t stamp = __atomic_load_n(at, __ATOMIC_RELAXED);
	if (unlikely(stamp == STAMP_SPECIAL))
		return __atomic_exchange_n(at, STAMP_FREE, __ATOMIC_ACQ_REL);
	__atomic_store_n(at, STAMP_FREE, __ATOMIC_RELEASE);
	return stamp;
}

/* A thread that only frees must tick, too. */
static inline void tick_after(struct heap *heap, uint32_t blocks)
{
	uint64_t ticks = heap->remote_frees / FREES_PER_TICK;
	heap->remote_frees += blocks;
	if (unlikely(heap->remote_frees / FREES_PER_TICK != ticks))
		heap_tick(heap);
}

static __attribute__((noinline)) void flush_full(struct heap *heap, struct batch *batch)
{
	flush(batch);
	heap_leave(heap);
	tick_after(heap, batch->room);
}

/* Inside a slow path, which this ends.  A heap that has a batch serves, too. */
static inline void put_counted(struct heap *heap, struct batch *batch, void *block)
{
	heap_count(heap, PM_COUNTER_REMOTE_FREE);
	if (unlikely(put_next(batch, block)))
		flush_full(heap, batch);
	else
		heap_leave_to(heap, HEAP_CLASSES);
}

static __attribute__((noinline)) void put_and_move(struct heap *heap, struct batch *batch,
						   void *block, struct pm_tally *tally)
{
	tally_move(tally);
	put_counted(heap, batch, block);
}

static void free_at(struct heap *heap, struct pool *pool, void *block, uint64_t index)
{
	uint8_t stamp = take_stamp(&pool->stamps[index]);
	if (PM_COUNT && unlikely(stamp == STAMP_FREE)) {
		heap_report_bad(pool, block);
		return;
	}
	count_free(heap, pool, index, stamp);
	hand_over(heap, pool, block);
	if (heap)
		tick_after(heap, 1);
}

void remote_free(struct heap *heap, struct pool *pool, void *block)
{
	free_at(heap, pool, block, pool_place(pool, block).index);
}

/* Most blocks are young and not the first of their batch: for these no register is saved. */
void heap_free_remote(void *block, struct pool *pool)
{
	struct heap *heap = heap_mine();
	struct place place = pool_place(pool, block);
	if (unlikely(!heap || pool->owner == OWNER_NONE || !place.exact)) {
		heap_free_slow(block);
		return;
	}
	struct batch *batch = batch_for(heap, pool);
	uint8_t *stamp = &pool->stamps[place.index];
	int64_t weight = stamps.weight[__atomic_load_n(stamp, __ATOMIC_RELAXED)];
	if (batch->pool != pool || (PM_COUNT && unlikely(!weight))) {
		free_at(heap, pool, block, place.index);
		return;
	}
	heap_enter();
	if (unlikely(batch->pool != pool)) { /* a handler freed, too */
		heap_leave(heap);
		free_at(heap, pool, block, place.index);
		return;
	}
	__atomic_store_n(stamp, STAMP_FREE, __ATOMIC_RELEASE);
	if (PM_COUNT) {
		struct pm_tally *tally = heap_counted(heap, &heap->slot->tally[pool->size_class]);
		if (unlikely(tally_freed(tally, weight))) {
			put_and_move(heap, batch, block, tally);
			return;
		}
	}
	put_counted(heap, batch, block);
}

void remote_drain(struct heap *heap)
{
	if (!__atomic_load_n(&heap->notified, __ATOMIC_RELAXED))
		return;
	struct pool *pool = __atomic_exchange_n(&heap->notified, NULL, __ATOMIC_ACQUIRE);
	while (pool) {
		struct pool *next = pool->notify_next;
		pool->asked = false;
		if (pool->state == POOL_FULL)
			bin_activate(heap, pool);
		pool_collect(pool);
		bin_release_if_empty(heap, pool);
		pool = next;
	}
}
