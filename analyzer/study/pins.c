/* SPDX-License-Identifier: MIT */
/* pins.c: see pins.h. */
#include "study/pins.h"

#include "model/saturate.h"
#include "text/allocate.h"
#include "text/hash.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATIONS = 3 };

/* What is known of a page or a pool while its blocks are gone through. */
struct part {
	uint64_t resident, live;         /* bytes */
	uint32_t *holders;               /* those with live blocks there */
	uint32_t (*blocks)[GENERATIONS]; /* of each */
	uint32_t count, room;
	uint32_t *where; /* by holder: its index in `holders`, where that one names it */
	size_t where_room;
};

struct pinning {
	const struct process *process;
	const struct survey *survey;
	struct pins *pins;
	size_t holder_room, set_room;
	struct hash_index index,
		set_index; /* of holders by what they are, of sets by their holders */
	struct part page, pool;
};

/* --- holders ----------------------------------------------------------------------------------------------- */

struct wanted_holder {
	const struct pins *pins;
	const struct holder *holder;
};

static uint64_t hash_of(const struct holder *holder)
{
	return hash_word(hash_word(holder->frame, holder->is_site),
			 (uint64_t)holder->owner << 8 | holder->size_class);
}

static bool is_holder(const void *wanted, uint32_t item)
{
	const struct wanted_holder *of = wanted;
	const struct holder *a = of->holder, *b = &of->pins->holders[item];
	return a->is_site == b->is_site && a->frame == b->frame && a->owner == b->owner &&
	       a->size_class == b->size_class;
}

static uint32_t holder_index(struct pinning *pinning, const struct holder *holder)
{
	struct pins *pins = pinning->pins;
	struct wanted_holder wanted = {pins, holder};
	uint64_t hash = hash_of(holder);
	uint32_t item;

	if (hash_find(&pinning->index, hash, is_holder, &wanted, &item))
		return item;
	pins->holders = allocate_more(pins->holders, pins->count, &pinning->holder_room,
				      sizeof *pins->holders);
	pins->holders[pins->count] = *holder;
	hash_add(&pinning->index, hash, (uint32_t)pins->count);
	return (uint32_t)pins->count++;
}

/* A block that came or went while the pool was looked at has no record; of a sample few have one. */
static bool tells_sites(const struct surveyed_pool *pool)
{
	return pool->which && (uint64_t)pool->recorded * 10 >= (uint64_t)pool->live_count * 9;
}

/* Of the live block of that number in the pool. */
static uint32_t holder_of(struct pinning *pinning, const struct surveyed_pool *pool, uint32_t live)
{
	uint16_t which = tells_sites(pool) ? pool->which[live] : 0;
	struct holder wanted = {.is_site = which != 0};

	if (wanted.is_site) {
		wanted.frame = pool->frames[which - 1];
	} else {
		wanted.owner = pool->owner;
		wanted.size_class = pool->size_class;
	}
	return holder_index(pinning, &wanted);
}

/* --- pages and pools --------------------------------------------------------------------------------------- */

static void begin_part(struct part *part, uint64_t resident)
{
	part->resident = resident;
	part->live = 0;
	part->count = 0;
}

static void *longer(void *array, size_t used, size_t room, size_t item_bytes)
{
	void *more = allocate(room, item_bytes);

	if (used)
		memcpy(more, array, used * item_bytes);
	free(array);
	return more;
}

static void make_room(struct part *part, uint32_t holder)
{
	if (holder >= part->where_room) {
		size_t room = 2 * (holder + 512);
		part->where = longer(part->where, part->where_room, room, sizeof *part->where);
		part->where_room = room;
	}
	if (part->count == part->room) {
		uint32_t room = part->room ? 2 * part->room : 64;
		part->holders = longer(part->holders, part->count, room, sizeof *part->holders);
		part->blocks = longer(part->blocks, part->count, room, sizeof *part->blocks);
		part->room = room;
	}
}

static void note_block(struct part *part, uint32_t holder, unsigned generation, uint64_t live_bytes)
{
	make_room(part, holder);
	uint32_t at = part->where[holder];
	if (at >= part->count || part->holders[at] != holder) {
		at = part->count++;
		part->where[holder] = at;
		part->holders[at] = holder;
		memset(part->blocks[at], 0, sizeof part->blocks[at]);
	}
	part->live += live_bytes;
	part->blocks[at][generation]++;
}

static uint32_t blocks_of(const struct part *part, uint32_t i)
{
	return part->blocks[i][0] + part->blocks[i][1] + part->blocks[i][2];
}

static unsigned oldest_of(const struct part *part)
{
	unsigned oldest = 0;

	for (uint32_t i = 0; i < part->count; i++)
		for (unsigned g = oldest; g < GENERATIONS; g++)
			if (part->blocks[i][g])
				oldest = g;
	return oldest;
}

