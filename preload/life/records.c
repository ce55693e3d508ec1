/* SPDX-License-Identifier: MIT */
/* records.c: see records.h. */
#include "life/records.h"

/* A unit that came to smaller blocks gets a longer array; all that it ever had are no longer than twice the last. */
bool records_make_room(const struct pool *pool)
{
	const struct beside *old = *arena_of_host(pool);
	uint32_t room = (uint32_t)pool->capacity;
	if (old && room < 2 * old->room)
		room = 2 * old->room < BESIDE_BLOCKS_MAX ? 2 * old->room : BESIDE_BLOCKS_MAX;
	struct beside *beside = beside_make(room);
	if (beside)
		__atomic_store_n(arena_of_host(pool), beside, __ATOMIC_RELEASE);
	return beside;
}

/* But for its heap. */
static struct recorded unpack(const struct pool *pool, uint64_t index,
			      const struct beside_entry *entry)
{
	return (struct recorded){
		.address = (uintptr_t)records_block(pool, index),
		.requested = entry->requested,
		.bytes = pool->block_bytes,
		.epoch = records_epoch(entry),
		.site = entry->site,
		.descent = entry->descent,
		.size_class = pool->size_class,
		.stamp = entry->stamp,
		.is_frozen = entry->is_frozen,
	};
}

/* Where it stands: in one of these, or nowhere. */
struct place_of_record {
	struct beside_entry *beside;
	struct recorded *by_address;
};

static struct place_of_record find(const struct pool *pool, uint64_t index)
{
	struct beside_entry *beside = records_beside(pool, index);
	return (struct place_of_record){beside,
					beside ? NULL : blocks_find(records_block(pool, index))};
}

bool records_look(const struct pool *pool, uint64_t index, struct recorded *ret_recorded)
{
	struct place_of_record at = find(pool, index);
	if (at.beside)
		*ret_recorded = unpack(pool, index, at.beside);
	else if (at.by_address)
		*ret_recorded = *at.by_address;
	return at.beside || at.by_address;
}

void records_resize(const struct pool *pool, uint64_t index, size_t requested)
{
	struct place_of_record at = find(pool, index);
	if (at.beside)
		at.beside->requested = (uint16_t)requested;
	else if (at.by_address)
		at.by_address->requested = requested;
}

/* There is no place for that beside the pool: it goes by address from now on. */
bool records_watch(const struct pool *pool, uint64_t index)
{
	struct place_of_record at = find(pool, index);
	if (at.by_address)
		at.by_address->is_module = true;
	if (!at.beside)
		return at.by_address;
	struct recorded recorded = unpack(pool, index, at.beside);
	recorded.heap = pool->owner->index;
	recorded.is_module = true;
	bool is_put = blocks_put(&recorded);
	if (is_put)
		beside_clear(at.beside);
	return is_put;
}

bool records_put(struct heap *heap, const struct pool *pool, uint64_t index, uint32_t site,
		 size_t requested, uint64_t order)
{
	struct recorded recorded = {
		.address = (uintptr_t)records_block(pool, index),
		.requested = requested,
		.bytes = pool->block_bytes,
		.epoch = clock_now.epoch,
		.order = order,
		.site = site,
		.descent = records_descent(),
		.heap = heap->index,
		.size_class = pool->size_class,
		.stamp = pool->stamps[index],
	};
	return blocks_put(&recorded);
}

struct visit {
	blocks_visit *visit;
	void *context;
};

/* A block that is being recorded, or freed, has a record without the stamp: it is counted by that of its own. */
static bool is_recorded(const struct pool *pool, uint64_t index)
{
	return __atomic_load_n(&pool->stamps[index], __ATOMIC_ACQUIRE) == STAMP_SPECIAL;
}

static void keep_changes(struct beside_entry *entry, const struct beside_entry *seen,
			 const struct recorded *recorded)
{
	uint8_t stamp = seen->stamp;
	if (recorded->stamp != stamp)
		__atomic_compare_exchange_n(&entry->stamp, &stamp, recorded->stamp, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (recorded->is_frozen != seen->is_frozen)
		beside_set_frozen(entry, *seen, recorded->is_frozen);
}

static void visit_beside(const struct pool *pool, uint64_t index, const struct visit *visit)
{
	struct beside_entry *entry = records_beside(pool, index);
	struct beside_entry seen = entry ? *entry : (struct beside_entry){0};
	if (!seen.site)
		return;
	struct recorded recorded = unpack(pool, index, &seen);
	visit->visit(&recorded, visit->context);
	keep_changes(entry, &seen, &recorded);
}

static void visit_pool(struct pool *pool, void *context)
{
	for (uint32_t i = 0; *arena_of_host(pool) && i < pool->threaded; i++)
		if (is_recorded(pool, i))
			visit_beside(pool, i, context);
}

void records_each(blocks_visit *visit, void *context)
{
	struct visit beside = {visit, context};
	arena_each_pool(visit_pool, &beside);
	blocks_each(visit, context);
}
