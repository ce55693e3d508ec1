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
	pool->batched = false;
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

static void *remote_list(uintptr_t word)
{
	return (void *)(word & ((UINT64_C(1) << POOL_REMOTE_SHIFT) - 1) & ~(uintptr_t)POOL_NOTIFY);
}

static uint32_t remote_count(uintptr_t word)
{
	return (uint32_t)(word >> POOL_REMOTE_SHIFT);
}

/* Puts `rest` behind a list of so many.  Returns how many are left of it: what a corrupt link cut off is given up. */
static uint32_t append(const struct pool *pool, void **list, uint32_t blocks, void *rest)
{
	uint32_t count = 1;
	for (; count < blocks && pool_links_to(pool, *list); list = *list)
		count++;
	*list = rest;
	return count;
}

/* What was given up stays in `used`. */
uint32_t pool_collect(struct pool *pool)
{
	if (!remote_list(__atomic_load_n(&pool->remote, __ATOMIC_RELAXED)))
		return 0;
	uintptr_t word = __atomic_exchange_n(&pool->remote, 0, __ATOMIC_ACQUIRE);
	uint32_t taken = remote_count(word);
	if (pool->free)
		taken = append(pool, remote_list(word), taken, pool->free);
	pool->free = remote_list(word);
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

bool pool_push_remote(struct pool *pool, void *first, void *last, uint32_t blocks)
{
	uintptr_t word = __atomic_load_n(&pool->remote, __ATOMIC_RELAXED), next;
	do {
		*(void **)last = remote_list(word);
		next = (uintptr_t)(remote_count(word) + blocks) << POOL_REMOTE_SHIFT |
		       (uintptr_t)first;
	} while (!__atomic_compare_exchange_n(&pool->remote, &word, next, true, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return word & POOL_NOTIFY;
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

/* Stamps are the map of what is live, whoever frees; counted only where the pool's figures do not tell. */
uint32_t pool_live(const struct pool *pool)
{
	uint32_t mark = __atomic_load_n(&pool->mark, __ATOMIC_ACQUIRE);
	bool waiting = remote_count(__atomic_load_n(&pool->remote, __ATOMIC_RELAXED));
	uint32_t used = mark + pool->until;
	if (mark != POOL_SERVES && !waiting && !__atomic_load_n(&pool->batched, __ATOMIC_RELAXED) &&
	    used <= pool->threaded)
		return used;
	return count_stamps(pool);
}
