/* SPDX-License-Identifier: MIT */
/*
 * traced.c: threads each of whose calls is traced.
 *
 *   heap_thread   outside malloc    gated = heap, heap = NULL, classes = 0    each call takes its slow path, and comes here
 *                 served            gated = INSIDE, as of any other thread    by the fast paths, as ever
 *                 told of           gated = INSIDE, inside a slow path        to life/, which writes it down
 *
 * So the fast paths know nothing of it.  A signal handler that interrupts a call is served and not told of.
 */
#include "heap/traced.h"

#include "heap/heap.h"

/* heap_thread.gated inside a call. */
#define INSIDE ((struct heap *)1)

struct heap *heap_open_mine(void)
{
	struct heap *heap = host_tracing ? heap_thread.gated : NULL;
	if (!heap || heap == INSIDE)
		return heap_mine();
	heap_thread.gated = NULL;
	heap_leave(heap);
	return heap;
}

struct heap *heap_open(void)
{
	struct heap *heap = heap_open_mine();
	return heap ? heap : host_heap();
}

void heap_close(struct heap *heap)
{
	if (host_tracing != HOST_TRACING_ON || heap_thread.gated == INSIDE) {
		heap_leave(heap);
		return;
	}
	heap_enter();
	heap_thread.gated = heap;
}

/* NULL: a handler has interrupted a call, or the thread is past its end. */
static struct heap *begin(void)
{
	struct heap *gated = heap_thread.gated;
	bool is_first = !gated && !heap_thread.own;
	struct heap *heap = is_first || (gated && gated != INSIDE) ? heap_open() : NULL;
	if (heap)
		heap_thread.gated = INSIDE;
	else if (!heap_mine())
		host_trace_missed();
	return heap;
}

static void end(struct heap *heap)
{
	heap_thread.gated = NULL;
	heap_close(heap);
}

static void *serve(enum pm_trace_kind kind, size_t alignment, size_t size)
{
	if (kind == PM_TRACE_ALIGNED)
		return heap_alloc_aligned(alignment, size);
	return kind == PM_TRACE_CALLOC ? heap_alloc_zeroed(size) : heap_alloc(size);
}

bool traced_alloc(enum pm_trace_kind kind, size_t alignment, size_t size, void **ret_block)
{
	struct heap *heap = begin();
	if (!heap)
		return false;
	*ret_block = serve(kind, alignment, size);
	heap_enter();
	if (*ret_block)
		host_trace_alloc(heap, kind, (unsigned)__builtin_ctzl(alignment), *ret_block, size);
	end(heap);
	return true;
}

bool traced_free(void *block)
{
	struct heap *heap = begin();
	if (!heap)
		return false;
	heap_enter();
	host_trace_free(heap, block, heap_usable(block));
	heap_leave(heap);
	heap_free(block);
	heap_enter();
	end(heap);
	return true;
}

bool traced_resize(void *block, size_t size, void **ret_block)
{
	struct heap *heap = begin();
	if (!heap)
		return false;
	heap_enter();
	uint32_t pages = host_trace_pages(block, heap_usable(block));
	uint64_t order = host_trace_order();
	heap_leave(heap);
	*ret_block = heap_resize(block, size);
	heap_enter();
	if (*ret_block)
		host_trace_resized(heap, order, block, pages, *ret_block, size);
	end(heap);
	return true;
}
