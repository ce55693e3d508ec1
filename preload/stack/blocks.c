/* SPDX-License-Identifier: MIT */
/* blocks.c: see blocks.h. */
#include "stack/blocks.h"

#include "sys/memory.h"

enum { BUCKET = 8, BUCKETS = 2 };

/* No block begins there: a place that is being filled. */
static const uint64_t BUSY = 1;

/* Addresses, then as many records; atomic; NULL from the first that is not mapped. */
static uint64_t *tables[BLOCKS_TABLES];

const void *blocks_tables(void)
{
	return tables;
}

static uint64_t places_of(unsigned table)
{
	return (uint64_t)BLOCKS_FIRST_PLACES << table * BLOCKS_GROWTH_SHIFT;
}

static uint64_t *mapped(unsigned table)
{
	return table < BLOCKS_TABLES ? __atomic_load_n(&tables[table], __ATOMIC_ACQUIRE) : NULL;
}

static struct recorded *record_of(uint64_t *table, unsigned number, const uint64_t *place)
{
	return (struct recorded *)(table + places_of(number)) + (place - table);
}

static uint64_t *map(unsigned table)
{
	uint64_t *there = mapped(table);
	uint64_t bytes = places_of(table) * (sizeof *there + sizeof(struct recorded));
	if (there || table >= BLOCKS_TABLES)
		return there;
	uint64_t *mine = memory_map_own(MEMORY_TELEMETRY, bytes);
	if (!mine)
		return NULL;
	memory_no_huge_pages(mine, bytes);
	if (__atomic_compare_exchange_n(&tables[table], &there, mine, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return mine;
	memory_unmap_own(mine, bytes);
	return there;
}

static uint64_t *bucket_of(uint64_t *table, unsigned number, uint64_t address, unsigned choice)
{
	uint64_t hash = (address >> 4) * UINT64_C(0x9e3779b97f4a7c15);
	hash = choice ? hash >> 20 : hash >> 40;
	return &table[hash % (places_of(number) / BUCKET) * BUCKET];
}

static uint64_t *take_place(uint64_t *bucket)
{
	for (unsigned i = 0; i < BUCKET; i++) {
		uint64_t nothing = 0;
		if (!__atomic_load_n(&bucket[i], __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(&bucket[i], &nothing, BUSY, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return &bucket[i];
	}
	return NULL;
}

static bool put_in(uint64_t *table, unsigned number, const struct recorded *recorded)
{
	for (unsigned choice = 0; choice < BUCKETS; choice++) {
		uint64_t *place = take_place(bucket_of(table, number, recorded->address, choice));
		if (!place)
			continue;
		struct recorded *record = record_of(table, number, place);
		*record = *recorded;
		record->place = place;
		__atomic_store_n(place, recorded->address, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

static unsigned mapped_count(void)
{
	unsigned count = 0;
	while (mapped(count))
		count++;
	return count;
}

/* The last table is as large as all before it and more: those that are full are not looked at. */
bool blocks_put(const struct recorded *recorded)
{
	unsigned count = mapped_count();
	if (count && put_in(mapped(count - 1), count - 1, recorded))
		return true;
	uint64_t *table = map(count);
	return table && put_in(table, count, recorded);
}

static uint64_t *find_in(uint64_t *bucket, uint64_t address)
{
	for (unsigned i = 0; i < BUCKET; i++)
		if (__atomic_load_n(&bucket[i], __ATOMIC_ACQUIRE) == address)
			return &bucket[i];
	return NULL;
}

struct recorded *blocks_find(const void *block)
{
	uint64_t address = (uintptr_t)block;
	for (unsigned number = mapped_count(); number--;)
		for (unsigned choice = 0; choice < BUCKETS; choice++) {
			uint64_t *table = mapped(number);
			uint64_t *place = find_in(bucket_of(table, number, address, choice),
						  address);
			if (place)
				return record_of(table, number, place);
		}
	return NULL;
}

void blocks_remove(struct recorded *recorded)
{
	__atomic_store_n(recorded->place, 0, __ATOMIC_RELEASE);
}

void blocks_each(blocks_visit *visit, void *context)
{
	uint64_t *table;
	for (unsigned number = 0; (table = mapped(number)); number++)
		for (uint64_t i = 0; i < places_of(number); i++)
			if (__atomic_load_n(&table[i], __ATOMIC_ACQUIRE) > BUSY)
				visit(record_of(table, number, &table[i]), context);
}
