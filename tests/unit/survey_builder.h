/* SPDX-License-Identifier: MIT */
/* survey_builder.h: where the blocks and pages of builder_example() are, as SURVEY chunks say it. */
#ifndef POOLMEM_TESTS_SURVEY_BUILDER_H
#define POOLMEM_TESTS_SURVEY_BUILDER_H

#include "unit/segment_builder.h"

enum { SURVEY_PAGE = 4096, SURVEY_ARENA_PAGES = PM_ARENA_UNITS * PM_UNIT_BYTES / SURVEY_PAGE };

static const uint64_t survey_base = 0x7f0000000000;

static inline void survey_fact(struct bytes *stream, uint32_t tag, const void *payload,
			       size_t payload_bytes, const struct bytes *more)
{
	size_t more_bytes = more ? more->count : 0;
	struct pm_fact fact = {tag, (uint32_t)(payload_bytes + more_bytes)};

	bytes_add(stream, &fact, sizeof fact);
	bytes_add(stream, payload, payload_bytes);
	if (more_bytes)
		bytes_add(stream, more->data, more_bytes);
	bytes_zero(stream, -(size_t)fact.bytes % 8);
}

static inline void survey_arena_fact(struct bytes *stream, uint64_t base, uint32_t kind,
				     uint32_t mapped_units, uint64_t free_units,
				     uint32_t resident_pages)
{
	struct pm_survey_arena arena = {.base = base,
					.free_units = free_units,
					.meta = 0x7e0000000000,
					.meta_bytes = base == survey_base ? 1 << 18 : 0,
					.meta_resident = base == survey_base ? 9 * SURVEY_PAGE : 0,
					.kind = kind,
					.mapped_units = mapped_units};
	uint64_t resident[SURVEY_ARENA_PAGES / 64] = {0};
	struct bytes pages = {NULL, 0};

	for (uint32_t page = 0; page < resident_pages; page++)
		resident[page / 64] |= UINT64_C(1) << page % 64;
	bytes_add(&pages, resident, sizeof resident);
	survey_fact(stream, PM_SURVEY_ARENA, &arena, sizeof arena, &pages);
	bytes_free(&pages);
}

/* Of each `every` blocks one lives; the generations take turns.  frame 0: not recorded. */
static inline void survey_pool_fact(struct bytes *stream, uint32_t unit, uint32_t owner,
				    uint8_t size_class, uint32_t block_bytes, uint32_t every,
				    uint32_t frame)
{
	struct pm_survey_pool pool = {.first = survey_base + (uint64_t)unit * PM_UNIT_BYTES,
				      .bytes = PM_UNIT_BYTES,
				      .start = survey_base + (uint64_t)unit * PM_UNIT_BYTES,
				      .block_bytes = block_bytes,
				      .capacity = PM_UNIT_BYTES / block_bytes,
				      .owner = owner,
				      .state = PM_SURVEY_BLOCKS,
				      .size_class = size_class,
				      .has_states = 1};
	uint32_t states[PM_UNIT_BYTES / 16 / 16] = {0}, live = 0;
	struct bytes more = {NULL, 0};

	for (uint32_t block = 0; block < pool.capacity; block += every, live++) {
		uint32_t generation = unit ? 2 : live % 3;
		states[block / 16] |= (generation + 1) << block % 16 * 2;
		pool.live[generation]++;
	}
	bytes_add(&more, states, (pool.capacity + 15) / 16 * sizeof *states);
	if (frame) {
		uint16_t first = 1;
		pool.frame_count = 1;
		pool.recorded = live;
		pool.recorded_requested = (uint64_t)live * (block_bytes - 8);
		bytes_add(&more, &frame, sizeof frame);
		for (uint32_t i = 0; i < live; i++)
			bytes_add(&more, &first, sizeof first);
	}
	survey_fact(stream, PM_SURVEY_POOL, &pool, sizeof pool, &more);
	bytes_free(&more);
}

