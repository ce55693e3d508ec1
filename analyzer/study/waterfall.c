/* SPDX-License-Identifier: MIT */
/* waterfall.c: see waterfall.h. */
#include "study/waterfall.h"

#include "model/saturate.h"
#include "text/allocate.h"

#include <stdlib.h>
#include <string.h>

#define KEY_OF_PART(name, key, text, meaning) key,
#define NAME_OF_PART(name, key, text, meaning) text,
#define MEANING_OF_PART(name, key, text, meaning) meaning,

static const char *const part_keys[] = {WATERFALL_PARTS(KEY_OF_PART)};
static const char *const part_names[] = {WATERFALL_PARTS(NAME_OF_PART)};
static const char *const part_meanings[] = {WATERFALL_PARTS(MEANING_OF_PART)};

const char *waterfall_key(enum waterfall_part part)
{
	return part_keys[part];
}

const char *waterfall_name(enum waterfall_part part)
{
	return part_names[part];
}

const char *waterfall_meaning(enum waterfall_part part)
{
	return part_meanings[part];
}

uint64_t waterfall_heap(const struct waterfall *waterfall)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < WATERFALL_COUNT; i++)
		if (i != WATERFALL_OTHER)
			bytes = sum(bytes, waterfall->part[i]);
	return bytes;
}

uint64_t waterfall_whole(const struct waterfall *waterfall)
{
	return waterfall->knows_rss ? waterfall->rss : waterfall_heap(waterfall);
}

static void add(struct waterfall *waterfall, enum waterfall_part part, uint64_t bytes)
{
	waterfall->part[part] = sum(waterfall->part[part], bytes);
}

/* --- requested and slack ----------------------------------------------------------------------------------- */

/* What was asked for of bytes in blocks of a class; kept over all pools. */
struct split {
	double asked[PM_TALLY_COUNT], given[PM_TALLY_COUNT]; /* by class: of recorded blocks */
	double asked_of_all, given_of_all;
	bool is_estimated, is_unknown;
};

static void learn_split(const struct process *process, struct split *split)
{
	for (size_t i = 0; i < process->site_count; i++) {
		const struct pm_site *row = &process->sites[i];
		if (row->size_class >= PM_TALLY_COUNT)
			continue;
		split->asked[row->size_class] += (double)row->requested;
		split->given[row->size_class] += (double)row->allocated_bytes;
		split->asked_of_all += (double)row->requested;
		split->given_of_all += (double)row->allocated_bytes;
	}
}

/* Of the bytes of live blocks of a pool, those that were asked for. */
static double share_asked(const struct surveyed_pool *pool, struct split *split)
{
	uint8_t c = pool->size_class;

	if (pool->live_count && pool->recorded == pool->live_count)
		return (double)pool->recorded_requested /
		       ((double)pool->live_count * (double)pool->block_bytes);
	split->is_estimated = true;
	if (c < PM_TALLY_COUNT && split->given[c] > 0)
		return split->asked[c] / split->given[c];
	if (split->given_of_all > 0)
		return split->asked_of_all / split->given_of_all;
	split->is_unknown = true;
	return 1;
}

static void add_live(struct waterfall *waterfall, const struct surveyed_pool *pool, uint64_t bytes,
		     struct split *split)
{
	double share = bytes ? share_asked(pool, split) : 1;
	uint64_t asked = share >= 1 ? bytes : (uint64_t)((double)bytes * share + 0.5);

	add(waterfall, WATERFALL_REQUESTED, asked);
	add(waterfall, WATERFALL_SLACK, bytes - asked);
}

/* --- pools ------------------------------------------------------------------------------------------------- */

static uint64_t overlap(uint64_t first, uint64_t last, uint64_t from, uint64_t to)
{
	uint64_t begin = first > from ? first : from, end = last < to ? last : to;
	return end > begin ? end - begin : 0;
}

