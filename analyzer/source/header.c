/* SPDX-License-Identifier: MIT */
/* header.c: see header.h. */
#include "source/header.h"

#include <string.h>

static bool damaged(struct failure *why, const char *field, uint64_t value)
{
	return fail(why, FAILURE_UNREADABLE, "damaged: header says %s %llu", field,
		    (unsigned long long)value);
}

static bool is_power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

static bool within(uint64_t value, uint64_t least, uint64_t most)
{
	return value >= least && value <= most;
}

bool format_version_known(uint32_t endian, uint32_t version, struct failure *why)
{
	if (endian == __builtin_bswap32(PM_ENDIAN))
		return fail(why, FAILURE_UNREADABLE, "made on a machine of the other byte order");
	if (endian != PM_ENDIAN)
		return fail(why, FAILURE_UNREADABLE, "damaged: byte order mark is %08x", endian);
	if (version > PM_FORMAT_VERSION)
		return fail(why, FAILURE_UNREADABLE,
			    "made by a newer poolmem: format %u, this one reads %d", version,
			    PM_FORMAT_VERSION);
	if (version == 0)
		return fail(why, FAILURE_UNREADABLE, "damaged: format 0");
	return true;
}

static bool verify_identity(const struct pm_header *header, struct failure *why)
{
	if (memcmp(header->magic, PM_MAGIC, sizeof header->magic) != 0)
		return fail(why, FAILURE_UNREADABLE, "not a poolmem segment");
	if (!format_version_known(header->endian, header->version, why))
		return false;
	if (header->requires)
		return fail(why, FAILURE_UNREADABLE,
			    "made by a newer poolmem: needs features %#llx, this one knows none",
			    (unsigned long long)header->requires);
	if (header->ready != PM_READY)
		return fail(why, FAILURE_UNREADABLE,
			    "not complete: its program was stopped while it was starting");
	return true;
}

static bool verify_sizes(const struct pm_header *header, struct failure *why)
{
	if (!within(header->chunk_bytes, 4096, CHUNK_BYTES_MAX) || header->chunk_bytes % 16)
		return damaged(why, "chunk_bytes", header->chunk_bytes);
	if (!within(header->header_bytes, sizeof *header, header->chunk_bytes))
		return damaged(why, "header_bytes", header->header_bytes);
	if (!is_power_of_two(header->page_bytes) || !within(header->page_bytes, 1024, 1 << 20))
		return damaged(why, "page_bytes", header->page_bytes);
	if (!is_power_of_two(header->unit_bytes) || !within(header->unit_bytes, 1024, 1 << 26))
		return damaged(why, "unit_bytes", header->unit_bytes);
	if (!within(header->arena_units, 1, PM_ARENA_UNITS))
		return damaged(why, "arena_units", header->arena_units);
	if (header->slot_counters > PM_COUNTER_ROOM)
		return damaged(why, "slot_counters", header->slot_counters);
	return true;
}

/* The table lies in the header chunk, behind the header. */
static bool verify_table(const struct pm_header *header, const struct pm_table *table,
			 const char *name, size_t record_bytes, struct failure *why)
{
	uint64_t bytes = (uint64_t)table->stride * table->count;

	if (table->stride < record_bytes || table->stride % 4 || table->offset % 4 ||
	    !table->count || table->offset < header->header_bytes ||
	    table->offset > header->chunk_bytes || bytes > header->chunk_bytes - table->offset)
		return fail(why, FAILURE_UNREADABLE,
			    "damaged: table of %s: %u records of %u bytes at byte %llu", name,
			    table->count, table->stride, (unsigned long long)table->offset);
	return true;
}

