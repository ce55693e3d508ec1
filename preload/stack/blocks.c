/* SPDX-License-Identifier: MIT */
/* blocks.c: see blocks.h. */
#include "stack/blocks.h"

#include "stack/sample.h"
#include "sys/memory.h"

enum { TABLES = 8, FIRST_PLACES = 16384, BUCKET = 8, BUCKETS = 2 };

/* No block begins there: a place that is being filled or emptied. */
static const uint64_t BUSY = 1;

static struct recorded *tables[TABLES]; /* atomic; NULL from the first that is not mapped */

static uint64_t places_of(unsigned table)
{
	return (uint64_t)FIRST_PLACES << table;
}

static struct recorded *mapped(unsigned table)
{
	return table < TABLES ? __atomic_load_n(&tables[table], __ATOMIC_ACQUIRE) : NULL;
}

static struct recorded *map(unsigned table)
{
	struct recorded *there = mapped(table);
	uint64_t bytes = places_of(table) * sizeof *there;
	if (there || table >= TABLES)
		return there;
	struct recorded *mine = memory_map(NULL, bytes);
	if (!mine)
		return NULL;
	memory_no_huge_pages(mine, bytes);
	if (__atomic_compare_exchange_n(&tables[table], &there, mine, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return mine;
	memory_unmap(mine, bytes);
	return there;
}

static struct recorded *bucket_of(struct recorded *table, unsigned number, uint64_t address,
				  unsigned choice)
{
	uint64_t state = address + choice;
	uint64_t buckets = places_of(number) / BUCKET;
	return &table[sample_random(&state) % buckets * BUCKET];
}

static bool put_in(struct recorded *bucket, const struct recorded *recorded)
{
	for (unsigned i = 0; i < BUCKET; i++) {
		uint64_t nothing = 0;
		if (!__atomic_compare_exchange_n(&bucket[i].address, &nothing, BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		__builtin_memcpy((char *)&bucket[i] + sizeof bucket->address,
				 (const char *)recorded + sizeof bucket->address,
				 sizeof *recorded - sizeof bucket->address);
		__atomic_store_n(&bucket[i].address, recorded->address, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

bool blocks_put(const struct recorded *recorded)
{
	struct recorded *table;
	for (unsigned number = 0; (table = map(number)); number++)
		for (unsigned choice = 0; choice < BUCKETS; choice++)
			if (put_in(bucket_of(table, number, recorded->address, choice), recorded))
				return true;
	return false;
}

static struct recorded *find_in(struct recorded *bucket, uint64_t address)
{
	for (unsigned i = 0; i < BUCKET; i++)
		if (__atomic_load_n(&bucket[i].address, __ATOMIC_ACQUIRE) == address)
			return &bucket[i];
	return NULL;
}

struct recorded *blocks_find(const void *block)
{
	uint64_t address = (uintptr_t)block;
	struct recorded *table, *found;
	for (unsigned number = 0; (table = mapped(number)); number++)
		for (unsigned choice = 0; choice < BUCKETS; choice++)
			if ((found = find_in(bucket_of(table, number, address, choice), address)))
				return found;
	return NULL;
}

void blocks_remove(struct recorded *recorded)
{
	__atomic_store_n(&recorded->address, 0, __ATOMIC_RELEASE);
}

void blocks_each(blocks_visit *visit, void *context)
{
	struct recorded *table;
	for (unsigned number = 0; (table = mapped(number)); number++)
		for (uint64_t i = 0; i < places_of(number); i++)
			if (__atomic_load_n(&table[i].address, __ATOMIC_ACQUIRE) > BUSY)
				visit(&table[i], context);
}
