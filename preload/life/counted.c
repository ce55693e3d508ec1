/* SPDX-License-Identifier: MIT */
/*
 * counted.c: heap=next, the calls that another allocator serves.
 *
 *   malloc --> no class is served here --> the next malloc --> the block's usable size --> the counter of that size
 *
 * Each thread has a heap that hands out nothing: its slot counts, and it ticks.  A size class stands for the first usable
 * size that comes in its range, so that bytes are exact; what has another size, or is larger than any class, is counted as
 * a large block.  The stamps of births stand by address (heap/births.h), unless gen=off; what the allocator frees and has no
 * stamp there was not counted when it came.  A block whose call site is recorded has STAMP_SPECIAL there, as ours do.
 *
 * What a call costs is its own time, so malloc and free come here by a pointer, which is that of the functions for glibc
 * or another, with births or without.
 */
#include "heap/births.h"
#include "life/next.h"
#include "life/recorder.h"
#include "stack/blocks.h"

#include <errno.h>

/* A constant in the functions that malloc and free come to. */
struct how {
	bool by_word, has_births;
};

static struct how how_now; /* by_word: atomic */

/* Frees, and allocations without a countdown: so many, or about a megabyte of them, until the heap ticks. */
enum { CHANGES_PER_TICK = 4096, BYTES_PER_CHANGE_LOG2 = 8 };

#define always_inline inline __attribute__((always_inline))

/* --- the size of a block ----------------------------------------------------------------------------- */

/*
 * glibc notes the size of a block in the word before it, with three bits of its own, and uses all but that word; of a block
 * with a mapping of its own two words are lost.  Its malloc_usable_size() asks the next block, too, which costs a line of
 * the cache.  So the word is read here, as long as the first block of each size agrees with what glibc says.
 */
enum { GLIBC_IN_USE = 1, GLIBC_MAPPED = 2, GLIBC_OTHER_ARENA = 4 };

/* Of a block with a mapping of its own no size that a class has. */
static always_inline size_t word_size(const void *block)
{
	size_t word = ((const size_t *)block)[-1];
	return (word & ~(size_t)(GLIBC_IN_USE | GLIBC_OTHER_ARENA)) - sizeof word;
}

/*
 * By usable size: its class, once it is known whether that stands for it, and CLASS_LARGE if it does not; 0: look_at() it.  So
 * one compare finds the many that have a counter of their own.
 */
enum { SIZE_GRAIN_LOG2 = 3 };
static uint8_t class_at[(CLASS_MAX >> SIZE_GRAIN_LOG2) + 1]; /* atomic */

/* The place there.  Of a size that is no multiple of 8 it is beyond any: the lower bits come on top. */
static always_inline size_t place_of(size_t usable)
{
	return usable >> SIZE_GRAIN_LOG2 | usable << (8 * sizeof usable - SIZE_GRAIN_LOG2);
}

/* The processes of a segment agree.  Returns whether the class stands for that size. */
static bool claim(unsigned size_class, uint32_t bytes)
{
	uint32_t now = 0, *shared = NULL;
	if (life.recording) {
		const struct pm_header *header = segment.header;
		struct pm_class *classes = (struct pm_class *)((char *)header + sizeof *header);
		shared = &classes[size_class].block_bytes;
	}
	if (!shared || __atomic_compare_exchange_n(shared, &now, bytes, false, __ATOMIC_RELEASE,
						   __ATOMIC_RELAXED))
		now = bytes;
	__atomic_store_n(&life.block_bytes[size_class], now, __ATOMIC_RELAXED);
	return now == bytes;
}

struct size {
	size_t usable;
	unsigned size_class;
};

static void choose_calls(void);

/* Of a size that is not known yet, or no class has. */
__attribute__((noinline)) static struct size look_at(void *block)
{
	struct size size = {foreign.usable(block), CLASS_LARGE};
	if (size.usable - 1 >= CLASS_MAX)
		return size;
	if (how_now.by_word && word_size(block) != size.usable) {
		how_now.by_word = false;
		choose_calls();
	}
	unsigned size_class = class_of(size.usable);
	uint32_t bytes = __atomic_load_n(&life.block_bytes[size_class], __ATOMIC_RELAXED);
	if (bytes ? bytes == size.usable : claim(size_class, (uint32_t)size.usable))
		size.size_class = size_class;
	size_t place = place_of(size.usable);
	if (place < sizeof class_at)
		__atomic_store_n(&class_at[place], (uint8_t)size.size_class, __ATOMIC_RELAXED);
	return size;
}

