/* SPDX-License-Identifier: MIT */
/*
 * heap_host.h: a process for a heap under test to live in.  It defines what preload/heap/host.h asks for,
 * so a test program includes it once.
 */
#ifndef POOLMEM_TESTS_HEAP_HOST_H
#define POOLMEM_TESTS_HEAP_HOST_H

#include "heap/heap.h"
#include "heap/region.h"
#include "sys/wiped.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { HOST_TICK_EVERY = 100 };

static struct {
	struct pm_slot shared;
	uint64_t misuses, ticks; /* atomic */
	int64_t live_bytes;      /* atomic */
	enum pm_misuse misuse;   /* the last one */
	const void *misused;
} host;

bool host_off, host_next, host_unusual;
struct host_instead host_instead;
uint8_t host_tracing;

uint64_t host_trace_order(void)
{
	return 0;
}

void host_trace_alloc(struct heap *heap, unsigned kind, unsigned log2_alignment, const void *block,
		      size_t size)
{
	(void)heap, (void)kind, (void)log2_alignment, (void)block, (void)size;
}

void host_trace_free(struct heap *heap, const void *block, size_t block_bytes)
{
	(void)heap, (void)block, (void)block_bytes;
}

void host_trace_resized(struct heap *heap, uint64_t order, const void *old, uint32_t old_pages,
			const void *block, size_t size)
{
	(void)heap, (void)order, (void)old, (void)old_pages, (void)block, (void)size;
}

uint32_t host_trace_pages(const void *block, size_t block_bytes)
{
	(void)block, (void)block_bytes;
	return 0;
}

void host_trace_missed(void)
{
}

struct host_pace host_large_pace = {64, 16 << 20, HEAP_LIVE_HELD};

static inline struct heap *host_adopt_or_make(void)
{
	struct heap *heap = heap_adopt();
	return heap ? heap : heap_make();
}

struct heap *host_heap(void)
{
	if (heap_thread.own)
		return NULL;
	heap_thread.own = host_adopt_or_make();
	heap_leave(heap_thread.own);
	return heap_thread.own;
}

bool host_relocated(void)
{
	return true;
}

void host_tick(struct heap *heap)
{
	__atomic_add_fetch(&host.ticks, 1, __ATOMIC_RELAXED);
	remote_flush(heap);
}

void host_due(struct heap *heap, struct pool *pool, void *block, size_t requested, const void *frame)
{
	(void)frame;
	(void)block;
	(void)requested;
	host_tick(heap);
	tally_arm(heap_counted(heap, &heap->slot->tally[pool->size_class]), HOST_TICK_EVERY);
}

void host_large_due(struct heap *heap, struct pool *pool, size_t requested, const void *frame)
{
	(void)frame;
	(void)heap;
	(void)pool;
	(void)requested;
}

void host_add_shared(size_t slot_offset, uint64_t amount)
{
	__atomic_add_fetch((uint64_t *)((char *)&host.shared + slot_offset), amount,
			   __ATOMIC_RELAXED);
}

void host_live_changed(int64_t bytes)
{
	__atomic_add_fetch(&host.live_bytes, bytes, __ATOMIC_RELAXED);
}

/* With what heaps have not handed on yet. */
__attribute__((unused)) static int64_t host_live_bytes(void)
{
	int64_t bytes = host.live_bytes;
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		bytes += heap->live_held;
	return bytes;
}

void host_large_resized(const void *block, uint8_t stamp, int64_t bytes)
{
	(void)block;
	(void)stamp;
	(void)bytes;
}

bool host_is_recorded(const struct pool *pool, uint64_t index)
{
	(void)pool;
	(void)index;
	return false;
}

uint8_t host_special_died(struct heap *heap, const struct pool *pool, uint64_t index)
{
	(void)heap;
	(void)pool;
	(void)index;
	return STAMP_OLD;
}

uint8_t host_special_freed(struct heap *heap, struct pool *pool, uint64_t index)
{
	return pool->stamps[index] == STAMP_SPECIAL ? host_special_died(heap, pool, index)
						    : STAMP_FREE;
}