/* bytes * share / of */
static uint64_t fraction(uint64_t bytes, uint64_t share, uint64_t of)
{
	return of ? (uint64_t)((unsigned __int128)bytes * share / of) : 0;
}

static void end_part(struct pins *pins, const struct part *part, enum pin_level level,
		     uint64_t free_bytes)
{
	unsigned oldest = oldest_of(part);
	uint64_t blocks = 0, old_blocks = 0;

	pins->pinned[level] = sum(pins->pinned[level], free_bytes);
	for (uint32_t i = 0; i < part->count; i++) {
		blocks += blocks_of(part, i);
		old_blocks += part->blocks[i][oldest];
	}
	for (uint32_t i = 0; i < part->count; i++) {
		struct pinned *at = &pins->holders[part->holders[i]].at[level];
		if (part->count == 1) {
			at->sole += free_bytes;
			at->alone += free_bytes ? part->resident : 0;
			at->count += free_bytes > 0;
		} else {
			at->shared += fraction(free_bytes, blocks_of(part, i), blocks);
		}
		at->cause += fraction(free_bytes, part->blocks[i][oldest], old_blocks);
	}
}

/* --- sets of holders --------------------------------------------------------------------------------------- */

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

struct wanted_set {
	const struct pins *pins;
	const struct pin_set *set;
};

static uint64_t hash_of_set(const struct pin_set *set)
{
	uint64_t hash = set->count;

	for (uint32_t i = 0; i < set->count; i++)
		hash = hash_word(hash, set->holders[i]);
	return hash;
}

static bool is_set(const void *wanted, uint32_t item)
{
	const struct wanted_set *of = wanted;
	const struct pin_set *a = of->set, *b = &of->pins->sets[item];
	return a->count == b->count &&
	       memcmp(a->holders, b->holders, a->count * sizeof *a->holders) == 0;
}

/* Takes over the holders of the set. */
static uint32_t set_index(struct pinning *pinning, const struct pin_set *set)
{
	struct pins *pins = pinning->pins;
	struct wanted_set wanted = {pins, set};
	uint64_t hash = hash_of_set(set);
	uint32_t item;

	if (hash_find(&pinning->set_index, hash, is_set, &wanted, &item)) {
		free(set->holders);
		return item;
	}
	pins->sets = allocate_more(pins->sets, pins->set_count, &pinning->set_room,
				   sizeof *pins->sets);
	pins->sets[pins->set_count] = *set;
	hash_add(&pinning->set_index, hash, (uint32_t)pins->set_count);
	return (uint32_t)pins->set_count++;
}

static void add_to_set(struct pinning *pinning, const struct part *page)
{
	struct pin_set set = {allocate(page->count, sizeof *set.holders), page->count, 0};

	memcpy(set.holders, page->holders, page->count * sizeof *set.holders);
	qsort(set.holders, page->count, sizeof *set.holders, by_number);
	uint32_t at = set_index(pinning, &set);
	pinning->pins->sets[at].bytes += page->resident;
}

/* --- a pool ------------------------------------------------------------------------------------------------ */

/* Blocks are gone through in order; which page is in hand, and the last one that was. */
struct sweep {
	const struct surveyed_pool *pool;
	const struct surveyed_arena *arena;
	uint64_t page_bytes, page,
		resident; /* page: address of the one in hand; resident: bytes of pages done */
};

static uint64_t resident_at(const struct pinning *pinning, const struct sweep *sweep)
{
	return survey_is_resident(pinning->survey, sweep->arena, sweep->page) ? sweep->page_bytes
									      : 0;
}

static void end_page(struct pinning *pinning, struct sweep *sweep)
{
	struct part *page = &pinning->page;

	sweep->resident += page->resident;
	if (page->resident && page->count) {
		uint64_t free_bytes = excess(page->resident, page->live);
		end_part(pinning->pins, page, PIN_PAGE, free_bytes);
		if (free_bytes)
			add_to_set(pinning, page);
	} else {
		pinning->pins->idle_bytes += page->resident;
	}
}

static void begin_page(struct pinning *pinning, struct sweep *sweep, uint64_t address)
{
	sweep->page = address;
	begin_part(&pinning->page, resident_at(pinning, sweep));
}

/* A block on the page in hand, and perhaps on those behind it. */
static void sweep_block(struct pinning *pinning, struct sweep *sweep, uint64_t block,
			uint32_t holder, unsigned generation)
{
	uint64_t end = block + sweep->pool->block_bytes;

	for (;;) {
		uint64_t page_end = sweep->page + sweep->page_bytes;
		uint64_t begin = block > sweep->page ? block : sweep->page;
		uint64_t part = (end < page_end ? end : page_end) - begin;
		if (block < page_end) {
			note_block(&pinning->page, holder, generation, part);
			if (pinning->page.resident)
				pinning->pool.live += part;
		}
		if (end <= page_end)
			return;
		end_page(pinning, sweep);
		begin_page(pinning, sweep, page_end);
	}
}

