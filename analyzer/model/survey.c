/* SPDX-License-Identifier: MIT */
/* survey.c: see survey.h. */
#include "model/survey.h"

#include "model/parts.h"
#include "source/facts.h"
#include "text/allocate.h"
#include "text/buffer.h"
#include "text/partition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What grows while it is read. */
struct reading {
	const struct process *process;
	struct survey *survey;
	struct buffer smaps;
	size_t mapping_room, range_room, arena_room, pool_room;
	uint64_t unit_bytes;
};

static bool take(const struct fact *fact, size_t *at, void *to, size_t bytes)
{
	if (bytes > fact->byte_count - *at)
		return false;
	memcpy(to, fact->payload + *at, bytes);
	*at += bytes;
	return true;
}

/* An array of that length; NULL where the fact is too short. */
static void *take_array(const struct fact *fact, size_t *at, size_t count, size_t item_bytes)
{
	if (count > (fact->byte_count - *at) / item_bytes)
		return NULL;
	void *array = allocate(count + 1, item_bytes);
	take(fact, at, array, count * item_bytes);
	return array;
}

static bool read_begin(struct reading *reading, const struct fact *fact)
{
	struct pm_survey begin;
	size_t at = 0;

	if (!take(fact, &at, &begin, sizeof begin) || begin.page_bytes < 512 ||
	    (begin.page_bytes & (begin.page_bytes - 1)) || begin.page_bytes > reading->unit_bytes)
		return false;
	struct survey *survey = reading->survey;
	if (survey->page_bytes && survey->page_bytes != begin.page_bytes)
		return false;
	survey->at_ns = begin.at_ns;
	survey->drift_bytes = begin.drift_bytes;
	survey->knows_pages = begin.knows_pages;
	survey->page_bytes = begin.page_bytes;
	survey->arena_pages = (uint32_t)(reading->process->layout->arena_units *
					 reading->unit_bytes / begin.page_bytes);
	return true;
}

static bool read_smaps(struct reading *reading, const struct fact *fact)
{
	buffer_add(&reading->smaps, fact->payload, fact->byte_count);
	return true;
}

static bool read_range(struct reading *reading, const struct fact *fact)
{
	struct survey *survey = reading->survey;
	struct pm_survey_range range;
	size_t at = 0;

	if (!take(fact, &at, &range, sizeof range) || range.resident_bytes > range.bytes ||
	    range.bytes > UINT64_MAX - range.first)
		return false;
	survey->ranges = allocate_more(survey->ranges, survey->range_count, &reading->range_room,
				       sizeof *survey->ranges);
	survey->ranges[survey->range_count++] = range;
	return true;
}

static bool read_arena(struct reading *reading, const struct fact *fact)
{
	struct survey *survey = reading->survey;
	struct pm_survey_arena arena;
	uint32_t units = reading->process->layout->arena_units;
	size_t at = 0;

	if (!survey->page_bytes || !take(fact, &at, &arena, sizeof arena) ||
	    arena.mapped_units > units || arena.base > UINT64_MAX - units * reading->unit_bytes)
		return false;
	uint64_t *resident = take_array(fact, &at, (survey->arena_pages + 63) / 64,
					sizeof *resident);
	if (!resident)
		return false;
	survey->arenas = allocate_more(survey->arenas, survey->arena_count, &reading->arena_room,
				       sizeof *survey->arenas);
	survey->arenas[survey->arena_count++] = (struct surveyed_arena){
		.base = arena.base,
		.free_units = arena.free_units,
		.meta = arena.meta,
		.meta_bytes = arena.meta_bytes,
		.meta_resident = arena.meta_resident,
		.kind = arena.kind,
		.mapped_units = arena.mapped_units,
		.resident = resident,
	};
	return true;
}

/* Blocks lie inside; where there are many they fit into units of one arena. */
static bool is_sane(const struct reading *reading, const struct pm_survey_pool *pool)
{
	const struct layout *layout = reading->process->layout;
	uint64_t offset = pool->start - pool->first;
	uint64_t live = (uint64_t)pool->live[0] + pool->live[1] + pool->live[2];

	if (pool->state < PM_SURVEY_BLOCKS || pool->state > PM_SURVEY_KEPT ||
	    pool->size_class >= layout->class_count || pool->start < pool->first ||
	    offset > pool->bytes || pool->bytes > UINT64_MAX - pool->first ||
	    live > pool->capacity || pool->recorded > live || !pool->block_bytes)
		return false;
	return pool->capacity <= 1 || (pool->bytes <= layout->arena_units * reading->unit_bytes &&
				       pool->capacity <= (pool->bytes - offset) / pool->block_bytes);
}

static bool are_states_sane(const struct surveyed_pool *pool)
{
	uint32_t live[4] = {0};

	for (uint32_t block = 0; pool->states && block < pool->capacity; block++)
		live[survey_state(pool, block)]++;
	return !pool->states ||
	       (live[1] == pool->live[0] && live[2] == pool->live[1] && live[3] == pool->live[2]);
}

static bool are_sites_sane(const struct surveyed_pool *pool)
{
	for (uint32_t i = 0; pool->which && i < pool->live_count; i++)
		if (pool->which[i] > pool->frame_count)
			return false;
	return true;
}

