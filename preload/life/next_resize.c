/* SPDX-License-Identifier: MIT */
/*
 * next_resize.c: heap=next, blocks that get another size: in place, or somewhere else.
 *
 *   what is known by its address is taken out --> the next realloc --> it stayed | it moved | it lives on as it was
 */
#include "heap/births.h"
#include "life/next.h"

static void put_back(void *block, size_t usable, const struct next_end *end)
{
	uint8_t stamp = end->stamp;
	if (!next_how.has_births || stamp == STAMP_FREE)
		return;
	if (end->is_recorded && !sites_put_back(&end->recorded))
		stamp = sites_stamp(&end->recorded);
	births_put(block, usable, stamp);
}

/* As if it had not been counted.  Its countdown stays. */
static void take_back(struct heap *heap, struct next_size size)
{
	struct pm_tally *tally = next_tally(heap, size.size_class);
	tally_add((uint64_t *)&tally->limit[tally->left & 1], UINT64_MAX);
	if (size.size_class == CLASS_LARGE)
		large_count_bytes(heap, -(int64_t)size.usable);
	else
		heap_set_ticking(heap, size.size_class);
}

/*
 * Blocks of a class may have come in another thread: what this one has taken back too many is in the count of that one.  But
 * not what the process has inherited, which no thread of it has counted; nor large ones, whose bytes no count lacks.
 */
static bool can_take_back(struct heap *heap, struct next_size size)
{
	bool has_inherited = life.inherited_bytes ||
			     !wiped.alive; /* a child before its first look */
	if (!heap)
		return false;
	if (size.size_class != CLASS_LARGE)
		return !has_inherited ||
		       (int64_t)tally_allocations(next_tally(heap, size.size_class)) > 0;
	return tally_allocations(next_tally(heap, CLASS_LARGE)) > 0 &&
	       tally_allocations(next_tally(heap, CLASS_LARGE_BYTES)) >= size.usable;
}

/* A block that is none anew. */
static void count_again(struct heap *heap, struct next_size size)
{
	if (size.size_class == CLASS_LARGE) {
		large_count_alloc(heap, size.usable);
	} else if (tally_allocated(next_tally(heap, size.size_class))) {
		heap_enter();
		fork_check(heap);
		tick_due(heap, size.size_class);
		heap_leave(heap);
	}
}

/*
 * A block of another size class is another one to the counters, but neither handed out nor given back.  Where that cannot be
 * taken back, blocks stay exact and so do bytes, in all: those that it has gained or lost are counted as large ones.
 */
static void count_in_place(struct heap *heap, const struct next_end *end, struct next_size now)
{
	if (end->size.usable == now.usable)
		return;
	if (stamp_age(end->stamp)) /* it came to its generation in a class that it left, and will leave that of another */
		survival_misplaced(2);
	if (!can_take_back(heap, end->size)) {
		large_count_change(heap, (int64_t)(now.usable - end->size.usable),
				   stamp_age(end->stamp));
		return;
	}
	take_back(heap, end->size);
	count_again(heap, now);
}

/* One that was not counted is not counted now. */
static void count_stayed(struct heap *heap, struct next_end *end, void *block, size_t requested)
{
	struct next_size now = next_size(block);
	if (end->stamp == STAMP_FREE)
		return;
	if (end->is_recorded)
		sites_stayed(&end->recorded, requested, (int64_t)(now.usable - end->size.usable));
	put_back(block, now.usable, end);
	if (end->is_recorded) {
		next_see(heap, end->size, -(int64_t)end->size.usable);
		next_see(heap, now, (int64_t)now.usable);
	}
	count_in_place(heap, end, now);
}

static void count_moved(struct heap *heap, const struct next_end *end, void *block, size_t requested)
{
	heap_count(heap, PM_COUNTER_REALLOC_MOVED);
	next_came(block, requested);
	const uint8_t *stamp = next_how.has_births ? births_at(block, foreign.usable(block)) : NULL;
	if (stamp && *stamp == STAMP_SPECIAL)
		sites_moved(block);
	next_count_end(heap, end);
}

static void *count_resized(void *block, struct next_end *end, void *result, size_t requested)
{
	struct heap *heap = next_heap();
	if (!result && requested) { /* it lives on */
		put_back(block, end->size.usable, end);
		heap_count(heap, PM_COUNTER_ALLOC_FAILED);
		return NULL;
	}
	if (!result) {
		next_count_end(heap, end);
		return NULL;
	}
	heap_count(heap, PM_COUNTER_REALLOC);
	if (result == block)
		count_stayed(heap, end, result, requested);
	else
		count_moved(heap, end, result, requested);
	return result;
}

void *next_resize(void *block, size_t size)
{
	struct next_end end;
	next_take_out(block, &end);
	return count_resized(block, &end, foreign.realloc(block, size), size);
}

/* Most that stay keep their size, too. */
void *next_resize_bare(void *block, size_t size)
{
	struct next_end end = {.size = next_size(block), .stamp = stamps.now};
	void *result = foreign.realloc(block, size);
	size_t word = end.size.usable + sizeof word;
	if (result != block || next_word(block, next_how) != word)
		return count_resized(block, &end, result, size);
	heap_count(next_heap(), PM_COUNTER_REALLOC);
	return block;
}