static void sweep_pool(struct pinning *pinning, struct sweep *sweep)
{
	const struct surveyed_pool *pool = sweep->pool;
	uint32_t live = 0;

	begin_part(&pinning->pool, 0);
	begin_page(pinning, sweep, pool->first);
	for (uint32_t i = 0; i < pool->capacity; i++) {
		unsigned state = survey_state(pool, i);
		uint64_t block = pool->start + i * pool->block_bytes;
		while (sweep->page + sweep->page_bytes <= block) {
			uint64_t next = sweep->page + sweep->page_bytes;
			end_page(pinning, sweep);
			begin_page(pinning, sweep, next);
		}
		if (!state)
			continue;
		uint32_t holder = holder_of(pinning, pool, live++);
		struct holder *one = &pinning->pins->holders[holder];
		one->live_count++;
		one->live_bytes += pool->block_bytes;
		one->live[state - 1]++;
		note_block(&pinning->pool, holder, state - 1, 0);
		sweep_block(pinning, sweep, block, holder, state - 1);
	}
	while (sweep->page + sweep->page_bytes < pool->first + pool->bytes) {
		uint64_t next = sweep->page + sweep->page_bytes;
		end_page(pinning, sweep);
		begin_page(pinning, sweep, next);
	}
	end_page(pinning, sweep);
}

static void add_pool(struct pinning *pinning, const struct surveyed_pool *pool)
{
	const struct survey *survey = pinning->survey;
	struct pins *pins = pinning->pins;
	struct sweep sweep = {.pool = pool,
			      .arena = survey_arena(survey, pool->first),
			      .page_bytes = survey->page_bytes};
	unsigned generations = (pool->live[0] > 0) + (pool->live[1] > 0) + (pool->live[2] > 0);

	pins->pool_count++;
	pins->mixed_count += generations > 1;
	if (!pool->states || !sweep.arena ||
	    survey_arena(survey, pool->first + pool->bytes - 1) != sweep.arena)
		return;
	pins->has_sites |= tells_sites(pool);
	sweep_pool(pinning, &sweep);
	pinning->pool.resident = sweep.resident;
	uint64_t free_bytes = excess(sweep.resident, pinning->pool.live);
	pins->mixed_bytes += generations > 1 ? free_bytes : 0;
	end_part(pins, &pinning->pool, PIN_POOL, free_bytes);
}

/* --- all --------------------------------------------------------------------------------------------------- */

/* Order of holders, and where each was before. */
struct rank {
	uint32_t index;
	const struct holder *holder;
};

static int by_pinned(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;
	const struct pinned *x = &a->holder->at[PIN_PAGE], *y = &b->holder->at[PIN_PAGE];
	uint64_t of_a = x->sole + x->shared, of_b = y->sole + y->shared;

	if (of_a != of_b)
		return of_a < of_b ? 1 : -1;
	if (x->alone != y->alone)
		return x->alone < y->alone ? 1 : -1;
	return (a->index > b->index) - (a->index < b->index);
}

static void order(struct pins *pins)
{
	struct rank *ranks = allocate(pins->count + 1, sizeof *ranks);
	struct holder *ordered = allocate(pins->count + 1, sizeof *ordered);
	uint32_t *now_at = allocate(pins->count + 1, sizeof *now_at);

	for (size_t i = 0; i < pins->count; i++)
		ranks[i] = (struct rank){(uint32_t)i, &pins->holders[i]};
	qsort(ranks, pins->count, sizeof *ranks, by_pinned);
	for (size_t i = 0; i < pins->count; i++) {
		ordered[i] = *ranks[i].holder;
		now_at[ranks[i].index] = (uint32_t)i;
	}
	for (size_t s = 0; s < pins->set_count; s++)
		for (uint32_t i = 0; i < pins->sets[s].count; i++)
			pins->sets[s].holders[i] = now_at[pins->sets[s].holders[i]];
	free(now_at);
	free(ranks);
	free(pins->holders);
	pins->holders = ordered;
}

static void free_part(struct part *part)
{
	free(part->holders);
	free(part->blocks);
	free(part->where);
}

bool pins_make(const struct process *process, const struct survey *survey, struct pins *ret)
{
	struct pinning pinning = {.process = process, .survey = survey, .pins = ret};

	if (!survey || !survey->is_whole)
		return false;
	*ret = (struct pins){.count = 0};
	for (size_t i = 0; i < survey->pool_count; i++)
		if (survey->pools[i].state == PM_SURVEY_BLOCKS && survey->pools[i].live_count)
			add_pool(&pinning, &survey->pools[i]);
	order(ret);
	free_part(&pinning.page);
	free_part(&pinning.pool);
	hash_index_free(&pinning.index);
	hash_index_free(&pinning.set_index);
	return true;
}

void pins_free(struct pins *pins)
{
	for (size_t i = 0; i < pins->set_count; i++)
		free(pins->sets[i].holders);
	free(pins->sets);
	free(pins->holders);
}