static always_inline struct size size_of(void *block, struct how how)
{
	size_t usable = how.by_word ? word_size(block) : foreign.usable(block);
	size_t place = place_of(usable);
	bool is_there = likely(place < sizeof class_at);
	return (struct size){
		.usable = usable,
		.size_class = is_there ? __atomic_load_n(&class_at[place], __ATOMIC_RELAXED) : 0,
	};
}

/* Whether that says all. */
static always_inline bool has_counter(struct size size)
{
	return likely(size.size_class - 1 < CLASS_LARGE - 1);
}

static struct size known_size(void *block)
{
	struct size size = size_of(block, how_now);
	return size.size_class ? size : look_at(block);
}

/* What tells where its stamp is: blocks of glibc are never small in that sense. */
static always_inline size_t birth_size(size_t usable, struct how how)
{
	return how.by_word ? BIRTHS_SMALL + 1 : usable;
}

/* --- what comes -------------------------------------------------------------------------------------- */

/* Like heap_here(), where no heap serves a class. */
static struct heap *heap_that_counts(void)
{
	struct heap *heap = heap_thread.heap;
	return likely(heap) ? heap : host_heap();
}

static always_inline struct pm_tally *tally_of(const struct heap *heap, unsigned size_class)
{
	return heap_counted(heap, &heap->slot->tally[size_class]);
}

static void tick(struct heap *heap)
{
	heap->changes_left = CHANGES_PER_TICK - 1;
	heap_tick(heap);
}

static always_inline bool is_time(struct heap *heap, size_t usable)
{
	heap->changes_left -= 1 + (int64_t)(usable >> BYTES_PER_CHANGE_LOG2);
	return heap->changes_left < 0;
}

static void changed(struct heap *heap, size_t usable)
{
	if (is_time(heap, usable))
		tick(heap);
}

/* What the rest of life/ knows a block by: a pool that has no other. */
struct lone_pool {
	_Alignas(struct pool) char pool[sizeof(struct pool)];
	uint8_t stamp;
};

static struct pool *describe(struct lone_pool *lone, struct size size, void *block)
{
	struct pool *pool = (struct pool *)lone->pool;
	*pool = (struct pool){
		.start = block,
		.reciprocal = 1, /* its first byte has index 0 */
		.capacity = 1,
		.threaded = 1,
		.block_bytes = size.usable,
		.size_class = (uint8_t)size.size_class,
		.state = size.size_class == CLASS_LARGE ? POOL_LARGE : POOL_FULL,
	};
	lone->stamp = stamps.now;
	return pool;
}

/* Its record is there: its free is to find it. */
static void keep_stamp(const struct lone_pool *lone, struct size size, const void *block)
{
	if (lone->stamp == STAMP_SPECIAL)
		births_put(block, size.usable, STAMP_SPECIAL);
}

/* The countdown of its class ran out.  Returns the block.  Words, no struct: it would go through memory. */
__attribute__((noinline)) static void *due(struct heap *heap, size_t usable, unsigned size_class,
					   void *block, size_t requested)
{
	struct size size = {usable, size_class};
	struct lone_pool lone;
	heap_enter();
	host_due(heap, describe(&lone, size, block), block, requested, HOST_FRAME());
	heap_leave(heap);
	keep_stamp(&lone, size, block);
	return block;
}

static void count_large(struct heap *heap, struct size size, void *block, size_t requested)
{
	struct lone_pool lone;
	large_count_alloc(heap, size.usable);
	if (!heap)
		return;
	if (recorder_periods[heap->events.period]) {
		heap_enter();
		host_large_due(heap, describe(&lone, size, block), requested, HOST_FRAME());
		heap_leave(heap);
		keep_stamp(&lone, size, block);
	}
	changed(heap, size.usable);
}

