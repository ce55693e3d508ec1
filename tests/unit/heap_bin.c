/* SPDX-License-Identifier: MIT */
/* Pools of a heap under one thread and many: what is live, free and used agrees after each step. */
#include "unit/heap_host.h"

enum { SLOTS = 3000, SHARED = 512, THREADS = 6 };

struct held {
	uint64_t *block;
	size_t size;
};

static void *address_at(void *from)
{
	return *(void **)from;
}

/* used + blocks on `free` == threaded <= capacity; only the owner may ask. */
static bool pool_is_sound(const struct pool *pool)
{
	uint32_t on_list = 0;
	for (void *at = pool->free; at && on_list <= pool->capacity; at = address_at(at)) {
		struct place place = pool_place(pool, at);
		if (!place.exact || place.index >= pool->threaded || pool->stamps[place.index])
			return false;
		on_list++;
	}
	return pool_used(pool) + on_list + sparse_blocks(pool) == pool->threaded &&
	       pool->threaded <= pool->capacity;
}

static void check_own(struct pool *pool, void *heap)
{
	if (pool->owner != heap)
		return;
	HOST_EXPECT(pool_is_sound(pool));
	HOST_EXPECT(pool->state != POOL_FULL || !pool->free);
	HOST_EXPECT(pool->state != POOL_FULL || (pool->until > 0 && pool->until <= pool->capacity));
}

/* The lists lead forth and back, through ACTIVE pools of the class. */
static void check_bins(const struct heap *heap)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		const struct pool *before = NULL;
		for (const struct pool *p = heap->bin[c]; p && p != &pool_empty; p = p->next) {
			HOST_EXPECT(p->prev == before && p->size_class == c && p->owner == heap);
			HOST_EXPECT(p->state == POOL_ACTIVE);
			HOST_EXPECT((p->mark == POOL_SERVES) == !before);
			before = p;
		}
	}
}

static uint64_t live_of(unsigned size_class)
{
	uint64_t live = host.shared.tally[size_class].limit[0] -
			tally_frees(&host.shared.tally[size_class]);
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		live += tally_allocations(&heap->slot->tally[size_class]) -
			tally_frees(&heap->slot->tally[size_class]);
	return live;
}

static void write_to(struct held *held)
{
	for (size_t at = 0; at < held->size / 8; at++)
		held->block[at] = (uintptr_t)held->block + at;
}

static bool is_written(const struct held *held)
{
	for (size_t at = 0; at < held->size / 8; at++)
		if (held->block[at] != (uintptr_t)held->block + at)
			return false;
	return true;
}

static struct held take(size_t size)
{
	struct held held = {heap_alloc(size), size};
	HOST_EXPECT(held.block && (uintptr_t)held.block % CLASS_GRAIN == 0);
	write_to(&held);
	return held;
}

static void give(struct held *held)
{
	HOST_EXPECT(is_written(held));
	heap_free(held->block);
	*held = (struct held){0};
}

/* --- one thread ----------------------------------------------------------------------------------- */

static void model_agrees(const uint64_t live[CLASS_POOLED])
{
	struct heap *heap = heap_thread.heap;
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		cr_assert_eq(live_of(c), live[c], "class %u", c);
	arena_each_pool(check_own, heap);
	check_bins(heap);
	cr_assert_eq(host_failures, 0);
}

static void step(struct held *held, uint64_t live[CLASS_POOLED], size_t size)
{
	struct pool *pool;
	if (held->block) {
		pool = region_pool_of(held->block);
		live[pool->size_class]--;
		give(held);
	} else {
		*held = take(size);
		pool = region_pool_of(held->block);
		cr_assert_eq(pool->size_class, class_of(size));
		live[pool->size_class]++;
	}
	cr_assert(pool->state == POOL_UNUSED || pool_is_sound(pool));
}

