/* SPDX-License-Identifier: MIT */
/* facts.c: see facts.h. */
#include "source/facts.h"

#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { FACT_ALIGNMENT = 8 };

void facts_open(const struct image *image, enum pm_chunk_kind kind, uint32_t process,
		struct facts *ret)
{
	uint32_t count;
	const struct image_entry *entry = image_entries(image, kind, process, &count);
	struct facts facts = {.stream = allocate(count, image->header.chunk_bytes)};

	for (uint32_t i = 0; i < count; i++) {
		const struct pm_chunk *chunk = (const void *)image->chunks[entry[i].number];
		if (chunk->sequence != i) {
			facts.is_cut = true;
			break;
		}
		memcpy(facts.stream + facts.byte_count, chunk + 1, chunk->used_bytes);
		facts.byte_count += chunk->used_bytes;
	}
	*ret = facts;
}

void facts_take(void *stream, size_t byte_count, struct facts *ret)
{
	*ret = (struct facts){.stream = stream, .byte_count = byte_count};
}

bool facts_next(struct facts *facts, struct fact *ret)
{
	struct pm_fact record;
	size_t left = facts->byte_count - facts->at;

	if (!left)
		return false;
	if (left < sizeof record) {
		facts->is_cut = true;
		return false;
	}
	memcpy(&record, facts->stream + facts->at, sizeof record);
	left -= sizeof record;
	if (record.bytes > left) {
		facts->is_cut = true;
		return false;
	}
	*ret = (struct fact){record.tag, record.bytes, facts->stream + facts->at + sizeof record};
	size_t padded = ((size_t)record.bytes + FACT_ALIGNMENT - 1) & ~(size_t)(FACT_ALIGNMENT - 1);
	facts->at += sizeof record + (padded < left ? padded : left);
	return true;
}

void facts_close(struct facts *facts)
{
	free(facts->stream);
	*facts = (struct facts){.stream = NULL};
}