/* Of a signal handler inside, or of a thread past its end: the shared slot has no countdown. */
static void count_nested(unsigned size_class)
{
	heap_count(NULL, PM_COUNTER_NESTED);
	host_add_shared(offsetof(struct pm_slot, tally[size_class].limit[0]), 1);
}

static void count(struct heap *heap, struct size size, void *block, size_t requested)
{
	if (size.size_class == CLASS_LARGE)
		count_large(heap, size, block, requested);
	else if (!heap)
		count_nested(size.size_class);
	else if (tally_allocated(tally_of(heap, size.size_class)))
		due(heap, size.usable, size.size_class, block, requested);
}

/* None, or one of no known class, with no place for its stamp yet, or of a thread that has no heap. */
__attribute__((noinline)) static void *came(void *block, size_t requested)
{
	struct heap *heap = heap_that_counts();
	if (!block) {
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	struct size size = known_size(block);
	heap_add(heap, offsetof(struct pm_slot, counter[PM_COUNTER_REQUESTED]), requested);
	if (how_now.has_births)
		births_put(block, size.usable, stamps.now);
	count(heap, size, block, requested);
	return block;
}

/* The rare ways end in calls that nothing follows, so that this one saves few registers. */
static always_inline void *counted(void *block, size_t requested, struct how how)
{
	struct heap *heap = heap_thread.heap;
	if (unlikely(!block || !heap))
		return came(block, requested);
	struct size size = size_of(block, how);
	if (!has_counter(size))
		return came(block, requested);
	if (how.has_births &&
	    unlikely(!births_put_again(block, birth_size(size.usable, how), stamps.now)))
		return came(block, requested);
	struct pm_slot *slot = heap_counted(heap, heap->slot);
	tally_add(&slot->counter[PM_COUNTER_REQUESTED], requested);
	if (unlikely(tally_allocated(&slot->tally[size.size_class])))
		return due(heap, size.usable, size.size_class, block, requested);
	return block;
}

/* --- what goes --------------------------------------------------------------------------------------- */

/* A thread that only frees comes to no event of a class, which would bring each of its frees here. */
static void arm_if_never(struct heap *heap, unsigned size_class)
{
	if (tally_of(heap, size_class)->left || !life.started)
		return;
	heap_enter();
	fork_check(heap);
	tick_due(heap, size_class);
	heap_leave(heap);
}

static void count_gone(struct heap *heap, struct size size, unsigned age)
{
	if (size.size_class == CLASS_LARGE) {
		large_count_free(heap, size.usable, age);
	} else if (!heap) { /* of a thread past its end */
		host_add_shared(offsetof(struct pm_slot, tally[size.size_class].freed[age]), 1);
	} else {
		heap_set_ticking(heap, size.size_class);
		tally_increment(&tally_of(heap, size.size_class)->freed[age]);
		arm_if_never(heap, size.size_class);
	}
	if (heap)
		changed(heap, size.usable);
}

/* A block that goes.  All that is known by its address is taken out: once it is given back that may be another's. */
struct end {
	struct size size;
	uint8_t stamp;
	bool is_recorded;
	struct recorded recorded;
};

static void take_out(void *block, struct end *ret_end)
{
	ret_end->size = known_size(block);
	ret_end->stamp = stamps.now;
	if (how_now.has_births)
		ret_end->stamp = births_take(block, ret_end->size.usable);
	ret_end->is_recorded = ret_end->stamp == STAMP_SPECIAL &&
			       sites_take(block, &ret_end->recorded);
}

/* With repeatable=1 a recorded block was seen to live at once, and is seen to go at once. */
static void see(struct heap *heap, struct size size, int64_t bytes)
{
	if (unlikely(life.settings.repeatable) && heap && size.size_class != CLASS_LARGE &&
	    life.started && wiped.alive)
		tick_live(heap, size.size_class, bytes);
}

/* What has no stamp came before us, or past us. */
static void count_end(struct heap *heap, const struct end *end)
{
	uint8_t stamp = end->stamp;
	if (stamp == STAMP_FREE) {
		heap_count(heap, PM_COUNTER_FOREIGN_FREE);
		return;
	}
	if (end->is_recorded) {
		see(heap, end->size, -(int64_t)end->size.usable);
		stamp = sites_died(heap, &end->recorded);
	}
	count_gone(heap, end->size, stamp_age(stamp));
}

/* One of no known class, of a stamp that tells no age, or of a thread that has no heap. */
__attribute__((noinline)) static void free_rare(void *block)
{
	int saved = errno;
	struct end end;
	if (block) {
		take_out(block, &end);
		count_end(heap_that_counts(), &end);
	}
	errno = saved;
	foreign.free(block);
}

__attribute__((noinline)) static void tick_and_free(struct heap *heap, void *block)
{
	int saved = errno;
	tick(heap);
	errno = saved;
	foreign.free(block);
}

/* A class that the heap has not counted in yet was never armed: nothing is left in its countdown. */
static always_inline void count_and_free(void *block, struct how how)
{
	struct heap *heap = heap_thread.heap;
	if (unlikely(!block || !heap)) {
		free_rare(block);
		return;
	}
	struct size size = size_of(block, how);
	struct pm_tally *tally = tally_of(heap, size.size_class);
	if (!has_counter(size) || unlikely(!tally->left)) {
		free_rare(block);
		return;
	}
	if (how.has_births) {
		uint8_t *stamp = births_at(block, birth_size(size.usable, how));
		intptr_t at = (intptr_t)tally;
		if (unlikely(!stamp) || (unlikely(*stamp != stamps.now) &&
					 unlikely((at = stamp_tally(*stamp, at)) < 0))) {
			free_rare(block);
			return;
		}
		*stamp = STAMP_FREE;
		tally = (struct pm_tally *)at;
	}
	tally_increment(tally->freed);
	if (unlikely(is_time(heap, size.usable)))
		tick_and_free(heap, block);
	else
		foreign.free(block);
}

/* --- what changes its size --------------------------------------------------------------------------- */

static void put_back(void *block, size_t usable, const struct end *end)
{
	uint8_t stamp = end->stamp;
	if (!how_now.has_births || stamp == STAMP_FREE)
		return;
	if (end->is_recorded && !sites_put_back(&end->recorded))
		stamp = sites_stamp(&end->recorded);
	births_put(block, usable, stamp);
}

/* As if it had not been counted.  Its countdown stays. */
static void take_back(struct heap *heap, struct size size)
{
	struct pm_tally *tally = tally_of(heap, size.size_class);
	tally_add((uint64_t *)&tally->limit[tally->left & 1], UINT64_MAX);
	if (size.size_class == CLASS_LARGE)
		large_count_bytes(heap, -(int64_t)size.usable);
	else
		heap_set_ticking(heap, size.size_class);
}

/* Of another thread, or inherited, perhaps: no count of the thread goes below 0. */
static bool can_take_back(struct heap *heap, struct size size)
{
	if (!heap || (int64_t)tally_allocations(tally_of(heap, size.size_class)) <= 0)
		return false;
	return size.size_class != CLASS_LARGE ||
	       tally_allocations(tally_of(heap, CLASS_LARGE_BYTES)) >= size.usable;
}

/* A block that is none anew. */
static void count_again(struct heap *heap, struct size size)
{
	if (size.size_class == CLASS_LARGE) {
		large_count_alloc(heap, size.usable);
	} else if (tally_allocated(tally_of(heap, size.size_class))) {
		heap_enter();
		fork_check(heap);
		tick_due(heap, size.size_class);
		heap_leave(heap);
	}
}

/*
 * A block of another size class is another one to the counters, but neither handed out nor given back.  Where that cannot be
 * taken back, blocks stay exact and so do bytes, in all: those that it has gained are counted as large ones.
 */
static void count_in_place(struct heap *heap, struct size before, struct size now)
{
	if (before.usable == now.usable)
		return;
	if (!can_take_back(heap, before)) {
		large_count_bytes(heap, (int64_t)(now.usable - before.usable));
		return;
	}
	take_back(heap, before);
	count_again(heap, now);
}

/* One that was not counted is not counted now. */
static void count_stayed(struct heap *heap, struct end *end, void *block, size_t requested)
{
	struct size now = known_size(block);
	if (end->stamp == STAMP_FREE)
		return;
	if (end->is_recorded)
		sites_stayed(&end->recorded, requested, (int64_t)(now.usable - end->size.usable));
	put_back(block, now.usable, end);
	if (end->is_recorded) {
		see(heap, end->size, -(int64_t)end->size.usable);
		see(heap, now, (int64_t)now.usable);
	}
	count_in_place(heap, end->size, now);
}

static void count_moved(struct heap *heap, const struct end *end, void *block, size_t requested)
{
	heap_count(heap, PM_COUNTER_REALLOC_MOVED);
	counted(block, requested, how_now);
	const uint8_t *stamp = how_now.has_births ? births_at(block, foreign.usable(block)) : NULL;
	if (stamp && *stamp == STAMP_SPECIAL)
		sites_moved(block);
	count_end(heap, end);
}

static void *count_resized(void *block, struct end *end, void *result, size_t requested)
{
	struct heap *heap = heap_that_counts();
	if (!result && requested) { /* it lives on */
		put_back(block, end->size.usable, end);
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	if (!result) {
		count_end(heap, end);
		return NULL;
	}
	heap_count(heap, PM_COUNTER_REALLOC);
	if (result == block)
		count_stayed(heap, end, result, requested);
	else
		count_moved(heap, end, result, requested);
	return result;
}

static void *resize_known(void *block, size_t size)
{
	struct end end;
	take_out(block, &end);
	return count_resized(block, &end, foreign.realloc(block, size), size);
}

/* Most that stay keep their size, too. */
static void *resize_bare(void *block, size_t size)
{
	struct end end = {.size = known_size(block), .stamp = stamps.now};
	void *result = foreign.realloc(block, size);
	if (result != block || size_of(block, how_now).usable != end.size.usable)
		return count_resized(block, &end, result, size);
	heap_count(heap_that_counts(), PM_COUNTER_REALLOC);
	return block;
}

/* --- the calls --------------------------------------------------------------------------------------- */

#define CALLS(name, kind, ...)                                                                     \
	static void *malloc_##name(size_t size)                                                    \
	{                                                                                          \
		return counted(foreign.malloc(size), size, (struct how){__VA_ARGS__});             \
	}                                                                                          \
	static void *calloc_##name(size_t size)                                                    \
	{                                                                                          \
		return counted(foreign.calloc(1, size), size, (struct how){__VA_ARGS__});          \
	}                                                                                          \
	static void free_##name(void *block)                                                       \
	{                                                                                          \
		count_and_free(block, (struct how){__VA_ARGS__});                                  \
	}                                                                                          \
	static const struct host_instead name = {malloc_##name, calloc_##name, resize_##kind,      \
						 free_##name};

CALLS(glibc, known, .by_word = true, .has_births = true)
CALLS(glibc_bare, bare, .by_word = true, .has_births = false)
CALLS(other, known, .by_word = false, .has_births = true)
CALLS(other_bare, bare, .by_word = false, .has_births = false)

static void choose_calls(void)
{
	const struct host_instead *glibcs = how_now.has_births ? &glibc : &glibc_bare;
	const struct host_instead *others = how_now.has_births ? &other : &other_bare;
	const struct host_instead *chosen = how_now.by_word ? glibcs : others;
	__atomic_store_n(&host_instead.malloc, chosen->malloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.calloc, chosen->calloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.realloc, chosen->realloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.free, chosen->free, __ATOMIC_RELAXED);
}

void counted_begin(bool word_tells, bool has_births)
{
	how_now = (struct how){word_tells, has_births};
	choose_calls();
}

bool next_has_births(void)
{
	return how_now.has_births;
}

void *host_memalign_foreign(size_t alignment, size_t size)
{
	if (!foreign.memalign) {
		errno = ENOMEM;
		return NULL;
	}
	void *block = foreign.memalign(alignment, size);
	return host_next ? counted(block, size, how_now) : block;
}
