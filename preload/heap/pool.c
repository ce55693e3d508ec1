/* SPDX-License-Identifier: MIT */
/* pool.c: threading, collecting and describing one pool. */
#include "heap/pool.h"

#include "heap/host.h"

/* Under on_error=report a list ends where it is corrupt: the rest is given up. */
bool pool_links_to(const struct pool *pool, const void *block)
{
	struct place place = pool_place(pool, block);
	if (!block || (place.exact && place.index < pool->capacity))
		return block;
	host_misuse(PM_MISUSE_CORRUPT_LINK, block, pool->size_class, pool->block_bytes);
	return false;
}

static uint32_t free_blocks(const struct pool *pool)
{
	uint32_t count = 0;
	for (void **block = pool->free; count < pool->threaded && pool_links_to(pool, block);
	     block = *block)
		count++;
	return count;
}

uint32_t pool_used(const struct pool *pool)
{
	if (pool->mark == POOL_SERVES)
		return pool->threaded - free_blocks(pool) - sparse_blocks(pool);
	return pool->until + pool->mark;
}

void pool_set_mark(struct pool *pool, uint32_t mark)
{
	pool->until = mark == POOL_SERVES ? UINT32_MAX : pool_used(pool) - mark;
	__atomic_store_n(&pool->mark, mark, __ATOMIC_RELEASE);
}

void pool_init(struct pool *pool, unsigned size_class, struct heap *owner, struct pm_tally *tally)
{
	size_t bytes = class_bytes(size_class);
	pool->free = NULL;
	pool->reciprocal = UINT64_MAX / bytes + 1;
	pool->tally = tally;
	pool->until = 0;
	pool->mark = 0;
	pool->threaded = 0;
	pool->purged = 0;
	pool->rested = false;
	pool->looked_at = 0;
	pool->capacity = class_capacity(size_class);
	pool->block_bytes = bytes;
	pool->size_class = (uint8_t)size_class;
	pool->asked = false;
	pool->notify_next = pool->next = pool->prev = NULL;
	__atomic_store_n(&pool->remote, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&pool->owner, owner, __ATOMIC_RELEASE);
	__atomic_store_n(&pool->state, POOL_ACTIVE, __ATOMIC_RELEASE);
}

/* Blocks that begin in the page where the first untouched block begins, at least one. */
static uint32_t next_batch(const struct pool *pool)
{
	size_t first = pool->threaded * pool->block_bytes;
	size_t page_end = (first / CLASS_PAGE + 1) * CLASS_PAGE;
	size_t end = (page_end + pool->block_bytes - 1) / pool->block_bytes;
	return (uint32_t)(end < pool->capacity ? end : pool->capacity);
}

bool pool_extend(struct pool *pool)
{
	if (sparse_thread_page(pool))
		return true;
	if (pool->threaded == pool->capacity)
		return false;
	uint32_t end = next_batch(pool);
	void *next = pool->free;
	for (uint32_t i = end; i-- > pool->threaded;) {
		void **block = (void **)(pool->start + i * pool->block_bytes);
		*block = next;
		next = block;
	}
	pool->free = next;
	pool->threaded = end;
	return true;
}

/* What comes back may go past the mark: then there is a new one, so that the pool's end is seen. */
static void lose(struct pool *pool, uint32_t blocks)
{
	pool->until -= blocks;
	if (pool->mark == POOL_SERVES)
		return;
	uint32_t used = pool->until + pool->mark;
	if (used <= pool->mark)
		pool_set_mark(pool, used / 2);
}

uint32_t pool_collect(struct pool *pool)
{
	uintptr_t list = __atomic_load_n(&pool->remote, __ATOMIC_RELAXED);
	if (!(list & ~(uintptr_t)POOL_NOTIFY))
		return 0;
	list = __atomic_exchange_n(&pool->remote, 0, __ATOMIC_ACQUIRE) & ~(uintptr_t)POOL_NOTIFY;
	uint32_t taken = 1;
	void **last = (void **)list;
	for (; pool_links_to(pool, *last); last = *last)
		taken++;
	*last = pool->free;
	pool->free = (void *)list;
	lose(pool, taken);
	return taken;
}

bool pool_ask_notice(struct pool *pool)
{
	uintptr_t empty = 0;
	if (!pool->asked)
		pool->asked = __atomic_compare_exchange_n(&pool->remote, &empty, POOL_NOTIFY, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return pool->asked;
}

bool pool_cancel_notice(struct pool *pool)
{
	uintptr_t wish = POOL_NOTIFY;
	if (pool->asked)
		pool->asked = !__atomic_compare_exchange_n(&pool->remote, &wish, 0, false,
							   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return !pool->asked;
}

bool pool_push_remote(struct pool *pool, void *block)
{
	uintptr_t head = __atomic_load_n(&pool->remote, __ATOMIC_RELAXED);
	do
		*(void **)block = (void *)(head & ~(uintptr_t)POOL_NOTIFY);
	while (!__atomic_compare_exchange_n(&pool->remote, &head, (uintptr_t)block, true,
					    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return head & POOL_NOTIFY;
}

typedef uint64_t __attribute__((may_alias)) word_of_stamps;

/* Stamps that are not STAMP_FREE, eight at a time: a pool may have thousands. */
static uint32_t count_stamps(const struct pool *pool)
{
	static const uint64_t ONES = 0x0101010101010101, LOW = 0x7f * ONES;
	uint32_t count = 0, at = 0;
	for (; at + 8 <= pool->threaded; at += 8) {
		uint64_t word = *(const word_of_stamps *)&pool->stamps[at];
		uint64_t used = (((word & LOW) + LOW) | word) >> 7 & ONES;
		count += (uint32_t)(used * ONES >> 56);
	}
	for (; at < pool->threaded; at++)
		count += pool->stamps[at] != STAMP_FREE;
	return count;
}

/* Stamps are the map of what is live, whoever frees; counted only where the owner's figures do not tell. */
uint32_t pool_live(const struct pool *pool)
{
	uint32_t mark = __atomic_load_n(&pool->mark, __ATOMIC_ACQUIRE);
	bool pending = __atomic_load_n(&pool->remote, __ATOMIC_RELAXED) & ~(uintptr_t)POOL_NOTIFY;
	uint32_t used = mark + pool->until;
	if (mark != POOL_SERVES && !pending && used <= pool->threaded)
		return used;
	return count_stamps(pool);
}
