/* SPDX-License-Identifier: MIT */
/*
 * sparse.c: pages inside pools that still hold live blocks.
 *
 * A page goes back to the kernel when every block that reaches into it is on the free list.  The blocks that
 * begin in it leave the list, as their links went with the page; pool->purged says which pages are to be threaded
 * again.  Blocks that other threads just free are on no list of ours yet, and keep their page.
 *
 * Only pools that malloc does not take from are looked at, at the second pass after they came to rest, and again
 * when an eighth of what was used is gone.  A pass is done in parts, so that no call of malloc takes long.
 */
#include "heap/heap.h"
#include "heap/units.h"

#include <string.h>

enum {
	PAGES_MAX = 64,
	BLOCKS_MAX = PM_UNIT_BYTES / CLASS_GRAIN,
	SHRUNK_PART = 8,
	LOOKS_AT_ONCE = 2048,
	PURGES_AT_ONCE = 64
};

_Static_assert(CLASS_POOL_BYTES_MAX / CLASS_PAGE == PAGES_MAX,
	       "pages of the longest pool, a bit each");

/* Whether the block of an index is free for us: on the list, or on a page that was given back. */
struct survey {
	uint64_t on_list[BLOCKS_MAX / 64];
};

static unsigned page_of(const struct pool *pool, uint64_t index)
{
	return (unsigned)(index * pool->block_bytes / CLASS_PAGE);
}

static bool is_purged(const struct pool *pool, unsigned page)
{
	return pool->purged >> page & 1;
}

static void take_survey(const struct pool *pool, struct survey *survey)
{
	uint32_t count = 0;
	memset(survey, 0, sizeof *survey);
	for (void **block = pool->free; count++ < pool->threaded && pool_links_to(pool, block);
	     block = *block) {
		uint64_t index = pool_place(pool, block).index;
		survey->on_list[index / 64] |= UINT64_C(1) << index % 64;
	}
}

static uint64_t touched_pages(const struct pool *pool)
{
	size_t bytes = pool->threaded * pool->block_bytes;
	return units_mask(0, (unsigned)((bytes + CLASS_PAGE - 1) / CLASS_PAGE));
}

/* Pages before the untouched part that no block needs which is not free. */
static uint64_t idle_pages(const struct pool *pool, const struct survey *survey)
{
	uint64_t idle = touched_pages(pool);
	for (uint32_t i = 0; i < pool->threaded; i++) {
		size_t first = i * pool->block_bytes, last = first + pool->block_bytes - 1;
		bool is_free = survey->on_list[i / 64] >> i % 64 & 1 ||
			       is_purged(pool, page_of(pool, i));
		if (!is_free)
			idle &= ~units_mask((unsigned)(first / CLASS_PAGE),
					    (unsigned)(last / CLASS_PAGE - first / CLASS_PAGE + 1));
	}
	return idle;
}

/* Purged before, and then perhaps written to by a block that begins on the page before. */
static uint64_t pages_overlapped(const struct pool *pool)
{
	uint64_t found = 0;
	for (uint64_t rest = pool->purged; rest; rest &= rest - 1) {
		size_t begin = (size_t)__builtin_ctzl(rest) * CLASS_PAGE;
		if (begin % pool->block_bytes &&
		    !is_purged(pool, page_of(pool, begin / pool->block_bytes)))
			found |= rest & -rest;
	}
	return found;
}

static uint64_t untouched_pages(const struct pool *pool)
{
	unsigned count = pool->units * (unsigned)(PM_UNIT_BYTES / CLASS_PAGE);
	return units_mask(0, count) & ~touched_pages(pool);
}

/* Behind what was touched, where the pool's memory was used before it. */
static uint64_t take_untouched_pages(struct pool *pool)
{
	bool used_before = pool->used_before;
	pool->used_before = false;
	return used_before ? untouched_pages(pool) : 0;
}

/* Pages of ours that a page of the kernel holds. */
static inline unsigned group(void)
{
	return (unsigned)(memory_page() / CLASS_PAGE);
}

/* Those of which all that share a page of the kernel are among them; and all that share one with some of them. */
static uint64_t whole_groups(uint64_t pages)
{
	uint64_t whole = pages;
	for (unsigned first = 0; group() > 1 && first < PAGES_MAX; first += group())
		if (~pages & units_mask(first, group()))
			whole &= ~units_mask(first, group());
	return whole;
}

static uint64_t groups_of(uint64_t pages)
{
	return ~whole_groups(~pages);
}

/* The list without the blocks that begin in `pages`, before these lose their links. */
static void unlink_blocks(struct pool *pool, uint64_t pages)
{
	void **last = &pool->free;
	uint32_t count = 0;
	for (void **block = pool->free, **next;
	     count++ < pool->threaded && pool_links_to(pool, block); block = next) {
		next = *block;
		if (pages >> page_of(pool, pool_place(pool, block).index) & 1)
			continue;
		*last = block;
		last = block;
	}
	*last = NULL;
}

static void count_pages(int64_t pages)
{
	__atomic_add_fetch(&region.sparse_bytes, pages * CLASS_PAGE, __ATOMIC_RELAXED);
}