static bool verify_slot_layout(const struct pm_header *header, struct failure *why)
{
	uint64_t tally_bytes = (uint64_t)header->tally_stride * header->classes.count;
	size_t least = __builtin_offsetof(struct pm_tally, freed) +
		       header->ages.count * sizeof(uint64_t);

	if (!within(header->ages.count, 1, AGE_COUNT_MAX))
		return damaged(why, "ages.count", header->ages.count);
	if (!within(header->classes.count, 1, CLASS_COUNT_MAX))
		return damaged(why, "classes.count", header->classes.count);
	if (header->tally_stride < least || header->tally_stride % 8)
		return damaged(why, "tally_stride", header->tally_stride);
	if (!within(header->tally_offset, __builtin_offsetof(struct pm_slot, room),
		    header->chunk_bytes) ||
	    header->tally_offset % 8 || tally_bytes > header->chunk_bytes - header->tally_offset)
		return damaged(why, "tally_offset", header->tally_offset);
	return true;
}

static bool verify_map_layout(const struct pm_header *header, struct failure *why)
{
	uint64_t bytes = (uint64_t)header->map_arenas * sizeof(struct pm_arena);
	if (bytes > header->chunk_bytes - __builtin_offsetof(struct pm_map, arena))
		return damaged(why, "map_arenas", header->map_arenas);
	return true;
}

bool header_chunks_fit(const struct pm_header *header, uint32_t chunks, uint64_t byte_count,
		       struct failure *why)
{
	uint64_t needed = (uint64_t)chunks * header->chunk_bytes;

	if (!chunks || needed > SEGMENT_BYTES_MAX || needed > header->file_bytes)
		return damaged(why, "chunks", chunks);
	if (needed > byte_count)
		return fail(why, FAILURE_UNREADABLE,
			    "damaged: cut short, %llu bytes of %u chunks of %u bytes",
			    (unsigned long long)byte_count, chunks, header->chunk_bytes);
	return true;
}

bool header_verify(const struct pm_header *header, uint64_t byte_count, struct failure *why)
{
	return verify_identity(header, why) && verify_sizes(header, why) &&
	       verify_table(header, &header->classes, "classes", sizeof(struct pm_class), why) &&
	       verify_table(header, &header->ages, "ages", sizeof(struct pm_age), why) &&
	       verify_slot_layout(header, why) && verify_map_layout(header, why) &&
	       header_chunks_fit(header, header->chunks, byte_count, why);
}

struct pm_class header_class(const struct pm_header *header, const unsigned char *chunk,
			     uint32_t index)
{
	struct pm_class record;
	memcpy(&record, chunk + header->classes.offset + (size_t)index * header->classes.stride,
	       sizeof record);
	return record;
}

struct pm_age header_age(const struct pm_header *header, const unsigned char *chunk, uint32_t index)
{
	struct pm_age record;
	memcpy(&record, chunk + header->ages.offset + (size_t)index * header->ages.stride,
	       sizeof record);
	return record;
}

static bool class_is_sane(const struct pm_class *record)
{
	switch (record->kind) {
	case 0: /* a spare record */ return true;
	case PM_CLASS_POOL: return record->block_bytes <= record->pool_bytes;
	case PM_CLASS_LARGE:
	case PM_CLASS_LARGE_BYTES: return !record->block_bytes;
	default: return false;
	}
}

bool header_verify_tables(const struct pm_header *header, const unsigned char *chunk,
			  struct failure *why)
{
	for (uint32_t i = 0; i < header->classes.count; i++) {
		struct pm_class record = header_class(header, chunk, i);
		if (!class_is_sane(&record))
			return fail(
				why, FAILURE_UNREADABLE,
				"damaged: class %u is of kind %u, blocks of %u in pools of %u bytes",
				i, record.kind, record.block_bytes, record.pool_bytes);
	}
	for (uint32_t i = 0; i < header->ages.count; i++) {
		struct pm_age record = header_age(header, chunk, i);
		if (record.generation > 2 || record.age_min > record.age_max)
			return fail(why, FAILURE_UNREADABLE,
				    "damaged: age bucket %u is generation %u, %u to %u epochs", i,
				    record.generation, record.age_min, record.age_max);
	}
	return true;
}
