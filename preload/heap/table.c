/* SPDX-License-Identifier: MIT */
/*
 * table.c: the heaps of the process.
 *
 * A heap outlives its thread: it is abandoned with its pools and its slot, and the next thread that
 * starts takes it over.  So there are as many heaps as there were threads at a time.
 */
#include "heap/heap.h"
#include "heap/region.h"
#include "sys/memory.h"

enum {
	GROUP_TWINS = HEAP_GROUP * HEAP_STRIDE,
	GROUP_SLOTS = 2 * GROUP_TWINS,
	GROUP_BYTES = GROUP_SLOTS + HEAP_GROUP * (int)sizeof(struct pm_slot)
};

__thread struct heap_thread heap_thread __attribute__((tls_model("initial-exec")));

static char *groups[HEAP_GROUPS] MEMORY_FAR;
static uint32_t heap_count_made; /* atomic */
static uint32_t abandoned; /* atomic: heaps that are, or one more for each that is taken over just now */
static uint32_t last_abandoned; /* atomic: index of one that perhaps is */
bool heap_twins_unwiped;

uint32_t heap_made(void)
{
	return __atomic_load_n(&heap_count_made, __ATOMIC_ACQUIRE);
}

struct heap *heap_by_index(uint32_t index)
{
	if (index >= heap_made())
		return NULL;
	return (struct heap *)(groups[index / HEAP_GROUP] + index % HEAP_GROUP * HEAP_STRIDE);
}

static bool change_state(struct heap *heap, enum heap_state from, enum heap_state to)
{
	uint32_t expected = from;
	return __atomic_compare_exchange_n(&heap->state, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static bool ensure_group(uint32_t number)
{
	char *group = __atomic_load_n(&groups[number], __ATOMIC_ACQUIRE);
	if (group)
		return true;
	char *mine = memory_map_own(MEMORY_META, GROUP_BYTES);
	if (!mine)
		return false;
	if (!memory_wipe_on_fork(mine + GROUP_TWINS, GROUP_TWINS))
		heap_twins_unwiped = true;
	if (__atomic_compare_exchange_n(&groups[number], &group, mine, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		__atomic_add_fetch(&region.meta_bytes, GROUP_BYTES, __ATOMIC_RELAXED);
	else
		memory_unmap_own(mine, GROUP_BYTES);
	return true;
}

struct heap *heap_make(void)
{
	uint32_t index = __atomic_load_n(&heap_count_made, __ATOMIC_ACQUIRE);
	do
		if (index == HEAP_GROUP * HEAP_GROUPS || !ensure_group(index / HEAP_GROUP))
			return NULL;
	while (!__atomic_compare_exchange_n(&heap_count_made, &index, index + 1, false,
					    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	char *group = groups[index / HEAP_GROUP];
	struct heap *heap = (struct heap *)(group + index % HEAP_GROUP * HEAP_STRIDE);
	heap->index = index;
	heap->slot = (struct pm_slot *)(group + GROUP_SLOTS) + index % HEAP_GROUP;
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		heap->bin[c] = &pool_empty;
	__atomic_store_n(&heap->state, HEAP_OWNED, __ATOMIC_RELEASE);
	return heap;
}

static void offer(struct heap *heap)
{
	__atomic_add_fetch(&abandoned, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&heap->state, HEAP_ABANDONED, __ATOMIC_RELEASE);
	__atomic_store_n(&last_abandoned, heap->index, __ATOMIC_RELAXED);
}

/* Whoever adopts it may be long in coming. */
void heap_offer(struct heap *heap)
{
	remote_flush(heap);
	offer(heap);
}

static bool take_over(struct heap *heap, enum heap_state as)
{
	if (!heap || __atomic_load_n(&heap->state, __ATOMIC_RELAXED) != HEAP_ABANDONED ||
	    !change_state(heap, HEAP_ABANDONED, as))
		return false;
	__atomic_sub_fetch(&abandoned, 1, __ATOMIC_RELAXED);
	return true;
}

/* No search while there are none: a program may start thousands of threads. */
struct heap *heap_adopt(void)
{
	struct heap *heap = heap_by_index(__atomic_load_n(&last_abandoned, __ATOMIC_RELAXED));
	if (take_over(heap, HEAP_OWNED))
		return heap;
	for (uint32_t i = 0;
	     __atomic_load_n(&abandoned, __ATOMIC_RELAXED) && (heap = heap_by_index(i)); i++)
		if (take_over(heap, HEAP_OWNED))
			return heap;
	return NULL;
}

void heap_empty_out(struct heap *heap)
{
	large_flush(heap);
	remote_flush(heap);
	remote_drain(heap);
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		for (struct pool *pool = heap->bin[c], *next; pool && pool != &pool_empty;
		     pool = next) {
			next = pool->next;
			pool_collect(pool);
			bin_release(heap, pool);
		}
}

/* A heap without a thread sees remote frees only where it asked for a notice. */
static void ask_all(struct heap *heap)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		for (struct pool *pool = heap->bin[c]; pool && pool != &pool_empty;
		     pool = pool->next)
			while (!pool_ask_notice(pool))
				pool_collect(pool);
}

static void leave(struct heap *heap)
{
	ask_all(heap);
	offer(heap);
}

void heap_abandon(struct heap *heap)
{
	__atomic_store_n(&heap->tid, 0, __ATOMIC_RELEASE);
	heap_empty_out(heap);
	leave(heap);
}

/* What nobody takes from is at rest. */
static void rest_all(struct heap *heap)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		for (struct pool *pool = heap->bin[c]; pool && pool != &pool_empty;
		     pool = pool->next)
			pool->rested = true;
}

static size_t tend(struct heap *heap, bool all)
{
	heap_empty_out(heap);
	rest_all(heap);
	size_t bytes;
	if (all)
		bytes = sparse_purge(heap, true);
	else
		sparse_purge_part(heap, &bytes);
	leave(heap);
	return bytes;
}

size_t heap_tend_abandoned(bool all)
{
	struct heap *heap;
	size_t bytes = 0;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		if ((all || sparse_is_half_way(heap) ||
		     __atomic_load_n(&heap->notified, __ATOMIC_RELAXED)) &&
		    take_over(heap, HEAP_TENDED))
			bytes += tend(heap, all);
	return bytes;
}
