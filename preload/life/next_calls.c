/* SPDX-License-Identifier: MIT */
/*
 * next_calls.c: heap=next, the calls that another allocator serves.
 *
 *   malloc --> no class is served here --> the next malloc --> the word of the block's size --> the counter of that size
 *
 * Each thread has a heap that hands out nothing: its slot counts, and it ticks.  The stamps of births stand by address
 * (heap/births.h), unless gen=off; what the allocator frees and has no stamp there was not counted when it came.  A block
 * whose call site is recorded has STAMP_SPECIAL there, as ours do.
 *
 * What a call costs is its own time, so malloc and free come here by a pointer, which is that of the functions for glibc
 * or another, with births or without.
 */
#include "heap/births.h"
#include "life/next.h"

#include <errno.h>

/* Frees, and allocations without a countdown: so many, or a megabyte of them, until the heap ticks. */
enum { BYTES_PER_TICK = 1 << 20, LEAST_CHANGE = 1 << 8 };

#define always_inline inline __attribute__((always_inline))

/* What tells where its stamp is: blocks of glibc are never small in that sense. */
static always_inline size_t birth_size(size_t word, struct next_how how)
{
	return how.by_word ? BIRTHS_SMALL + 1 : word - sizeof word;
}

/* --- what comes -------------------------------------------------------------------------------------- */

static void tick(struct heap *heap)
{
	heap->left_until_tick = BYTES_PER_TICK;
	heap_tick(heap);
}