/* Bytes of a page that live blocks of a pool take. */
static uint64_t live_on_page(const struct surveyed_pool *pool, uint64_t page, uint64_t page_bytes)
{
	uint64_t end = pool->start + pool->capacity * pool->block_bytes, live = 0;

	if (pool->live_count == pool->capacity)
		return overlap(pool->start, end, page, page + page_bytes);
	uint64_t from = page > pool->start ? (page - pool->start) / pool->block_bytes : 0;
	for (uint64_t i = from; i < pool->capacity; i++) {
		uint64_t block = pool->start + i * pool->block_bytes;
		if (block >= page + page_bytes)
			break;
		if (survey_state(pool, (uint32_t)i))
			live += overlap(block, block + pool->block_bytes, page, page + page_bytes);
	}
	return live;
}

/* Returns the bytes of live blocks. */
static uint64_t add_page(struct waterfall *waterfall, const struct surveyed_pool *pool,
			 uint64_t page, uint64_t page_bytes)
{
	uint64_t end = pool->start + product(pool->capacity, pool->block_bytes);

	if (pool->state == PM_SURVEY_KEPT || !pool->live_count) {
		add(waterfall, pool->state == PM_SURVEY_KEPT ? WATERFALL_CACHED : WATERFALL_RETAINED,
		    page_bytes);
		return 0;
	}
	uint64_t blocks = overlap(pool->start, end, page, page + page_bytes);
	uint64_t live = live_on_page(pool, page, page_bytes);
	add(waterfall, WATERFALL_PINNED, blocks - live);
	add(waterfall, WATERFALL_TAIL, page_bytes - blocks);
	return live;
}

/* Pages of an arena that were put into a part, a bit each: those of two pools at once count once. */
struct seen {
	uint64_t *pages;
};

static bool see(struct seen *seen, const struct survey *survey, const struct surveyed_arena *arena,
		uint64_t address)
{
	size_t words = (survey->arena_pages + 63) / 64;
	uint64_t page = (address - arena->base) / survey->page_bytes;
	uint64_t *word = &seen->pages[(size_t)(arena - survey->arenas) * words + page / 64];
	bool is_new = !(*word >> page % 64 & 1);

	*word |= UINT64_C(1) << page % 64;
	return is_new;
}

static void add_pool(struct waterfall *waterfall, const struct survey *survey,
		     const struct surveyed_pool *pool, struct seen *seen, struct split *split)
{
	uint64_t live = 0, last = pool->first + pool->bytes;

	for (uint64_t page = pool->first; page < last; page += survey->page_bytes) {
		const struct surveyed_arena *arena = survey_arena(survey, page);
		if (!arena)
			break;
		if (survey_is_resident(survey, arena, page) && see(seen, survey, arena, page))
			live += add_page(waterfall, pool, page, survey->page_bytes);
	}
	add_live(waterfall, pool, live, split);
	if (pool->state != PM_SURVEY_KEPT)
		waterfall->absent = sum(waterfall->absent,
					excess(product(pool->live_count, pool->block_bytes), live));
}

static void add_free_units(struct waterfall *waterfall, const struct survey *survey,
			   const struct surveyed_arena *arena, uint32_t unit_bytes,
			   struct seen *seen)
{
	uint32_t pages = unit_bytes / survey->page_bytes;

	for (uint32_t unit = 0; unit < arena->mapped_units && unit < 64; unit++) {
		if (!(arena->free_units >> unit & 1))
			continue;
		for (uint32_t i = 0; i < pages; i++) {
			uint64_t page = arena->base +
					((uint64_t)unit * pages + i) * survey->page_bytes;
			if (survey_is_resident(survey, arena, page) && see(seen, survey, arena, page))
				add(waterfall, WATERFALL_RETAINED, survey->page_bytes);
		}
	}
}