static void one_thread(size_t size_max, unsigned seed)
{
	static struct held held[SLOTS];
	uint64_t live[CLASS_POOLED] = {0};
	uint32_t random = seed;
	host_begin();
	for (unsigned phase = 0; phase < 6; phase++) {
		unsigned used = phase % 2 ? SLOTS / 20 : SLOTS;
		for (unsigned i = 0; i < 12000; i++)
			step(&held[host_random(&random) % used], live,
			     host_random(&random) % size_max);
		model_agrees(live);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		if (held[i].block)
			step(&held[i], live, 0);
	model_agrees(live);
	host_expect_nothing_left();
}

Test(bins, one_thread_tiny)
{
	one_thread(100, 1);
}
Test(bins, one_thread_small)
{
	one_thread(1500, 2);
}
Test(bins, one_thread_all)
{
	one_thread(CLASS_MAX, 3);
}

/* --- several ------------------------------------------------------------------------------------- */

static struct held *shared[SHARED]; /* atomic: blocks on their way to whoever finds them */

static void pass_on(uint32_t *random, size_t size_max)
{
	struct held *parcel = heap_alloc(sizeof *parcel);
	*parcel = take(host_random(random) % size_max + 8);
	struct held **slot = &shared[host_random(random) % SHARED];
	struct held *found = __atomic_exchange_n(slot, parcel, __ATOMIC_ACQ_REL);
	if (!found)
		return;
	give(found);
	heap_free(found);
}

static void live_and_die(uintptr_t number, unsigned steps, size_t size_max)
{
	uint32_t random = (uint32_t)number * 77 + 1;
	for (unsigned i = 0; i < steps; i++) {
		pass_on(&random, size_max);
		if (i % 2000 == 0) {
			arena_each_pool(check_own, heap_thread.heap);
			check_bins(heap_thread.heap);
		}
		if (i % 3000 == 0)
			heap_tend_abandoned(false);
	}
}

static void *exchange_tiny(void *number)
{
	live_and_die((uintptr_t)number, 40000, 40);
	host_end_thread();
	return NULL;
}

static void *exchange_all(void *number)
{
	live_and_die((uintptr_t)number, 8000, CLASS_MAX);
	host_end_thread();
	return NULL;
}

/* Threads that end leave heaps to those that begin, with blocks of theirs still on their way. */
static void *exchange_and_end_often(void *number)
{
	for (unsigned life = 0; life < 40; life++) {
		live_and_die((uintptr_t)number + life * 64, 300, 3000);
		host_end_thread();
	}
	return NULL;
}

static void empty_shared(void)
{
	for (unsigned i = 0; i < SHARED; i++)
		if (shared[i]) {
			give(shared[i]);
			heap_free(shared[i]);
			shared[i] = NULL;
		}
}

/* Nothing lives; after each heap took over what others freed, no pool is left. */
static void all_is_given_back(void)
{
	struct heap *heap;
	empty_shared();
	heap_tick(heap_mine());
	for (unsigned c = 0; c < CLASS_POOLED; c++)
		cr_assert_eq(live_of(c), 0, "class %u: %lu", c, live_of(c));
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		arena_each_pool(check_own, heap);
		check_bins(heap);
		heap_empty_out(heap);
	}
	cr_assert_eq(host_pools_in_use(), 0);
	cr_assert_eq(host_failures, 0);
	cr_assert_eq(host.misuses, 0);
}

static void many(void *(*body)(void *))
{
	host_begin();
	for (unsigned round = 0; round < 3; round++) {
		host_threads(THREADS, body);
		cr_assert_eq(host_failures, 0);
	}
	all_is_given_back();
}

Test(bins, threads_free_each_others_blocks_tiny)
{
	many(exchange_tiny);
}
Test(bins, threads_free_each_others_blocks_all)
{
	many(exchange_all);
}
Test(bins, threads_that_end_and_begin)
{
	many(exchange_and_end_often);
}

/* --- the notice ---------------------------------------------------------------------------------- */

static void *free_all_of(void *blocks)
{
	for (void **at = blocks; *at; at++)
		heap_free(*at);
	host_end_thread();
	return NULL;
}

static void freed_by_another(void **blocks)
{
	pthread_t thread;
	cr_assert(pthread_create(&thread, NULL, free_all_of, blocks) == 0);
	pthread_join(thread, NULL);
}

static void comes_back(size_t bytes)
{
	enum { BLOCKS = 64 * 3 };
	static void *block[BLOCKS + 1];
	host_begin();
	for (unsigned i = 0; i < BLOCKS; i++)
		block[i] = heap_alloc(bytes);
	struct heap *heap = heap_thread.heap;
	struct pool *pool = region_pool_of(block[0]);
	cr_assert_eq(pool->state, POOL_FULL);
	cr_assert_null(heap->notified);
	freed_by_another((void *[]){block[0], NULL});
	cr_assert_eq(heap->notified, pool);
	freed_by_another((void *[]){block[1], NULL});
	cr_assert(heap->notified == pool && !pool->notify_next, "told once");
	remote_drain(heap);
	cr_assert_eq(pool->state, POOL_ACTIVE);
	cr_assert_eq(pool_used(pool), pool->capacity - 2);
	check_own(pool, heap);
	check_bins(heap);
	cr_assert_eq(host_failures, 0);
}

Test(notice, a_full_pool_comes_back_once_another_thread_frees_in_it)
{
	comes_back(1024);
}
Test(notice, so_does_one_of_blocks_that_do_not_wait)
{
	comes_back(1040);
}

/* Brought back by its owner's free while a notice is on its way: it must not be given back before that. */
Test(notice, one_on_its_way_keeps_the_pool)
{
	static void *block[65];
	host_begin();
	for (unsigned i = 0; i < 65; i++)
		block[i] = heap_alloc(1024);
	struct heap *heap = heap_thread.heap;
	struct pool *pool = region_pool_of(block[0]);
	cr_assert_eq(pool->state, POOL_FULL);
	freed_by_another((void *[]){block[0], NULL});
	for (unsigned i = 1; i < 64; i++)
		heap_free(block[i]);
	cr_assert_eq(pool->state, POOL_ACTIVE);
	cr_assert(pool->asked);
	pool_collect(pool);
	cr_assert_eq(pool_used(pool), 0);
	bin_release_if_empty(heap, pool);
	cr_assert_eq(pool->state, POOL_ACTIVE);
	remote_drain(heap);
	cr_assert(pool->state == POOL_UNUSED || heap->bin[pool->size_class] == pool);
	cr_assert(!pool->asked);
	heap_free(block[64]);
	all_is_given_back();
}