/* With one bit more a small change counts, too. */
static always_inline bool is_time(struct heap *heap, size_t bytes)
{
	heap->left_until_tick -= (int64_t)(bytes | LEAST_CHANGE);
	return heap->left_until_tick < 0;
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

static struct pool *describe(struct lone_pool *lone, struct next_size size, void *block)
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
static void keep_stamp(const struct lone_pool *lone, struct next_size size, const void *block)
{
	if (lone->stamp == STAMP_SPECIAL)
		births_put(block, size.usable, STAMP_SPECIAL);
}

/* The countdown of its class ran out.  Returns the block.  Words, no struct: it would go through memory. */
__attribute__((noinline)) static void *due(struct heap *heap, size_t word, size_t at, void *block,
					   size_t requested)
{
	struct next_size size = next_size_at(word, at);
	struct lone_pool lone;
	heap_enter();
	host_due(heap, describe(&lone, size, block), block, requested, HOST_FRAME());
	heap_leave(heap);
	keep_stamp(&lone, size, block);
	return block;
}

static void count_large(struct heap *heap, struct next_size size, void *block, size_t requested)
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

static void count(struct heap *heap, struct next_size size, void *block, size_t requested)
{
	if (size.size_class == CLASS_LARGE)
		count_large(heap, size, block, requested);
	else if (!heap)
		count_nested(size.size_class);
	else if (tally_allocated(next_tally(heap, size.size_class)))
		due(heap, size.usable + sizeof(size_t), next_at_class(size.size_class), block,
		    requested);
}

/* None, or one of no known size, with no place for its stamp yet, or of a thread that has no heap. */
__attribute__((noinline)) void *next_came(void *block, size_t requested)
{
	struct heap *heap = next_heap();
	if (!block) {
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	struct next_size size = next_size(block);
	if (next_how.has_births && !births_put(block, size.usable, stamps.now)) {
		/* Its free would not be told from that of another's: neither is counted. */
		__atomic_fetch_or(&life_process()->notes, UINT64_C(1) << PM_NOTE_BIRTHS_LOST,
				  __ATOMIC_RELAXED);
		return block;
	}
	heap_add(heap, offsetof(struct pm_slot, counter[PM_COUNTER_REQUESTED]), requested);
	count(heap, size, block, requested);
	return block;
}

/* The rare ways end in calls that nothing follows, so that this one saves few registers. */
static always_inline void *counted(void *block, size_t requested, struct next_how how)
{
	struct heap *heap = heap_thread.heap;
	if (unlikely(!block || !heap))
		return next_came(block, requested);
	size_t word = next_word(block, how), at = next_at(word);
	if (!next_is_counter(at))
		return next_came(block, requested);
	if (how.has_births && unlikely(!births_put_again(block, birth_size(word, how), stamps.now)))
		return next_came(block, requested);
	char *slot = heap_counted(heap, heap->slot);
	tally_add(&((struct pm_slot *)slot)->counter[PM_COUNTER_REQUESTED], requested);
	if (unlikely(tally_allocated((struct pm_tally *)(slot + at))))
		return due(heap, word, at, block, requested);
	return block;
}

/* --- what goes --------------------------------------------------------------------------------------- */

/* A thread that only frees comes to no event of a class, which would bring each of its frees here. */
static void arm_if_never(struct heap *heap, unsigned size_class)
{
	if (next_tally(heap, size_class)->left || !life.started)
		return;
	heap_enter();
	fork_check(heap);
	tick_due(heap, size_class);
	heap_leave(heap);
}

static void count_gone(struct heap *heap, struct next_size size, unsigned age)
{
	if (size.size_class == CLASS_LARGE) {
		large_count_free(heap, size.usable, age);
	} else if (!heap) { /* of a thread past its end */
		host_add_shared(offsetof(struct pm_slot, tally[size.size_class].freed[age]), 1);
	} else {
		heap_set_ticking(heap, size.size_class);
		tally_increment(&next_tally(heap, size.size_class)->freed[age]);
		arm_if_never(heap, size.size_class);
	}
	if (heap)
		changed(heap, size.usable);
}

void next_take_out(void *block, struct next_end *ret_end)
{
	ret_end->size = next_size(block);
	ret_end->stamp = stamps.now;
	if (next_how.has_births)
		ret_end->stamp = births_take(block, ret_end->size.usable);
	ret_end->is_recorded = ret_end->stamp == STAMP_SPECIAL &&
			       sites_take(block, &ret_end->recorded);
}

void next_see(struct heap *heap, struct next_size size, int64_t bytes)
{
	if (unlikely(life.settings.repeatable) && heap && size.size_class != CLASS_LARGE &&
	    life.started && wiped.alive)
		tick_live(heap, size.size_class, bytes);
}

/* What has no stamp came before us, or past us. */
void next_count_end(struct heap *heap, const struct next_end *end)
{
	uint8_t stamp = end->stamp;
	if (stamp == STAMP_FREE) {
		heap_count(heap, PM_COUNTER_FOREIGN_FREE);
		return;
	}
	if (end->is_recorded) {
		next_see(heap, end->size, -(int64_t)end->size.usable);
		stamp = sites_died(heap, &end->recorded);
	}
	count_gone(heap, end->size, stamp_age(stamp));
}

/* One of no known size, of a stamp that tells no age, or of a thread that has no heap. */
__attribute__((noinline)) static void free_rare(void *block)
{
	int saved = errno;
	struct next_end end;
	if (block) {
		next_take_out(block, &end);
		next_count_end(next_heap(), &end);
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
static always_inline void count_and_free(void *block, struct next_how how)
{
	struct heap *heap = heap_thread.heap;
	if (unlikely(!block || !heap)) {
		free_rare(block);
		return;
	}
	size_t word = next_word(block, how), at = next_at(word);
	struct pm_tally *tally = heap_counted(heap, (char *)heap->slot + at);
	if (!next_is_counter(at) || unlikely(!tally->left)) {
		free_rare(block);
		return;
	}
	if (how.has_births) {
		uint8_t *stamp = births_at(block, birth_size(word, how));
		intptr_t by_age = (intptr_t)tally;
		if (unlikely(!stamp) || (unlikely(*stamp != stamps.now) &&
					 unlikely((by_age = stamp_tally(*stamp, by_age)) < 0))) {
			free_rare(block);
			return;
		}
		*stamp = STAMP_FREE;
		tally = (struct pm_tally *)by_age;
	}
	tally_increment(tally->freed);
	if (unlikely(is_time(heap, word)))
		tick_and_free(heap, block);
	else
		foreign.free(block);
}

/* --- the calls --------------------------------------------------------------------------------------- */

#define CALLS(name, resize, ...)                                                                   \
	static void *malloc_##name(size_t size)                                                    \
	{                                                                                          \
		return counted(foreign.malloc(size), size, (struct next_how){__VA_ARGS__});        \
	}                                                                                          \
	static void *calloc_##name(size_t size)                                                    \
	{                                                                                          \
		return counted(foreign.calloc(1, size), size, (struct next_how){__VA_ARGS__});     \
	}                                                                                          \
	static void free_##name(void *block)                                                       \
	{                                                                                          \
		count_and_free(block, (struct next_how){__VA_ARGS__});                             \
	}                                                                                          \
	static const struct host_instead name = {malloc_##name, calloc_##name, resize, free_##name};

CALLS(glibc, next_resize, .by_word = true, .has_births = true)
CALLS(glibc_bare, next_resize_bare, .by_word = true, .has_births = false)
CALLS(other, next_resize, .by_word = false, .has_births = true)
CALLS(other_bare, next_resize_bare, .by_word = false, .has_births = false)

void next_choose_calls(void)
{
	const struct host_instead *glibcs = next_how.has_births ? &glibc : &glibc_bare;
	const struct host_instead *others = next_how.has_births ? &other : &other_bare;
	const struct host_instead *chosen = next_how.by_word ? glibcs : others;
	__atomic_store_n(&host_instead.malloc, chosen->malloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.calloc, chosen->calloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.realloc, chosen->realloc, __ATOMIC_RELAXED);
	__atomic_store_n(&host_instead.free, chosen->free, __ATOMIC_RELAXED);
}

void next_count(bool word_tells, bool has_births)
{
	next_how = (struct next_how){word_tells, has_births};
	next_choose_calls();
}

bool next_has_births(void)
{
	return next_how.has_births;
}

void *host_memalign_foreign(size_t alignment, size_t size)
{
	if (!foreign.memalign) {
		errno = ENOMEM;
		return NULL;
	}
	void *block = foreign.memalign(alignment, size);
	return host_next ? counted(block, size, next_how) : block;
}