static void free_pool(struct surveyed_pool *pool)
{
	free(pool->states);
	free(pool->frames);
	free(pool->which);
}

/* Numbers of frames become indices. */
static void find_frames(const struct reading *reading, struct surveyed_pool *pool)
{
	for (uint32_t i = 0; i < pool->frame_count; i++)
		pool->frames[i] = pool->frames[i]
					  ? frames_find(reading->process->frames, pool->frames[i])
					  : 0;
}

static bool take_blocks(const struct fact *fact, size_t *at, bool has_states,
			struct surveyed_pool *pool)
{
	if (has_states && !(pool->states = take_array(fact, at, ((size_t)pool->capacity + 15) / 16,
						      sizeof *pool->states)))
		return false;
	if (!pool->frame_count)
		return true;
	pool->frames = take_array(fact, at, pool->frame_count, sizeof *pool->frames);
	pool->which = pool->frames ? take_array(fact, at, pool->live_count, sizeof *pool->which)
				   : NULL;
	return pool->which;
}

static bool read_pool(struct reading *reading, const struct fact *fact)
{
	struct survey *survey = reading->survey;
	struct pm_survey_pool record;
	size_t at = 0;

	if (!take(fact, &at, &record, sizeof record) || !is_sane(reading, &record))
		return false;
	struct surveyed_pool pool = {
		.first = record.first,
		.bytes = record.bytes,
		.start = record.start,
		.block_bytes = record.block_bytes,
		.capacity = record.capacity,
		.live_count = record.live[0] + record.live[1] + record.live[2],
		.live = {record.live[0], record.live[1], record.live[2]},
		.owner = record.owner,
		.size_class = record.size_class,
		.state = record.state,
		.frame_count = record.frame_count,
		.recorded = record.recorded,
		.recorded_requested = record.recorded_requested,
	};
	bool is_full = pool.live_count == pool.capacity;
	if ((!record.has_states && !is_full && record.state != PM_SURVEY_KEPT) ||
	    !take_blocks(fact, &at, record.has_states, &pool) || !are_states_sane(&pool) ||
	    !are_sites_sane(&pool)) {
		free_pool(&pool);
		return false;
	}
	find_frames(reading, &pool);
	survey->pools = allocate_more(survey->pools, survey->pool_count, &reading->pool_room,
				      sizeof *survey->pools);
	survey->pools[survey->pool_count++] = pool;
	return true;
}

static bool read_live(struct reading *reading, const struct fact *fact)
{
	struct survey *survey = reading->survey;
	size_t at = 0, count = fact->byte_count / sizeof *survey->live;

	if (survey->live)
		return false;
	survey->live = take_array(fact, &at, count, sizeof *survey->live);
	survey->live_count = count;
	for (size_t i = 0; i < count; i++)
		survey->live[i].frame = survey->live[i].frame ? frames_find(reading->process->frames,
									    survey->live[i].frame)
							      : 0;
	return true;
}

static bool read_counts(struct reading *reading, const struct fact *fact)
{
	struct survey *survey = reading->survey;
	size_t at = 0;

	survey->knows_counts = take(fact, &at, &survey->counts, sizeof survey->counts);
	return survey->knows_counts;
}

static bool read_one(struct reading *reading, const struct fact *fact)
{
	switch ((enum pm_survey_tag)fact->tag) {
	case PM_SURVEY_BEGIN: return read_begin(reading, fact);
	case PM_SURVEY_SMAPS: return read_smaps(reading, fact);
	case PM_SURVEY_RANGE: return read_range(reading, fact);
	case PM_SURVEY_ARENA: return read_arena(reading, fact);
	case PM_SURVEY_POOL: return read_pool(reading, fact);
	case PM_SURVEY_LIVE: return read_live(reading, fact);
	case PM_SURVEY_COUNTS: return read_counts(reading, fact);
	case PM_SURVEY_END: reading->survey->is_whole = true; return true;
	case PM_SURVEY_NONE: break;
	}
	return true;
}

/* --- the kernel's mappings ------------------------------------------------------------------------------ */

static void add_mapping(struct reading *reading, char *line)
{
	struct survey *survey = reading->survey;
	struct surveyed_mapping mapping = {0};
	int name_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &mapping.first,
		   &mapping.last, &name_at) < 2 ||
	    mapping.last < mapping.first) {
		survey->torn++;
		return;
	}
	mapping.name = allocate_text(line + name_at, name_at ? strlen(line + name_at) : 0);
	survey->mappings = allocate_more(survey->mappings, survey->mapping_count,
					 &reading->mapping_room, sizeof *survey->mappings);
	survey->mappings[survey->mapping_count++] = mapping;
}

