/* SPDX-License-Identifier: MIT */
/*
 * deaths.c: what becomes of recorded blocks: they are resized, moved, frozen, and freed.
 *
 *   a block of STAMP_SPECIAL --> its record, of records.h --> its row, of recorder.h: + 1 freed, of its age
 */
#include "heap/frozen.h"
#include "life/recorder.h"
#include "life/records.h"
#include "tally/clock.h"

/* What is needed of a recorded block that dies. */
struct death {
	uint64_t address, requested, bytes, epoch, order;
	uint32_t site, descent;
	uint8_t stamp;
	bool is_own; /* of the heap that frees it */
};

/* The stamp tells the age until an ageing pass would have turned it: the epoch and the table of ages do not change as one. */
static inline uint8_t stamp_now(uint64_t epoch, uint8_t stamp)
{
	bool is_old = clock_now.epoch - epoch >= CLOCK_OLD_AGE + CLOCK_AGEING_PERIOD;
	return is_old ? STAMP_OLD : stamp;
}

/* Whether the thread of the heap has allocated nothing since. */
static inline bool is_latest(struct heap *heap, const struct death *death)
{
	return death->address == heap->events.latest &&
	       (!death->order || death->order == recorder_order(heap));
}

/* A forked child that is not settled yet counts what it inherited by the stamps, and not in rows. */
static inline __attribute__((always_inline)) void count_death(struct heap *heap,
							      const struct death *death)
{
	if (!wiped.alive || !life.recording)
		return;
	struct pm_site *row = recorder_row(heap, death->site);
	if (!row) {
		recorder_drop(&life_process()->dropped_blocks);
		return;
	}
	if (death->descent != records_descent()) {
		recorder_add(heap, &row->inherited, 1);
		return;
	}
	recorder_add(heap, &row->died[stamp_age(death->stamp)], 1);
	if (!death->is_own)
		recorder_add(heap, &row->remote, 1);
	else if (clock_now.epoch == death->epoch && is_latest(heap, death))
		recorder_add(heap, &row->temporary, 1);
	recorder_add(heap, &row->freed_requested, death->requested);
	recorder_add(heap, &row->freed_bytes, death->bytes);
	recorder_add(heap, &row->freed, 1);
}

static uint8_t stamp_of(const struct recorded *recorded)
{
	return recorded->is_frozen ? STAMP_OLD : stamp_now(recorded->epoch, recorded->stamp);
}

/* One that is found by address. */
static uint8_t died(struct heap *heap, const struct recorded *recorded)
{
	struct death death = {
		.address = recorded->address,
		.requested = recorded->requested,
		.bytes = recorded->bytes,
		.epoch = recorded->epoch,
		.order = recorded->order,
		.site = recorded->site,
		.descent = recorded->descent,
		.stamp = stamp_of(recorded),
		.is_own = heap && heap->index == recorded->heap,
	};
	if (recorded->is_frozen)
		survival_frozen_died(recorded->size_class, recorded->bytes);
	if (recorded->is_module)
		modules_closed(recorded->address);
	if (recorded->site)
		count_death(heap, &death);
	return death.stamp;
}

/*
 * One that stands beside its pool.  `at` its stamp, if that is still special: it changes before the record goes.
 * Word by word, and not as a struct that is put together on the stack: where each block is recorded that is the time it takes.
 */
