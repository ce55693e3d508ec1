/* SPDX-License-Identifier: MIT */
/* inspect_pools.c: arenas, pools and which of their blocks live, of a process.  See inspected.h. */
#include "launch/inspected.h"

#include "text/allocate.h"

#include <stdlib.h>

/* --- pools ------------------------------------------------------------------------------------------------- */

static uint16_t index_of_frame(struct pool_in_hand *pool, uint32_t frame)
{
	uint32_t i = pool->out.frame_count;

	while (i && pool->frames[i - 1] != frame)
		i--;
	if (!i) {
		pool->frames[pool->out.frame_count] = frame;
		i = ++pool->out.frame_count;
	}
	return (uint16_t)i;
}

static void look_at_block(struct inspected *target, struct pool_in_hand *pool, uint32_t index)
{
	uint8_t stamp = pool->stamps[index];
	uint32_t generation = target->generation[stamp];
	struct remembered known;

	if (!stamp)
		return;
	pool->which[pool->live_count] = 0;
	if (stamp == word(target, PM_INSIDE_STAMP_SPECIAL)) {
		bool is_known = find_known(target, pool, index, &known);
		generation = is_known && !known.is_frozen ? target->generation[known.stamp] : 2;
		if (is_known && known.row) {
			pool->out.recorded++;
			pool->out.recorded_requested += known.requested;
			pool->which[pool->live_count] = index_of_frame(pool,
								       frame_of(target, known.row));
		}
	}
	pool->states[index / 16] |= (generation + 1) << index % 16 * 2;
	pool->out.live[generation]++;
	pool->live_count++;
}

static void put_blocks(struct inspected *target, struct pool_in_hand *pool)
{
	struct pm_survey_pool *out = &pool->out;
	char more[sizeof pool->states + sizeof pool->frames + sizeof pool->which];
	size_t bytes = 0;

	out->has_states = out->state != PM_SURVEY_KEPT && pool->live_count < out->capacity;
	size_t states = out->has_states ? (out->capacity + 15) / 16 * sizeof *pool->states : 0;
	size_t frames = out->frame_count * sizeof *pool->frames;
	size_t which = out->frame_count ? pool->live_count * sizeof *pool->which : 0;
	memcpy(more, pool->states, states);
	bytes += states;
	memcpy(more + bytes, pool->frames, frames);
	bytes += frames;
	memcpy(more + bytes, pool->which, which);
	bytes += which;
	put_fact(target, PM_SURVEY_POOL, out, sizeof *out, more, bytes);
}

/* Where the last publication had a pool, it says whose; by unit from the first arena on. */
static void read_owners(struct inspected *target, uint32_t arenas)
{
	const struct process *process = target->process;
	uint64_t units = (uint64_t)arenas * target->arena_units;

	target->owners = allocate(units + 1, sizeof *target->owners);
	target->owner_count = units;
	for (size_t i = 0; i < process->pool_count; i++) {
		const struct pool *pool = &process->pools[i];
		uint64_t at = (process->arenas[pool->arena].base - word(target, PM_INSIDE_BASE)) /
				      target->unit_bytes +
			      pool->unit;
		if (at < units)
			target->owners[at] = pool->owner;
	}
}

static uint32_t published_owner(const struct inspected *target, uint64_t address)
{
	uint64_t at = (address - word(target, PM_INSIDE_BASE)) / target->unit_bytes;
	return at < target->owner_count ? target->owners[at] : 0;
}

/* The SLOT chunk of a heap; 0: none. */
static uint32_t slot_of_heap(const struct inspected *target, uint64_t heap)
{
	const struct pm_header *header = target->process->header;
	uint64_t slot, shift, segment = 0;

	if (!header ||
	    !peek(target, heap + word(target, PM_INSIDE_HEAP_SLOT_OF), &slot, sizeof slot) ||
	    !peek(target, heap + word(target, PM_INSIDE_HEAP_SHIFT_OF), &shift, sizeof shift) ||
	    !peek(target, word(target, PM_INSIDE_SEGMENT_AT), &segment, sizeof segment) || !shift)
		return 0;
	uint64_t offset = slot + shift - segment;
	return offset < header->file_bytes ? (uint32_t)(offset / header->chunk_bytes) : 0;
}