static void add_heap(struct waterfall *waterfall, const struct process *process,
		     const struct survey *survey)
{
	size_t words = (survey->arena_pages + 63) / 64;
	struct seen seen = {allocate(survey->arena_count * words + 1, sizeof *seen.pages)};
	struct split split = {.is_estimated = false};

	learn_split(process, &split);
	for (size_t i = 0; i < survey->pool_count; i++)
		add_pool(waterfall, survey, &survey->pools[i], &seen, &split);
	for (size_t i = 0; i < survey->arena_count; i++)
		add_free_units(waterfall, survey, &survey->arenas[i], process->layout->unit_bytes,
			       &seen);
	waterfall->split = split.is_unknown     ? SPLIT_NONE
			   : split.is_estimated ? SPLIT_ESTIMATED
						: SPLIT_EXACT;
	free(seen.pages);
}

/* --- mappings ---------------------------------------------------------------------------------------------- */

/* Part of an address range that is poolmem's own. */
struct own {
	uint64_t first, last, resident;
	enum waterfall_part part;
};

struct owns {
	struct own *list;
	size_t count;
};

static int by_address(const void *left, const void *right)
{
	const struct own *a = left, *b = right;
	return (a->first > b->first) - (a->first < b->first);
}

static struct owns list_own(const struct survey *survey)
{
	size_t room = survey->range_count + survey->arena_count + 1;
	struct owns owns = {.list = allocate(room, sizeof *owns.list)};

	for (size_t i = 0; i < survey->range_count; i++) {
		const struct pm_survey_range *range = &survey->ranges[i];
		owns.list[owns.count++] = (struct own){
			range->first, range->first + range->bytes, range->resident_bytes,
			range->use == PM_RANGE_META ? WATERFALL_META : WATERFALL_TELEMETRY};
	}
	for (size_t i = 0; i < survey->arena_count; i++) {
		const struct surveyed_arena *arena = &survey->arenas[i];
		if (arena->meta_bytes && arena->meta_bytes <= UINT64_MAX - arena->meta)
			owns.list[owns.count++] = (struct own){arena->meta,
							       arena->meta + arena->meta_bytes,
							       arena->meta_resident, WATERFALL_META};
	}
	qsort(owns.list, owns.count, sizeof *owns.list, by_address);
	return owns;
}

static bool holds_arenas(const struct survey *survey, const struct surveyed_mapping *mapping)
{
	return survey_arena(survey, mapping->first) ||
	       (mapping->last && survey_arena(survey, mapping->last - 1));
}

/*
 * What of a mapping is poolmem's goes to its parts, by the resident pages of each range, or, where it is of one range as
 * a whole, by what the kernel says of the mapping.  The rest is not.
 */
static void add_mapping(struct waterfall *waterfall, const struct owns *owns, size_t *from,
			const struct surveyed_mapping *mapping)
{
	uint64_t rest = mapping->rss;

	while (*from < owns->count && owns->list[*from].last <= mapping->first)
		(*from)++;
	for (size_t i = *from; i < owns->count && owns->list[i].first < mapping->last; i++) {
		const struct own *own = &owns->list[i];
		bool is_all = own->first <= mapping->first && own->last >= mapping->last;
		uint64_t part = is_all ? mapping->rss : own->resident;
		uint64_t taken = part < rest ? part : rest;
		add(waterfall, own->part, taken);
		rest -= taken;
	}
	add(waterfall, WATERFALL_OTHER, rest);
	if (rest)
		waterfall->others[waterfall->other_count++] = (struct waterfall_other){
			*mapping->name ? mapping->name : "[anonymous]", rest};
}

static int by_name(const void *left, const void *right)
{
	const struct waterfall_other *a = left, *b = right;
	return strcmp(a->name, b->name);
}