void sparse_forget(struct pool *pool)
{
	if (pool->purged)
		count_pages(-__builtin_popcountl(pool->purged));
	pool->purged = 0;
}

bool sparse_thread_page(struct pool *pool)
{
	if (!pool->purged)
		return false;
	unsigned page = (unsigned)__builtin_ctzl(pool->purged);
	size_t first = ((size_t)page * CLASS_PAGE + pool->block_bytes - 1) / pool->block_bytes;
	size_t end = ((size_t)(page + 1) * CLASS_PAGE + pool->block_bytes - 1) / pool->block_bytes;
	if (end > pool->threaded)
		end = pool->threaded;
	for (size_t i = end; i-- > first;) {
		void **block = (void **)(pool->start + i * pool->block_bytes);
		*block = pool->free;
		pool->free = block;
	}
	pool->purged &= pool->purged - 1;
	count_pages(-1);
	return true;
}

uint32_t sparse_blocks(const struct pool *pool)
{
	uint32_t blocks = 0;
	for (uint32_t i = 0; pool->purged && i < pool->threaded; i++)
		blocks += is_purged(pool, page_of(pool, i));
	return blocks;
}

/* Returns bytes. */
static size_t purge_pool(struct pool *pool)
{
	struct survey survey;
	pool_collect(pool);
	take_survey(pool, &survey);
	uint64_t idle = idle_pages(pool, &survey);
	uint64_t whole = whole_groups(idle | untouched_pages(pool));
	uint64_t again = (idle & pages_overlapped(pool)) | take_untouched_pages(pool);
	uint64_t pages = idle & whole & ~pool->purged;
	again &= whole;
	if (!(pages | again))
		return 0;
	unlink_blocks(pool, pages);
	pool->purged |= pages;
	count_pages(__builtin_popcountl(pages));
	uint64_t gone = purge_pieces(pool->start, groups_of(pages | again), CLASS_PAGE);
	for (uint64_t kept = pages & ~gone; kept; kept &= kept - 1) {
		uint64_t others = pool->purged & ~(kept & -kept);
		pool->purged = kept & -kept;
		sparse_thread_page(pool);
		pool->purged = others;
	}
	return (size_t)__builtin_popcountl(gone) * CLASS_PAGE;
}

/* At rest since the last pass, and worth another look. */
static bool is_due(struct pool *pool, bool all)
{
	uint32_t used = pool_used(pool);
	bool rested = pool->rested;
	pool->rested = true;
	if (!all && (!rested || (pool->looked_at && used + used / SHRUNK_PART >= pool->looked_at)))
		return false;
	pool->looked_at = (uint16_t)used;
	return true;
}

/* What a pass may still do: each of these costs about a microsecond, a purge of a pool about forty. */
struct budget {
	unsigned looks, purges;
};

/* Where the pass goes on in a bin.  A pool that has left it meanwhile leads back to the beginning. */
static struct pool *next_of_pass(const struct heap *heap, const struct pool *first)
{
	struct pool *at = heap->sparse_at;
	bool is_there = at && at != first && at->owner == heap && at->state == POOL_ACTIVE &&
			at->size_class == heap->sparse_class;
	return is_there ? at : first->next;
}

/* false: the budget is spent, and `sparse_at` says where to go on. */
static bool purge_bin(struct heap *heap, struct pool *first, bool all, struct budget *budget,
		      size_t *bytes)
{
	for (struct pool *pool = next_of_pass(heap, first), *next; pool; pool = next) {
		next = pool->next;
		heap->sparse_at = pool;
		if (!budget->looks || !budget->purges)
			return false;
		budget->looks--;
		pool_collect(pool);
		if (is_due(pool, all)) {
			*bytes += purge_pool(pool);
			budget->purges--;
		}
		bin_release_if_empty(heap, pool);
	}
	if (all)
		*bytes += purge_pool(first);
	return true;
}

static bool purge_bins(struct heap *heap, bool all, struct budget budget, size_t *bytes)
{
	for (; heap->sparse_class < CLASS_POOLED; heap->sparse_class++) {
		struct pool *first = heap->bin[heap->sparse_class];
		if (first != &pool_empty && !purge_bin(heap, first, all, &budget, bytes))
			return false;
		heap->sparse_at = NULL;
	}
	heap->sparse_class = 0;
	return true;
}

bool sparse_purge_part(struct heap *heap, size_t *ret_bytes)
{
	*ret_bytes = 0;
	bool through = purge_bins(heap, false, (struct budget){LOOKS_AT_ONCE, PURGES_AT_ONCE},
				  ret_bytes);
	__atomic_add_fetch(&region.purged_bytes, *ret_bytes, __ATOMIC_RELAXED);
	return through;
}

size_t sparse_purge(struct heap *heap, bool all)
{
	size_t bytes = 0;
	heap->sparse_class = 0;
	heap->sparse_at = NULL;
	purge_bins(heap, all, (struct budget){UINT32_MAX, UINT32_MAX}, &bytes);
	__atomic_add_fetch(&region.purged_bytes, bytes, __ATOMIC_RELAXED);
	return bytes;
}