static void read_line(struct reading *reading, char *line)
{
	enum { KIB = 1024 };
	struct survey *survey = reading->survey;
	struct surveyed_mapping *last = survey->mapping_count
						? &survey->mappings[survey->mapping_count - 1]
						: NULL;
	uint64_t kib;

	if (*line < 'A' || *line > 'Z')
		add_mapping(reading, line);
	else if (last && sscanf(line, "Rss: %" SCNu64, &kib) == 1)
		last->rss = kib * KIB;
	else if (last && sscanf(line, "Swap: %" SCNu64, &kib) == 1)
		last->swap = kib * KIB;
	else if (last && sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
		last->huge = kib * KIB;
}

static void read_mappings(struct reading *reading)
{
	char *rest = reading->smaps.data, *line;

	while (rest && (line = strsep(&rest, "\n")))
		if (*line)
			read_line(reading, line);
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static int by_base(const void *left, const void *right)
{
	const struct surveyed_arena *a = left, *b = right;
	return (a->base > b->base) - (a->base < b->base);
}

static int by_place(const void *left, const void *right)
{
	const struct surveyed_pool *a = left, *b = right;
	return (a->first > b->first) - (a->first < b->first);
}

/* Of pools that share pages the first one stays: a process that goes on may have made another of a pool's units. */
static void part_pools(struct survey *survey)
{
	size_t kept = 0;

	if (survey->pool_count)
		qsort(survey->pools, survey->pool_count, sizeof *survey->pools, by_place);
	for (size_t i = 0; i < survey->pool_count; i++) {
		const struct surveyed_pool *last = kept ? &survey->pools[kept - 1] : NULL;
		if (last && survey->pools[i].first - last->first < last->bytes) {
			free_pool(&survey->pools[i]);
			survey->torn++;
		} else {
			survey->pools[kept++] = survey->pools[i];
		}
	}
	survey->pool_count = kept;
}

static int by_first(const void *left, const void *right)
{
	const struct surveyed_mapping *a = left, *b = right;
	return (a->first > b->first) - (a->first < b->first);
}

static void read_all(struct reading *reading, struct facts *facts)
{
	struct survey *survey = reading->survey;
	struct fact fact;

	while (facts_next(facts, &fact))
		survey->torn += !read_one(reading, &fact);
	survey->is_whole = survey->is_whole && !facts->is_cut;
	read_mappings(reading);
	part_pools(survey);
	if (survey->arena_count)
		qsort(survey->arenas, survey->arena_count, sizeof *survey->arenas, by_base);
	if (survey->mapping_count)
		qsort(survey->mappings, survey->mapping_count, sizeof *survey->mappings, by_first);
	buffer_free(&reading->smaps);
}

static struct survey *read_stream(const struct process *process, struct facts *facts)
{
	struct survey *survey = facts->byte_count ? allocate(1, sizeof *survey) : NULL;

	if (survey)
		read_all(&(struct reading){.process = process,
					   .survey = survey,
					   .unit_bytes = process->layout->unit_bytes},
			 facts);
	facts_close(facts);
	return survey;
}

void read_survey(const struct image *image, struct process *process)
{
	struct facts facts;

	facts_open(image, PM_CHUNK_SURVEY, process->chunk, &facts);
	process->survey = read_stream(process, &facts);
}

struct survey *survey_read(const struct process *process, void *stream, size_t byte_count)
{
	struct facts facts;

	facts_take(stream, byte_count, &facts);
	return read_stream(process, &facts);
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	for (size_t i = 0; i < survey->pool_count; i++)
		free_pool(&survey->pools[i]);
	for (size_t i = 0; i < survey->arena_count; i++)
		free(survey->arenas[i].resident);
	for (size_t i = 0; i < survey->mapping_count; i++)
		free(survey->mappings[i].name);
	free(survey->pools);
	free(survey->arenas);
	free(survey->ranges);
	free(survey->live);
	free(survey->mappings);
	free(survey);
}

const struct surveyed_arena *survey_arena(const struct survey *survey, uint64_t address)
{
	size_t behind = PARTITION_POINT(0, survey->arena_count, middle,
					survey->arenas[middle].base <= address);
	const struct surveyed_arena *arena = behind ? &survey->arenas[behind - 1] : NULL;
	uint64_t bytes = (uint64_t)survey->arena_pages * survey->page_bytes;
	return arena && address - arena->base < bytes ? arena : NULL;
}

bool survey_is_resident(const struct survey *survey, const struct surveyed_arena *arena,
			uint64_t address)
{
	uint64_t page = (address - arena->base) / survey->page_bytes;
	return arena->resident[page / 64] >> page % 64 & 1;
}

uint64_t survey_resident_bytes(const struct survey *survey, const struct surveyed_pool *pool)
{
	uint64_t bytes = 0;

	for (uint64_t page = pool->first; page < pool->first + pool->bytes;
	     page += survey->page_bytes) {
		const struct surveyed_arena *arena = survey_arena(survey, page);
		if (!arena)
			break;
		bytes += survey_is_resident(survey, arena, page) ? survey->page_bytes : 0;
	}
	return bytes;
}

struct pm_survey_live survey_live_of(const struct pm_site *row)
{
	return (struct pm_survey_live){
		.frame = row->frame,
		.size_class = row->size_class,
		.large_log2 = row->large_log2,
		.period = row->period,
		.blocks = (int64_t)(row->allocated - row->freed),
		.bytes = (int64_t)(row->allocated_bytes - row->freed_bytes) + row->resized_bytes,
	};
}
