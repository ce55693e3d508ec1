/* SPDX-License-Identifier: MIT */
/* chunk.c: see chunk.h. */
#include "source/chunk.h"

#include <stddef.h>
#include <string.h>

static bool damaged(struct failure *why, uint32_t number, const char *field, uint32_t value)
{
	return fail(why, FAILURE_UNREADABLE, "damaged: chunk %u says %s %u", number, field, value);
}

static bool verify_slot(uint32_t number, const unsigned char *chunk, struct failure *why)
{
	const struct pm_slot *slot = (const void *)chunk;
	if (slot->use > PM_SLOT_DEPARTED)
		return damaged(why, number, "use", slot->use);
	return true;
}

static bool verify_facts(const struct pm_header *header, uint32_t number,
			 const struct pm_chunk *chunk, struct failure *why)
{
	if (chunk->used_bytes > header->chunk_bytes - sizeof *chunk)
		return damaged(why, number, "used_bytes", chunk->used_bytes);
	return true;
}

bool chunk_verify(const struct pm_header *header, uint32_t number, const unsigned char *chunk,
		  struct failure *why)
{
	const struct pm_chunk *opening = (const void *)chunk;
	uint64_t chunk_limit = header->file_bytes / header->chunk_bytes;

	if (opening->kind == PM_CHUNK_EMPTY || opening->kind == PM_CHUNK_SPARE)
		return true;
	if (opening->kind > PM_CHUNK_DYING)
		return damaged(why, number, "kind", opening->kind);
	if (!opening->process || opening->process >= chunk_limit)
		return damaged(why, number, "process", opening->process);
	if (opening->kind == PM_CHUNK_SLOT || opening->kind == PM_CHUNK_DYING)
		return verify_slot(number, chunk, why);
	if (opening->kind == PM_CHUNK_FACTS)
		return verify_facts(header, number, opening, why);
	return true;
}

struct pm_tally *chunk_tally(const struct pm_header *header, const unsigned char *chunk,
			     uint32_t size_class)
{
	return (struct pm_tally *)(chunk + header->tally_offset +
				   (size_t)size_class * header->tally_stride);
}

bool chunk_same_owner(const unsigned char *copy, const unsigned char *chunk)
{
	const struct pm_chunk *before = (const void *)copy;
	const struct pm_chunk *now = (const void *)chunk;
	bool is_dying = before->kind == PM_CHUNK_SLOT && now->kind == PM_CHUNK_DYING;
	return (before->kind == now->kind || is_dying) && before->process == now->process;
}

bool chunk_same_tallies(const struct pm_header *header, const unsigned char *copy,
			const unsigned char *chunk)
{
	size_t bytes = (size_t)header->classes.count * header->tally_stride;
	return memcmp(copy + header->tally_offset, chunk + header->tally_offset, bytes) == 0;
}
