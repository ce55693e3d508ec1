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
		.heap = pool->owner->index,
		.size_class = pool->size_class,
		.stamp = entry->stamp,
		.is_frozen = entry->is_frozen,
	};
}

bool records_look(const struct pool *pool, uint64_t index, struct recorded *ret_recorded)
{
	const struct beside_entry *entry = records_beside(pool, index);
	const struct recorded *found = entry ? NULL : blocks_find(records_block(pool, index));
	if (entry)
		*ret_recorded = unpack(pool, index, entry);
	else if (found)
		*ret_recorded = *found;
	return entry || found;
}

/* A module's record has no place beside the pool: it goes by address from now on. */
static bool move(const struct recorded *recorded, struct beside_entry *entry)
{
	if (!blocks_put(recorded))
		return false;
	beside_clear(entry);
	return true;
}

bool records_change(const struct pool *pool, uint64_t index, const struct recorded *recorded)
{
	struct beside_entry *entry = records_beside(pool, index);
	struct recorded *found = entry ? NULL : blocks_find(records_block(pool, index));
	if (entry && recorded->is_module)
		return move(recorded, entry);
	if (entry) {
		entry->requested = (uint16_t)recorded->requested;
		entry->stamp = recorded->stamp;
		entry->is_frozen = recorded->is_frozen;
	} else if (found) {
		uint64_t *place = found->place;
		*found = *recorded;
		found->place = place;
	}
	return entry || found;
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
		.descent = life.descent,
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

static void visit_pool(struct pool *pool, void *context)
{
	const struct visit *visit = context;
	struct recorded recorded;
	for (uint32_t i = 0; *arena_of_host(pool) && i < pool->threaded; i++)
		if (records_beside(pool, i)) {
			records_look(pool, i, &recorded);
			visit->visit(&recorded, visit->context);
			records_change(pool, i, &recorded);
		}
}

void records_each(blocks_visit *visit, void *context)
{
	struct visit beside = {visit, context};
	arena_each_pool(visit_pool, &beside);
	blocks_each(visit, context);
}
