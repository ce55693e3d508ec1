/* SPDX-License-Identifier: MIT */
/* inspect_blocks.c: what is known of recorded blocks of a process: site, requested bytes, age.  See inspected.h. */
#include "launch/inspected.h"

#include "text/allocate.h"

#include <stdlib.h>

enum { RECORDS_AT_ONCE = 512 };

void read_generations(struct inspected *target)
{
	int64_t offset[STAMPS] = {0};
	const struct layout *layout = target->process->layout;

	peek(target, word(target, PM_INSIDE_AGES_AT), offset, sizeof offset);
	for (unsigned stamp = 0; stamp < STAMPS; stamp++) {
		uint64_t bucket = (uint64_t)offset[stamp] / sizeof(uint64_t);
		uint32_t generation = offset[stamp] >= 0 && bucket < layout->age_count
					      ? layout->ages[bucket].generation
					      : 0;
		target->generation[stamp] = (uint8_t)(generation < 3 ? generation : 2);
	}
}

/* Index of the site of a row, and the number of its frame; 0: not known. */
uint32_t frame_of(struct inspected *target, uint32_t row)
{
	uint64_t block_sites = word(target, PM_INSIDE_SITE_BLOCK);
	uint64_t site = (row - 1) % word(target, PM_INSIDE_SITES), bytes;
	unsigned char **block = &target->site_blocks[site / block_sites];

	bytes = word(target, PM_INSIDE_SITE_BYTES);
	if (!*block) {
		uint64_t address = 0;
		*block = allocate(block_sites + 1, bytes + 8);
		if (peek(target, word(target, PM_INSIDE_SITES_AT) + site / block_sites * 8,
			 &address, sizeof address))
			peek(target, address, *block, block_sites * bytes);
	}
	return (uint32_t)field(*block + site % block_sites * bytes,
			       word(target, PM_INSIDE_SITE_FRAME_OF), 4);
}

static int by_address(const void *left, const void *right)
{
	const struct remembered *a = left, *b = right;
	return (a->address > b->address) - (a->address < b->address);
}

static void read_known(struct inspected *target, uint64_t address, const unsigned char *record)
{
	enum { BLOCK_MIN = 16 };

	target->is_false = target->is_false || target->known_count > target->rss / BLOCK_MIN;
	if (target->is_false)
		return;
	target->known = allocate_more(target->known, target->known_count, &target->known_room,
				      sizeof *target->known);
	target->known[target->known_count++] = (struct remembered){
		.address = address,
		.requested = field(record, word(target, PM_INSIDE_RECORDED_REQUESTED_OF), 8),
		.row = (uint32_t)field(record, word(target, PM_INSIDE_RECORDED_ROW_OF), 4),
		.stamp = (uint8_t)field(record, word(target, PM_INSIDE_RECORDED_STAMP_OF), 1),
		.is_frozen = field(record, word(target, PM_INSIDE_RECORDED_FROZEN_OF), 1),
	};
}

/* false: it cannot be read. */
static bool read_records(struct inspected *target, uint64_t records, const uint64_t *addresses,
			 unsigned char *room)
{
	uint64_t bytes = word(target, PM_INSIDE_RECORDED_BYTES);
	bool is_there = false;

	for (unsigned i = 0; i < RECORDS_AT_ONCE && !is_there; i++)
		is_there = addresses[i] > 1;
	if (is_there && !peek(target, records, room, RECORDS_AT_ONCE * bytes))
		return false;
	for (unsigned i = 0; i < RECORDS_AT_ONCE && is_there; i++)
		if (addresses[i] > 1)
			read_known(target, addresses[i], room + i * bytes);
	return true;
}

static void read_table(struct inspected *target, uint64_t table, uint64_t places)
{
	uint64_t addresses[RECORDS_AT_ONCE], bytes = word(target, PM_INSIDE_RECORDED_BYTES);
	unsigned char *room = allocate(RECORDS_AT_ONCE + 1, bytes + 8);

	for (uint64_t at = 0; at < places && !target->is_false; at += RECORDS_AT_ONCE)
		if (!peek(target, table + at * 8, addresses, sizeof addresses) ||
		    !read_records(target, table + places * 8 + at * bytes, addresses, room))
			break;
	free(room);
}

void read_tables(struct inspected *target)
{
	for (uint64_t t = 0; t < word(target, PM_INSIDE_TABLES); t++) {
		uint64_t table = 0;
		if (!peek(target, word(target, PM_INSIDE_TABLES_AT) + t * 8, &table, sizeof table) ||
		    !table)
			break;
		read_table(target, table,
			   word(target, PM_INSIDE_TABLE_PLACES)
				   << t * word(target, PM_INSIDE_TABLE_SHIFT));
	}
	if (target->known_count)
		qsort(target->known, target->known_count, sizeof *target->known, by_address);
}

/* at: where the records of its blocks are; 0: there are none. */
void read_beside(const struct inspected *target, uint64_t at, struct pool_in_hand *pool)
{
	uint64_t bytes = word(target, PM_INSIDE_BESIDE_BYTES);
	uint32_t room = 0;

	if (!at || !peek(target, at, &room, sizeof room))
		return;
	room = room < pool->out.capacity ? room : pool->out.capacity;
	pool->beside = allocate(room + 1, bytes + 8);
	if (peek(target, at + word(target, PM_INSIDE_BESIDE_ENTRY_OF), pool->beside, room * bytes))
		pool->beside_count = room;
}

/* beside: of the pool, then by address. */
bool find_known(const struct inspected *target, const struct pool_in_hand *pool, uint32_t index,
		struct remembered *ret)
{
	uint64_t bytes = word(target, PM_INSIDE_BESIDE_BYTES);
	uint64_t bits = word(target, PM_INSIDE_BESIDE_ROW_BITS);
	struct remembered wanted = {.address = pool->out.start + index * pool->out.block_bytes};

	if (index < pool->beside_count) {
		const unsigned char *entry = pool->beside + index * bytes;
		uint64_t word_0 = field(entry, 0, 4);
		wanted.row = (uint32_t)(word_0 & ((UINT64_C(1) << bits) - 1));
		wanted.is_frozen = word_0 >> bits & 1;
		wanted.requested = field(entry, word(target, PM_INSIDE_BESIDE_REQUESTED_OF), 2);
		wanted.stamp = (uint8_t)field(entry, word(target, PM_INSIDE_BESIDE_STAMP_OF), 1);
		*ret = wanted;
		if (wanted.row)
			return true;
	}
	const struct remembered *found = target->known_count
						 ? bsearch(&wanted, target->known,
							   target->known_count,
							   sizeof *target->known, by_address)
						 : NULL;
	if (found)
		*ret = *found;
	return found;
}
