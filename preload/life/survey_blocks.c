/* SPDX-License-Identifier: MIT */
/*
 * survey_blocks.c: arenas, pools and their blocks, for the survey.
 *
 * Other threads may go on meanwhile: each pool is right at some moment.
 */
#include "life/life.h"
#include "life/records.h"
#include "life/survey_parts.h"
#include "tally/clock.h"

_Static_assert((int)BESIDE_BLOCKS_MAX >= (int)SURVEY_BLOCKS_MAX, "blocks of a pool");

static struct survey_blocks *blocks; /* of the pool in hand; while a survey is made */

/* Where the stack of the site stands in frames[], from 1 on. */
static uint16_t index_of(struct pm_survey_pool *out, uint32_t number)
{
	uint16_t *index = &blocks->index_of[number];
	if (!*index) {
		blocks->frames[out->frame_count] = intern_site(number)->frame;
		blocks->sites[out->frame_count] = (uint16_t)(number - 1);
		*index = (uint16_t)++out->frame_count;
	}
	return *index;
}

static void forget_sites(const struct pm_survey_pool *out)
{
	for (uint32_t i = 0; i < out->frame_count; i++)
		blocks->index_of[blocks->sites[i] + 1U] = 0;
}

/* A recorded block, whose own stamp its record has.  Returns its generation. */
static unsigned look_at_record(const struct pool *pool, uint64_t index, struct pm_survey_pool *out)
{
	struct recorded recorded;
	if (!records_look(pool, index, &recorded))
		return 2;
	if (recorded.site) {
		out->recorded++;
		out->recorded_requested += recorded.requested;
		blocks->which[blocks->live_count] = index_of(
			out, (recorded.site - 1) % INTERN_SITES + 1);
	}
	return recorded.is_frozen ? 2 : clock_generation(recorded.stamp);
}

static void look_at_block(const struct pool *pool, uint64_t index, struct pm_survey_pool *out)
{
	uint8_t stamp = __atomic_load_n(&pool->stamps[index], __ATOMIC_ACQUIRE);
	if (stamp == STAMP_FREE)
		return;
	blocks->which[blocks->live_count] = 0;
	unsigned generation = stamp == STAMP_SPECIAL ? look_at_record(pool, index, out)
						     : clock_generation(stamp);
	blocks->states[index / 16] |= (generation + 1) << index % 16 * 2;
	out->live[generation]++;
	blocks->live_count++;
}

static void look_at_blocks(const struct pool *pool, struct pm_survey_pool *out)
{
	uint32_t count = out->capacity < SURVEY_BLOCKS_MAX ? out->capacity : SURVEY_BLOCKS_MAX;
	__builtin_memset(blocks->states, 0, sizeof blocks->states);
	blocks->live_count = 0;
	for (uint32_t i = 0; i < count && i < pool->threaded; i++)
		look_at_block(pool, i, out);
	out->has_states = blocks->live_count < out->capacity;
}

static void put_blocks(const struct pm_survey_pool *out)
{
	static const char zeros[8];
	size_t states = out->has_states ? (out->capacity + 15) / 16 * sizeof blocks->states[0] : 0;
	size_t frames = out->frame_count * sizeof blocks->frames[0];
	size_t which = out->frame_count ? blocks->live_count * sizeof blocks->which[0] : 0;
	struct pm_fact fact = {PM_SURVEY_POOL, (uint32_t)(sizeof *out + states + frames + which)};
	survey_put(&fact, sizeof fact);
	survey_put(out, sizeof *out);
	survey_put(blocks->states, states);
	survey_put(blocks->frames, frames);
	survey_put(blocks->which, which);
	survey_put(zeros, -(size_t)fact.bytes % 8);
}

static enum pm_survey_pool_state state_of(const struct pool *pool)
{
	switch (__atomic_load_n(&pool->state, __ATOMIC_ACQUIRE)) {
	case POOL_LARGE: return PM_SURVEY_LARGE;
	case POOL_CACHED: return PM_SURVEY_KEPT;
	default: return PM_SURVEY_BLOCKS;
	}
}