/* Pools of a heap stand together, mostly: the last one is remembered. */
static uint32_t owner_of(struct inspected *target, uint64_t address, const unsigned char *record)
{
	enum { HEAP_MIN = 4096 };

	if (!inside_knows_owners(target->in))
		return published_owner(target, address);
	uint64_t heap = field(record, word(target, PM_INSIDE_POOL_OWNER_OF), 8);
	if (heap < HEAP_MIN)
		return 0;
	if (heap != target->last_heap) {
		target->last_heap = heap;
		target->last_owner = slot_of_heap(target, heap);
	}
	return target->last_owner;
}

static void put_pool(struct inspected *target, const unsigned char *arena, uint64_t base,
		     unsigned unit, uint64_t address, const unsigned char *record)
{
	uint64_t state = field(record, word(target, PM_INSIDE_POOL_STATE_OF), 1);
	bool is_huge = field(arena, word(target, PM_INSIDE_ARENA_KIND_OF), 4) ==
		       word(target, PM_INSIDE_KIND_HUGE);
	uint64_t threaded = field(record, word(target, PM_INSIDE_POOL_THREADED_OF), 4);
	uint64_t capacity = field(record, word(target, PM_INSIDE_POOL_CAPACITY_OF), 8);
	struct pool_in_hand *pool = allocate(1, sizeof *pool);

	pool->out = (struct pm_survey_pool){
		.first = base + unit * target->unit_bytes,
		.bytes = is_huge ? field(arena, word(target, PM_INSIDE_ARENA_HUGE_BYTES_OF), 8)
				 : field(record, word(target, PM_INSIDE_POOL_UNITS_OF), 2) *
					   target->unit_bytes,
		.start = field(record, word(target, PM_INSIDE_POOL_START_OF), 8),
		.block_bytes = field(record, word(target, PM_INSIDE_POOL_BLOCK_BYTES_OF), 8),
		.capacity = (uint32_t)(capacity < BLOCKS_MAX ? capacity : BLOCKS_MAX),
		.owner = owner_of(target, base + unit * target->unit_bytes, record),
		.size_class = (uint8_t)field(record, word(target, PM_INSIDE_POOL_CLASS_OF), 1),
		.state = state == word(target, PM_INSIDE_STATE_LARGE)  ? PM_SURVEY_LARGE
			 : state == word(target, PM_INSIDE_STATE_KEPT) ? PM_SURVEY_KEPT
								       : PM_SURVEY_BLOCKS,
	};
	threaded = threaded < pool->out.capacity ? threaded : pool->out.capacity;
	if (pool->out.state != PM_SURVEY_KEPT &&
	    peek(target, address + word(target, PM_INSIDE_POOL_BYTES), pool->stamps, threaded)) {
		read_beside(target,
			    field(arena, word(target, PM_INSIDE_ARENA_BESIDE_OF) + unit * 8, 8),
			    pool);
		for (uint32_t i = 0; i < threaded; i++)
			look_at_block(target, pool, i);
	}
	put_blocks(target, pool);
	free(pool->beside);
	free(pool);
}

static void put_pools(struct inspected *target, const unsigned char *arena, uint64_t base)
{
	uint64_t records = field(arena, word(target, PM_INSIDE_ARENA_RECORDS_OF), 8);
	unsigned char record[RECORD_ROOM];

	for (unsigned unit = 0; unit < target->arena_units && !target->is_false; unit++) {
		uint64_t line = field(arena, word(target, PM_INSIDE_ARENA_RECORD_AT_OF) + unit * 2,
				      2);
		uint64_t address = records + line * word(target, PM_INSIDE_RECORD_LINE);
		if (!line || !peek(target, address, record, word(target, PM_INSIDE_POOL_BYTES)))
			continue;
		/* One that was there before lies inside another pool now, or its units are free. */
		if (field(record, word(target, PM_INSIDE_POOL_STATE_OF), 1) !=
			    word(target, PM_INSIDE_STATE_UNUSED) &&
		    field(record, word(target, PM_INSIDE_POOL_FIRST_UNIT_OF), 1) == unit)
			put_pool(target, arena, base, unit, address, record);
	}
}