static int by_size(const void *left, const void *right)
{
	const struct waterfall_other *a = left, *b = right;
	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void merge_others(struct waterfall *waterfall)
{
	struct waterfall_other *others = waterfall->others;
	size_t kept = 0;

	if (!waterfall->other_count)
		return;
	qsort(others, waterfall->other_count, sizeof *others, by_name);
	for (size_t i = 0; i < waterfall->other_count; i++)
		if (kept && strcmp(others[kept - 1].name, others[i].name) == 0)
			others[kept - 1].rss = sum(others[kept - 1].rss, others[i].rss);
		else
			others[kept++] = others[i];
	waterfall->other_count = kept;
	qsort(others, kept, sizeof *others, by_size);
}

static void add_mappings(struct waterfall *waterfall, const struct survey *survey)
{
	struct owns owns = list_own(survey);
	size_t from = 0;

	waterfall->others = allocate(survey->mapping_count + 1, sizeof *waterfall->others);
	for (size_t i = 0; i < survey->mapping_count; i++) {
		const struct surveyed_mapping *mapping = &survey->mappings[i];
		waterfall->rss = sum(waterfall->rss, mapping->rss);
		waterfall->swap = sum(waterfall->swap, mapping->swap);
		waterfall->huge = sum(waterfall->huge, mapping->huge);
		if (!holds_arenas(survey, mapping))
			add_mapping(waterfall, &owns, &from, mapping);
	}
	merge_others(waterfall);
	free(owns.list);
}

/* --- without a survey -------------------------------------------------------------------------------------- */

static void add_published_pool(struct waterfall *waterfall, const struct process *process,
			       const struct pool *pool)
{
	uint64_t page_bytes = process->layout->page_bytes;
	uint64_t touched = pool->touched_pages * page_bytes;

	if (pool->state == PM_POOL_LARGE) {
		add(waterfall, WATERFALL_REQUESTED, product(pool->pages, page_bytes));
		return;
	}
	uint64_t block_bytes = process->layout->classes[pool->size_class].block_bytes;
	uint64_t live = pool->live * block_bytes;
	live = live < touched ? live : touched;
	add(waterfall, WATERFALL_REQUESTED, live);
	add(waterfall, pool->live ? WATERFALL_PINNED : WATERFALL_RETAINED, touched - live);
}

static void add_published(struct waterfall *waterfall, const struct process *process)
{
	uint64_t unit_bytes = process->layout->unit_bytes;

	for (size_t i = 0; i < process->pool_count; i++)
		add_published_pool(waterfall, process, &process->pools[i]);
	for (size_t i = 0; i < process->arena_count; i++) {
		const struct arena *arena = &process->arenas[i];
		uint64_t units = (uint64_t)__builtin_popcountll(arena->free_units &
								arena->dirty_units);
		add(waterfall, WATERFALL_RETAINED, units * unit_bytes);
		if (arena->is_kept)
			add(waterfall, WATERFALL_RETAINED, arena->huge_bytes);
	}
	add(waterfall, WATERFALL_META, process->record.meta_bytes);
	add(waterfall, WATERFALL_TELEMETRY, process->telemetry_bytes);
	waterfall->split = SPLIT_NONE;
}

/* --- all --------------------------------------------------------------------------------------------------- */

void waterfall_make(const struct process *process, const struct survey *survey,
		    struct waterfall *ret)
{
	struct waterfall waterfall = {.basis = WATERFALL_MAP};

	if (survey && survey->is_whole) {
		waterfall.basis = WATERFALL_SURVEY;
		waterfall.knows_rss = survey->knows_pages;
		add_heap(&waterfall, process, survey);
		add_mappings(&waterfall, survey);
	} else {
		add_published(&waterfall, process);
	}
	uint64_t parts = 0;
	for (unsigned i = 0; i < WATERFALL_COUNT; i++)
		parts = sum(parts, waterfall.part[i]);
	waterfall.residual = waterfall.knows_rss ? (int64_t)waterfall.rss - (int64_t)parts : 0;
	*ret = waterfall;
}

void waterfall_free(struct waterfall *waterfall)
{
	free(waterfall->others);
}