static void put_pool(const struct pool *pool)
{
	const struct arena *arena = arena_at(pool->arena);
	bool is_huge = arena->kind == ARENA_HUGE;
	struct pm_survey_pool out = {
		.first = (uintptr_t)arena_unit_at(arena, pool->first_unit),
		.bytes = is_huge ? arena->huge_bytes : pool->units * (uint64_t)PM_UNIT_BYTES,
		.start = (uintptr_t)pool->start,
		.block_bytes = pool->block_bytes,
		.capacity = (uint32_t)pool->capacity,
		.owner = publish_owner(pool->owner),
		.state = state_of(pool),
		.size_class = pool->size_class,
	};
	if (out.state != PM_SURVEY_KEPT)
		look_at_blocks(pool, &out);
	put_blocks(&out);
	forget_sites(&out);
}

/* What a heap keeps for its next large block, too. */
static void put_pools(const struct arena *arena)
{
	for (unsigned unit = 0; unit < PM_ARENA_UNITS && !survey_is_cut(); unit++) {
		const struct pool *pool = arena_pool(arena, unit);
		if (__atomic_load_n(&pool->state, __ATOMIC_ACQUIRE) != POOL_UNUSED)
			put_pool(pool);
	}
}

/* free_before: its free units before its pools were gone through; what was free then or is now is no pool's. */
static void put_arena(const struct arena *arena, uint64_t free_before)
{
	bool is_huge = arena->kind != ARENA_POOLS;
	uint64_t resident[SURVEY_ARENA_PAGES / 64] = {0};
	struct pm_survey_arena out = {
		.base = (uintptr_t)arena_base(arena),
		.free_units = is_huge ? 0
				      : free_before | __atomic_load_n(&arena->free, __ATOMIC_RELAXED),
		.meta = (uintptr_t)arena->records,
		.meta_bytes = arena->records ? arena_records_bytes() : 0,
		.kind = is_huge ? PM_ARENA_HUGE : PM_ARENA_POOLS,
		.mapped_units = is_huge ? PM_ARENA_UNITS : arena->mapped,
	};
	out.meta_resident = survey_resident_bytes(out.meta, out.meta_bytes);
	survey_resident_pages(arena, resident);
	survey_put_fact(PM_SURVEY_ARENA, &out, sizeof out, resident, sizeof resident);
}

static bool is_in_use(const struct arena *arena)
{
	uint32_t kind = __atomic_load_n(&arena->kind, __ATOMIC_ACQUIRE);
	return kind == ARENA_POOLS || kind == ARENA_HUGE || kind == ARENA_HUGE_TAIL;
}

/* Their free units, while a survey is made. */
static struct {
	uint32_t count;
	uint64_t *free_before; /* before their pools were gone through */
} arenas;

static size_t arenas_bytes(void)
{
	size_t bytes = arenas.count * sizeof arenas.free_before[0];
	return (bytes + memory_page() - 1) / memory_page() * memory_page();
}

bool survey_put_pools(struct survey_blocks *room)
{
	uint32_t count = __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE);
	blocks = room;
	arenas.count = count;
	arenas.free_before = count ? memory_map_own(MEMORY_TELEMETRY, arenas_bytes()) : NULL;
	if (!arenas.free_before)
		arenas.count = 0;
	for (uint32_t i = 0; i < arenas.count && !survey_is_cut(); i++) {
		const struct arena *arena = arena_at(i);
		arenas.free_before[i] = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
		if (is_in_use(arena))
			put_pools(arena);
	}
	return arenas.count == count;
}

void survey_put_arenas(void)
{
	for (uint32_t i = 0; i < arenas.count && !survey_is_cut(); i++)
		if (is_in_use(arena_at(i)))
			put_arena(arena_at(i), arenas.free_before[i]);
	if (arenas.count)
		memory_unmap_own(arenas.free_before, arenas_bytes());
}
