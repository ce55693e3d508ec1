/* SPDX-License-Identifier: MIT */
/*
 * inside.c: where a reader that may read the memory of this process finds arenas, pools and blocks; see PM_INSIDE.
 *
 * So a process can be surveyed that does nothing, without a signal, a thread or a word of its own.
 */
#include "life/inside.h"

#include "heap/region.h"
#include "life/life.h"
#include "life/records.h"
#include "stack/intern.h"
#include "sys/memory.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

const char *const inside_image_first = __ehdr_start, *const inside_image_last = _end;

static uint64_t at(const void *address)
{
	return (uintptr_t)address;
}

#define ARENA(field) offsetof(struct arena, field)
#define POOL(field) offsetof(struct pool, field)
#define RECORDED(field) offsetof(struct recorded, field)

void inside_describe(uint64_t ret_words[PM_INSIDE_COUNT])
{
	const uint64_t words[PM_INSIDE_COUNT] = {
		[PM_INSIDE_BASE] = region.base_unit << UNIT_SHIFT,
		[PM_INSIDE_ARENAS_AT] = at(&region.arenas),
		[PM_INSIDE_ARENA_BLOCKS_AT] = at(arena_blocks),
		[PM_INSIDE_ARENA_BLOCK] = ARENA_BLOCK,
		[PM_INSIDE_ARENA_BYTES] = sizeof(struct arena),
		[PM_INSIDE_ARENA_FREE_OF] = ARENA(free),
		[PM_INSIDE_ARENA_MAPPED_OF] = ARENA(mapped),
		[PM_INSIDE_ARENA_KIND_OF] = ARENA(kind),
		[PM_INSIDE_ARENA_HUGE_BYTES_OF] = ARENA(huge_bytes),
		[PM_INSIDE_ARENA_RECORDS_OF] = ARENA(records),
		[PM_INSIDE_ARENA_RECORD_AT_OF] = ARENA(record_at),
		[PM_INSIDE_ARENA_BESIDE_OF] = ARENA(of_host),
		[PM_INSIDE_RECORDS_BYTES] = arena_records_bytes(),
		[PM_INSIDE_RECORD_LINE] = ARENA_RECORD_LINE,
		[PM_INSIDE_KIND_POOLS] = ARENA_POOLS,
		[PM_INSIDE_KIND_HUGE] = ARENA_HUGE,
		[PM_INSIDE_KIND_HUGE_TAIL] = ARENA_HUGE_TAIL,
		[PM_INSIDE_POOL_BYTES] = POOL(stamps),
		[PM_INSIDE_POOL_START_OF] = POOL(start),
		[PM_INSIDE_POOL_CAPACITY_OF] = POOL(capacity),
		[PM_INSIDE_POOL_THREADED_OF] = POOL(threaded),
		[PM_INSIDE_POOL_BLOCK_BYTES_OF] = POOL(block_bytes),
		[PM_INSIDE_POOL_UNITS_OF] = POOL(units),
		[PM_INSIDE_POOL_FIRST_UNIT_OF] = POOL(first_unit),
		[PM_INSIDE_POOL_CLASS_OF] = POOL(size_class),
		[PM_INSIDE_POOL_STATE_OF] = POOL(state),
		[PM_INSIDE_STATE_UNUSED] = POOL_UNUSED,
		[PM_INSIDE_STATE_LARGE] = POOL_LARGE,
		[PM_INSIDE_STATE_KEPT] = POOL_CACHED,
		[PM_INSIDE_AGES_AT] = at(stamps.freed_at),
		[PM_INSIDE_STAMP_SPECIAL] = STAMP_SPECIAL,
		[PM_INSIDE_OWN_AT] = at(memory_own),
		[PM_INSIDE_OWN_COUNT_AT] = at(&memory_own_count),
		[PM_INSIDE_OWN_MAX] = MEMORY_OWN_MAX,
		[PM_INSIDE_OWN_BYTES] = sizeof(struct memory_own),
		[PM_INSIDE_SEGMENT_AT] = at(&segment.header),
		[PM_INSIDE_SEGMENT_CHUNKS_AT] = at(&segment.mapped),
		[PM_INSIDE_IMAGE_FIRST] = at(inside_image_first),
		[PM_INSIDE_IMAGE_LAST] = at(inside_image_last),
		[PM_INSIDE_BESIDE_ENTRY_OF] = offsetof(struct beside, entry),
		[PM_INSIDE_BESIDE_BYTES] = sizeof(struct beside_entry),
		[PM_INSIDE_BESIDE_ROW_BITS] = BESIDE_SITE_BITS,
		[PM_INSIDE_BESIDE_REQUESTED_OF] = offsetof(struct beside_entry, requested),
		[PM_INSIDE_BESIDE_STAMP_OF] = offsetof(struct beside_entry, stamp),
		[PM_INSIDE_TABLES_AT] = at(blocks_tables()),
		[PM_INSIDE_TABLES] = BLOCKS_TABLES,
		[PM_INSIDE_TABLE_PLACES] = BLOCKS_FIRST_PLACES,
		[PM_INSIDE_TABLE_SHIFT] = BLOCKS_GROWTH_SHIFT,
		[PM_INSIDE_RECORDED_BYTES] = sizeof(struct recorded),
		[PM_INSIDE_RECORDED_REQUESTED_OF] = RECORDED(requested),
		[PM_INSIDE_RECORDED_ROW_OF] = RECORDED(site),
		[PM_INSIDE_RECORDED_STAMP_OF] = RECORDED(stamp),
		[PM_INSIDE_RECORDED_FROZEN_OF] = RECORDED(is_frozen),
		[PM_INSIDE_SITES_AT] = at(intern_site_blocks()),
		[PM_INSIDE_SITES] = INTERN_SITES,
		[PM_INSIDE_SITE_BLOCK] = INTERN_SITE_BLOCK,
		[PM_INSIDE_SITE_BYTES] = sizeof(struct site),
		[PM_INSIDE_SITE_FRAME_OF] = offsetof(struct site, frame),
		[PM_INSIDE_POOL_OWNER_OF] = POOL(owner),
		[PM_INSIDE_HEAP_SLOT_OF] = offsetof(struct heap, slot),
		[PM_INSIDE_HEAP_SHIFT_OF] = (uint64_t)HEAP_GROUP * HEAP_STRIDE +
					    offsetof(struct heap_twin, displacement),
	};
	__builtin_memcpy(ret_words, words, sizeof words);
}