static inline uint8_t died_beside(struct heap *heap, const struct pool *pool, uint64_t index,
				  struct beside_entry *entry, uint8_t *at)
{
	uint64_t epoch = records_epoch(entry);
	struct death death = {
		.address = (uintptr_t)records_block(pool, index),
		.requested = entry->requested,
		.bytes = pool->block_bytes,
		.epoch = epoch,
		.site = entry->site,
		.descent = entry->descent,
		.stamp = entry->is_frozen ? STAMP_OLD : stamp_now(epoch, entry->stamp),
		.is_own = pool->owner == heap,
	};
	if (unlikely(entry->is_frozen))
		survival_frozen_died(pool->size_class, pool->block_bytes);
	if (at)
		__atomic_store_n(at, death.stamp, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	beside_clear(entry);
	count_death(heap, &death);
	return death.stamp;
}

static uint8_t found_died(struct heap *heap, struct recorded *found, unsigned size_class,
			  size_t block_bytes)
{
	struct recorded recorded = {
		.bytes = block_bytes, .size_class = (uint8_t)size_class, .is_frozen = true};
	if (found) {
		recorded = *found;
		blocks_remove(found);
	}
	return died(heap, &recorded);
}

static inline uint8_t special_died(struct heap *heap, const struct pool *pool, uint64_t index,
				   struct beside_entry *entry, uint8_t *at)
{
	if (unlikely(life.settings.repeatable) && heap && life.started && wiped.alive)
		tick_live(heap, pool->size_class, -(int64_t)pool->block_bytes);
	if (likely(entry))
		return died_beside(heap, pool, index, entry, at);
	return found_died(heap, blocks_find(records_block(pool, index)), pool->size_class,
			  pool->block_bytes);
}

uint8_t host_special_died(struct heap *heap, const struct pool *pool, uint64_t index)
{
	return special_died(heap, pool, index, records_beside(pool, index), NULL);
}

/*
 * Of two threads that give back what is frozen and free it, one finds the special stamp.  What is recorded beside its pool
 * nobody but the owner gives another one, and needs no exchange, which takes as long as all else here.
 */
uint8_t host_special_freed(struct heap *heap, struct pool *pool, uint64_t index)
{
	struct beside_entry *entry = records_beside(pool, index);
	uint8_t *stamp = &pool->stamps[index];
	if (unlikely(!entry) && !frozen_thaw(stamp))
		return STAMP_FREE;
	return special_died(heap, pool, index, entry, stamp);
}

struct recorded *host_large_recorded(const void *block)
{
	return blocks_find(block);
}

uint8_t host_large_died(struct heap *heap, struct recorded *found, size_t block_bytes)
{
	return found_died(heap, found, CLASS_LARGE, block_bytes);
}

bool host_is_recorded(const struct pool *pool, uint64_t index)
{
	return records_beside(pool, index) || blocks_find(records_block(pool, index));
}

/* Of a block that lives; NULL: it is not this process's to count. */
static struct pm_site *row_of_block(const struct recorded *recorded)
{
	bool is_counted = recorded->site && wiped.alive && recorded->descent == records_descent();
	return is_counted ? recorder_row(heap_mine(), recorded->site) : NULL;
}

void host_special_resized(const struct pool *pool, uint64_t index, size_t requested)
{
	struct recorded recorded;
	struct pm_site *row = records_look(pool, index, &recorded) ? row_of_block(&recorded) : NULL;
	if (!row)
		return;
	recorder_add(heap_mine(), (uint64_t *)&row->resized_requested,
		     requested - recorded.requested);
	records_resize(pool, index, requested);
}

void host_special_moved(const struct pool *pool, uint64_t index)
{
	struct recorded recorded;
	struct pm_site *row = records_look(pool, index, &recorded) ? row_of_block(&recorded) : NULL;
	if (row)
		recorder_add(heap_mine(), &row->moved, 1);
}

bool sites_take(const void *block, struct recorded *ret_recorded)
{
	struct recorded *recorded = blocks_find(block);
	if (!recorded)
		return false;
	*ret_recorded = *recorded;
	blocks_remove(recorded);
	return true;
}

uint8_t sites_died(struct heap *heap, const struct recorded *taken)
{
	return died(heap, taken);
}

void sites_stayed(struct recorded *taken, size_t requested, int64_t more_bytes)
{
	struct pm_site *row = row_of_block(taken);
	if (row) {
		recorder_add(heap_mine(), (uint64_t *)&row->resized_requested,
			     requested - taken->requested);
		recorder_add(heap_mine(), (uint64_t *)&row->resized_bytes, (uint64_t)more_bytes);
	}
	taken->requested = requested;
	taken->bytes += (uint64_t)more_bytes;
}

bool sites_put_back(const struct recorded *taken)
{
	if (blocks_put(taken))
		return true;
	recorder_drop(&life_process()->dropped_blocks);
	return false;
}

uint8_t sites_stamp(const struct recorded *taken)
{
	return stamp_of(taken);
}

void sites_moved(const void *block)
{
	struct recorded *recorded = blocks_find(block);
	struct pm_site *row = recorded ? row_of_block(recorded) : NULL;
	if (row)
		recorder_add(heap_mine(), &row->moved, 1);
}

bool sites_resized(const void *block, int64_t bytes, uint8_t *ret_stamp)
{
	struct recorded *recorded = blocks_find(block);
	if (!recorded)
		return true;
	*ret_stamp = stamp_of(recorded);
	recorded->bytes += (uint64_t)bytes;
	struct pm_site *row = row_of_block(recorded);
	if (row)
		recorder_add(heap_mine(), (uint64_t *)&row->resized_bytes, (uint64_t)bytes);
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
	records_each(freeze, ret_more);
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
	records_each(unfreeze, NULL);
}

static void correct(struct recorded *recorded, void *context)
{
	struct survival_begun *begun = context;
	uint64_t *blocks = begun->of[recorded->size_class];
	unsigned generation = clock_generation(stamp_of(recorded));
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
	records_each(correct, begun);
}