static inline void survey_large_fact(struct bytes *stream, uint32_t unit, uint64_t bytes,
				     uint32_t state, uint8_t size_class)
{
	struct pm_survey_pool pool = {.first = survey_base + (uint64_t)unit * PM_UNIT_BYTES,
				      .bytes = (bytes + PM_UNIT_BYTES - 1) / PM_UNIT_BYTES *
					       PM_UNIT_BYTES,
				      .start = survey_base + (uint64_t)unit * PM_UNIT_BYTES,
				      .block_bytes = bytes,
				      .capacity = 1,
				      .live = {0, state == PM_SURVEY_LARGE, 0},
				      .state = (uint8_t)state,
				      .size_class = size_class};

	survey_fact(stream, PM_SURVEY_POOL, &pool, sizeof pool, NULL);
}

static inline void survey_text(struct bytes *stream, const char *text)
{
	survey_fact(stream, PM_SURVEY_SMAPS, text, strlen(text), NULL);
}

/* The number of frame `index` of the first chunk of frames; 0: there is none. */
static inline uint32_t survey_frame(struct builder *b, uint32_t index)
{
	for (uint32_t n = 1; n < builder_header(b)->chunks; n++)
		if (((const struct pm_chunk *)builder_chunk(b, n))->kind == PM_CHUNK_FRAMES)
			return n * PM_FRAME_IDS + index;
	return 0;
}

static inline void survey_put(struct builder *b, const struct bytes *stream)
{
	size_t room = b->chunk_bytes - sizeof(struct pm_chunk);
	uint32_t sequence = 0;

	for (size_t at = 0; at < stream->count; at += room) {
		size_t part = stream->count - at < room ? stream->count - at : room;
		struct pm_chunk *chunk = builder_chunk(
			b, builder_add(b, PM_CHUNK_SURVEY, b->leader, sequence++));
		memcpy(chunk + 1, stream->data + at, part);
		chunk->used_bytes = (uint32_t)part;
	}
}

/*
 * Of builder_example(), with the sites of builder_example_sited() where they are there.  name: of a mapping that is not
 * heap.  The kernel's sums hold a page more in the arena's mapping than the survey explains.
 */
static inline void builder_example_surveyed(struct builder *b, const char *name)
{
	const struct pm_survey begin = {.at_ns = UINT64_C(6240001234),
					.drift_bytes = 8192,
					.page_bytes = SURVEY_PAGE,
					.knows_pages = 1};
	const struct pm_survey_range telemetry = {.first = 0x7e1000000000,
						  .bytes = 1 << 20,
						  .resident_bytes = 20 * SURVEY_PAGE,
						  .use = PM_RANGE_TELEMETRY};
	uint32_t large = b->class_count - 2;
	uint32_t parse = survey_frame(b, 2), other = survey_frame(b, 3);
	struct bytes stream = {NULL, 0};
	char text[512];

	survey_fact(&stream, PM_SURVEY_BEGIN, &begin, sizeof begin, NULL);
	survey_text(&stream, "7e0000000000-7e0000040000 rw-p 00000000 00:00 0 \nRss: 36 kB\n"
			     "7e1000000000-7e1000100000 rw-s 00000000 00:01 7 /dev/shm/a b.pms\n"
			     "Rss: 80 kB\n7f0000000000-7f0000080000 rw-p 00000000 00:00 0 \n"
			     "Rss: 412 kB\nSwap: 4 kB\n");
	snprintf(text, sizeof text,
		 "7ffff7c00000-7ffff7d00000 r-xp 00000000 08:01 99 %s\n"
		 "Rss: 300 kB\n7ffff7d00000-7ffff7d10000 rw-p 00000000 00:00 0 \nRss: 44 kB\n",
		 name);
	survey_text(&stream, text);
	survey_fact(&stream, PM_SURVEY_RANGE, &telemetry, sizeof telemetry, NULL);
	survey_arena_fact(&stream, survey_base, PM_ARENA_POOLS, 8, 0xc0, 102);
	survey_pool_fact(&stream, 0, b->leader, 3, 48, 3, parse);
	survey_pool_fact(&stream, 1, b->leader + 1, 3, 48, 40, parse);
	survey_pool_fact(&stream, 2, b->leader, 4, 64, 2, other);
	survey_large_fact(&stream, 3, 100000, PM_SURVEY_LARGE, (uint8_t)large);
	survey_large_fact(&stream, 5, 65536, PM_SURVEY_KEPT, (uint8_t)large);
	survey_fact(&stream, PM_SURVEY_END, "", 0, NULL);
	survey_put(b, &stream);
	bytes_free(&stream);
}

#endif
