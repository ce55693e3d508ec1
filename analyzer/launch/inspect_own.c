/* SPDX-License-Identifier: MIT */
/* inspect_own.c: what of a process's memory outside arenas is the library's.  See inspected.h. */
#include "launch/inspected.h"

static void put_range(struct inspected *target, uint64_t first, uint64_t bytes, uint32_t use)
{
	enum { RANGE_MAX = 1 << 30 };
	uint64_t page = target->page_bytes, begin = first / page * page;
	uint64_t end = (first + bytes + page - 1) / page * page;
	struct pm_survey_range range = {.first = begin, .bytes = end - begin, .use = use};

	if (end < begin || end - begin > RANGE_MAX)
		return;
	range.resident_bytes = resident_bytes(target, range.first, range.bytes);
	put_fact(target, PM_SURVEY_RANGE, &range, sizeof range, NULL, 0);
}

static void put_own(struct inspected *target)
{
	enum { ADDRESS_OF = 0, BYTES_OF = 8, USE_OF = 16 };
	uint64_t stride = word(target, PM_INSIDE_OWN_BYTES);
	uint64_t most = word(target, PM_INSIDE_OWN_MAX);
	unsigned char own[RECORD_ROOM];
	uint32_t count = 0;

	peek(target, word(target, PM_INSIDE_OWN_COUNT_AT), &count, sizeof count);
	for (uint32_t i = 0; i < count && i < most; i++)
		if (peek(target, word(target, PM_INSIDE_OWN_AT) + i * stride, own, stride) &&
		    field(own, ADDRESS_OF, 8))
			put_range(target, field(own, ADDRESS_OF, 8), field(own, BYTES_OF, 8),
				  (uint32_t)field(own, USE_OF, 4));
}

void put_ranges(struct inspected *target)
{
	uint64_t segment = 0, first = word(target, PM_INSIDE_IMAGE_FIRST);
	uint32_t chunks = 0;

	put_own(target);
	if (peek(target, word(target, PM_INSIDE_SEGMENT_AT), &segment, sizeof segment) &&
	    peek(target, word(target, PM_INSIDE_SEGMENT_CHUNKS_AT), &chunks, sizeof chunks) &&
	    segment)
		put_range(target, segment, (uint64_t)chunks * PM_CHUNK_BYTES, PM_RANGE_TELEMETRY);
	put_range(target, first, word(target, PM_INSIDE_IMAGE_LAST) - first, PM_RANGE_TELEMETRY);
}