struct recorded *host_large_recorded(const void *block)
{
	(void)block;
	return NULL;
}

uint8_t host_large_died(struct heap *heap, struct recorded *recorded, size_t block_bytes)
{
	(void)heap;
	(void)recorded;
	(void)block_bytes;
	return STAMP_OLD;
}

void host_special_moved(const struct pool *pool, uint64_t index)
{
	(void)pool;
	(void)index;
}

void host_special_resized(const struct pool *pool, uint64_t index, size_t requested)
{
	(void)pool;
	(void)index;
	(void)requested;
}

void host_mapped_changed(void)
{
}

uint64_t host_milliseconds(void)
{
	return 0;
}

void host_misuse(enum pm_misuse kind, const void *address, unsigned size_class, size_t block_bytes)
{
	(void)size_class;
	(void)block_bytes;
	host.misuse = kind;
	host.misused = address;
	__atomic_add_fetch(&host.misuses, 1, __ATOMIC_RELAXED);
}

void *host_memalign_foreign(size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	return NULL;
}

void host_free_foreign(void *block)
{
	(void)block;
}

size_t host_usable_foreign(void *block)
{
	(void)block;
	return 0;
}

void *host_realloc_foreign(void *block, size_t size)
{
	(void)block;
	(void)size;
	return NULL;
}

/* The first thing in a test. */
static inline void host_begin(void)
{
	region_init();
	wiped.alive = 1;
}

/* What the end of a thread does. */
static inline void host_end_thread(void)
{
	struct heap *heap = heap_thread.heap;
	heap_enter();
	if (heap)
		heap_abandon(heap);
	heap_thread.own = NULL;
}

static inline void host_count_pool(struct pool *pool, void *count)
{
	(void)pool;
	++*(unsigned *)count;
}

/* Of all heaps; large blocks count too. */
static inline unsigned host_pools_in_use(void)
{
	unsigned count = 0;
	arena_each_pool(host_count_pool, &count);
	return count;
}

/* The thread's heap holds no pool once it is asked to let go, and the program was never at fault. */
static inline void host_expect_nothing_left(void)
{
	heap_empty_out(heap_thread.heap);
	cr_assert_eq(host_pools_in_use(), 0);
	cr_assert_eq(host.misuses, 0);
}

struct host_start {
	void *(*body)(void *);
	pthread_barrier_t *all;
	uintptr_t number;
};

static inline void *host_start(void *argument)
{
	const struct host_start *start = argument;
	pthread_barrier_wait(start->all);
	return start->body((void *)start->number);
}

/*
 * Runs `body` in that many threads, of small stacks; its argument is the thread's number.  None
 * begins before all are there: at a limit of address space the first would leave the last no stack.
 */
static inline void host_threads(unsigned count, void *(*body)(void *))
{
	enum { MOST = 64 };
	struct host_start start[MOST];
	pthread_t thread[MOST];
	pthread_barrier_t all;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	pthread_barrier_init(&all, NULL, count);
	for (uintptr_t i = 0; i < count; i++) {
		start[i] = (struct host_start){body, &all, i};
		cr_assert(pthread_create(&thread[i], &small, host_start, &start[i]) == 0);
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&all);
}

static inline uint32_t host_random(uint32_t *state)
{
	uint32_t x = *state;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

/* Failures seen by threads, where Criterion's own assertions must not be used. */
__attribute__((unused)) static uint64_t host_failures; /* atomic */
#define HOST_EXPECT(condition)                                                                     \
	((condition) ? 0                                                                           \
		     : (__atomic_add_fetch(&host_failures, 1, __ATOMIC_RELAXED) == 1               \
				? fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,       \
					  #condition)                                              \
				: 0))

/* Nobody is in between here. */
void host_free_early(struct pool *pool, void *block)
{
	(void)pool;
	(void)block;
}

void *host_realloc_early(struct pool *pool, void *block, size_t size)
{
	(void)pool;
	(void)size;
	return block;
}

#endif