/* --- arenas ------------------------------------------------------------------------------------------------ */

/* free_units: those that were free before its pools were gone through, or after. */
static void put_arena(struct inspected *target, const unsigned char *arena, uint64_t base,
		      uint64_t free_units, bool is_huge)
{
	size_t words = (target->arena_pages + 63) / 64;
	uint64_t *resident = allocate(words, sizeof *resident);
	uint64_t records = field(arena, word(target, PM_INSIDE_ARENA_RECORDS_OF), 8);
	struct pm_survey_arena out = {
		.base = base,
		.free_units = is_huge ? 0 : free_units,
		.meta = records,
		.meta_bytes = records ? word(target, PM_INSIDE_RECORDS_BYTES) : 0,
		.kind = is_huge ? PM_ARENA_HUGE : PM_ARENA_POOLS,
		.mapped_units = is_huge ? target->arena_units
					: (uint32_t)field(
						  arena, word(target, PM_INSIDE_ARENA_MAPPED_OF), 4),
	};

	out.meta_resident = resident_bytes(target, out.meta, out.meta_bytes);
	look_at_pages(target, base, target->arena_pages, resident);
	put_fact(target, PM_SURVEY_ARENA, &out, sizeof out, resident, words * sizeof *resident);
	free(resident);
}

/* In the copy, or by now. */
static uint64_t free_units(const struct inspected *target, const unsigned char *arena,
			   uint64_t address)
{
	uint64_t offset = word(target, PM_INSIDE_ARENA_FREE_OF), now = 0;

	peek(target, address + offset, &now, sizeof now);
	return field(arena, offset, sizeof now) | now;
}

static bool put_arena_of(struct inspected *target, uint64_t number, uint64_t block)
{
	uint64_t stride = word(target, PM_INSIDE_ARENA_BYTES);
	unsigned char arena[RECORD_ROOM];
	uint64_t base = word(target, PM_INSIDE_BASE) +
			number * target->arena_units * target->unit_bytes;

	uint64_t address = block + number % word(target, PM_INSIDE_ARENA_BLOCK) * stride;

	if (!peek(target, address, arena, stride))
		return false;
	uint64_t kind = field(arena, word(target, PM_INSIDE_ARENA_KIND_OF), 4);
	bool is_pools = kind == word(target, PM_INSIDE_KIND_POOLS);
	bool is_huge = kind == word(target, PM_INSIDE_KIND_HUGE);
	if (is_pools || is_huge)
		put_pools(target, arena, base);
	if (is_pools || is_huge || kind == word(target, PM_INSIDE_KIND_HUGE_TAIL))
		put_arena(target, arena, base, free_units(target, arena, address), !is_pools);
	return true;
}

bool put_arenas(struct inspected *target)
{
	uint64_t per_block = word(target, PM_INSIDE_ARENA_BLOCK), block = 0;
	uint32_t count = 0;

	if (!peek(target, word(target, PM_INSIDE_ARENAS_AT), &count, sizeof count))
		return lacks(target, "the number of its arenas");
	target->is_false = target->is_false || count > ARENAS_MAX;
	if (target->is_false)
		return false;
	if (!inside_knows_owners(target->in))
		read_owners(target, count);
	for (uint64_t i = 0; i < count && !target->is_false; i++) {
		if (i % per_block == 0 &&
		    !peek(target, word(target, PM_INSIDE_ARENA_BLOCKS_AT) + i / per_block * 8,
			  &block, sizeof block))
			return lacks(target, "its table of arenas");
		if (!put_arena_of(target, i, block))
			return lacks(target, "an arena's record");
	}
	return true;
}
