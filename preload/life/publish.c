/* SPDX-License-Identifier: MIT */
/*
 * publish.c: pools, arenas and figures of the process into the segment.
 *
 * Where an epoch turns, those arenas whose pools changed, and a few others in turn; at exit all of them.  How often,
 * goes by how many they are, so that no allocation costs more in a large heap: where each of 33 classes had pools in
 * seven arenas, each epoch of 1,000 allocations, it was a seventh of all instructions.  Another thread's pools are
 * read while they change: each figure is right at some moment of the epoch.
 */
#include "life/life.h"
#include "tally/clock.h"

enum {
	ARENAS_IN_TURN = 2,
	ALLOCATIONS_PER_POOL = 128, /* 100 ns to publish one, its lines are in no cache: 1 ns for each allocation */
	GAP_NS = 100000000, /* or so long, whichever is sooner */
};

static uint32_t clamp16(uint64_t value)
{
	return value > UINT16_MAX ? UINT16_MAX : (uint32_t)value;
}

uint32_t publish_owner(const struct heap *owner)
{
	if ((uintptr_t)owner < HEAP_STRIDE || !segment.header)
		return 0;
	ptrdiff_t displacement = heap_twin(owner)->displacement;
	if (!displacement)
		return 0;
	const char *slot = (const char *)owner->slot + displacement;
	return (uint32_t)((slot - (const char *)segment.header) / PM_CHUNK_BYTES);
}

static struct pm_pool describe_pool(const struct pool *pool)
{
	struct pm_pool out = {.size_class = pool->size_class};
	size_t pages = pool->units * (size_t)(PM_UNIT_BYTES / CLASS_PAGE);
	size_t touched = (pool->threaded * pool->block_bytes + CLASS_PAGE - 1) / CLASS_PAGE;
	if (pool->state == POOL_UNUSED || pool->state == POOL_CACHED)
		return (struct pm_pool){0};
	if (pool->state == POOL_LARGE) {
		out.state = PM_POOL_LARGE;
		out.live = out.capacity = 1;
		out.pages = (uint32_t)(pool->block_bytes / CLASS_PAGE);
		out.touched_pages = (uint16_t)clamp16(out.pages);
		return out;
	}
	out.state = PM_POOL_LIVE;
	out.owner = publish_owner(pool->owner);
	out.live = (uint16_t)clamp16(pool_live(pool));
	out.capacity = (uint16_t)pool->capacity;
	out.pages = (uint32_t)pages;
	out.touched_pages = (uint16_t)clamp16(touched < pages ? touched : pages);
	return out;
}

/* What a heap keeps of large blocks is free and written to. */
static void publish_unit(const struct arena *arena, unsigned unit, struct pm_arena *out)
{
	const struct pool *pool = arena_pool(arena, unit);
	if (__atomic_load_n(&pool->state, __ATOMIC_ACQUIRE) == POOL_CACHED) {
		uint64_t units = units_mask(unit, pool->units);
		out->free_units |= units;
		out->dirty_units |= units;
	}
	out->pool[unit] = describe_pool(pool);
}

static void publish_arena(const struct arena *arena, struct pm_arena *out)
{
	uint32_t kind = arena->kind;
	out->base = (uint64_t)(uintptr_t)arena_base(arena);
	out->free_units = __atomic_load_n(&arena->free, __ATOMIC_RELAXED);
	out->dirty_units = __atomic_load_n(&arena->dirty, __ATOMIC_RELAXED);
	out->mapped_units = kind == ARENA_POOLS ? arena->mapped : 0;
	out->huge_bytes = kind == ARENA_HUGE ? arena->huge_bytes : 0;
	out->kind = kind == ARENA_POOLS                             ? PM_ARENA_POOLS
		    : kind == ARENA_HUGE || kind == ARENA_HUGE_TAIL ? PM_ARENA_HUGE
								    : PM_ARENA_NONE;
	for (unsigned unit = 0; unit < PM_ARENA_UNITS; unit++)
		if (kind == ARENA_POOLS || (kind == ARENA_HUGE && unit == 0))
			publish_unit(arena, unit, out);
		else
			out->pool[unit] = (struct pm_pool){0};
}

/* Unused arenas and the rest of a huge block need none, unless an older figure stands there. */
static bool is_worth_a_place(const struct arena *arena)
{
	return arena->kind == ARENA_POOLS || arena->kind == ARENA_HUGE || arena->published;
}

static bool publish_one(struct arena *arena)
{
	struct pm_arena *out = segment_map_arena(life.leader, arena->index);
	if (!out)
		return false;
	__atomic_store_n(&arena->changed, 0, __ATOMIC_RELAXED);
	publish_arena(arena, out);
	arena->published = out->kind != PM_ARENA_NONE;
	return true;
}

/* Returns how many pools that were, about.  The caller holds wiped.advancing. */
static uint32_t publish_arenas(bool all)
{
	static uint32_t turn;
	uint32_t arenas = __atomic_load_n(&region.arenas, __ATOMIC_ACQUIRE), seen = 0, unseen = 0;
	uint32_t first = arenas ? turn % arenas : 0;
	for (uint32_t i = 0; i < arenas; i++) {
		struct arena *arena = arena_at(i);
		bool in_turn = i >= first && i < first + ARENAS_IN_TURN;
		if (!(all || in_turn || arena->changed) || !is_worth_a_place(arena))
			continue;
		if (publish_one(arena))
			seen += 1 + arena_units_in_use(arena); /* most pools have one */
		else
			unseen++;
	}
	turn = first + ARENAS_IN_TURN;
	struct pm_process *process = life_process();
	process->arenas_unseen = unseen;
	process->published_epoch = clock_now.epoch;
	process->published_ns = threads_clock_ns();
	return seen;
}

void publish_pools(void)
{
	if (life.recording && wiped.alive && !host_next)
		publish_arenas(true);
}

/* In a forked child allocations begin at 0 again, and it publishes at once. */
void publish_pools_if_due(uint64_t allocations)
{
	static uint64_t last, gap;
	if (!life.recording || !wiped.alive)
		return;
	if (allocations - last < gap &&
	    (life.settings.repeatable || threads_clock_ns() - life_process()->published_ns < GAP_NS))
		return;
	last = allocations;
	gap = (uint64_t)publish_arenas(false) * ALLOCATIONS_PER_POOL;
}

/* At once, not at the next tick: a process that is killed must not seem to hold more than was mapped. */
void host_mapped_changed(void)
{
	if (!life.started || host_next)
		return;
	struct pm_process *process = life_process();
	process->committed_bytes = region.mapped_bytes;
	process->committed_peak_bytes = region.mapped_peak;
}

void publish_clock(struct pm_process *process)
{
	process->clock_kind = clock_now.kind;
	process->doubling = clock_now.doubling;
	for (unsigned g = 0; g < 3; g++)
		process->threshold[g] = clock_now.threshold[g];
}

void publish_process(void)
{
	struct pm_process *process = life_process();
	host_mapped_changed();
	process->meta_bytes = region.meta_bytes;
	process->purged_bytes = host_next ? 0 : region.purged_bytes;
	process->clock = clock_now.units;
	process->epoch = clock_now.epoch;
	process->epoch_length = clock_now.length;
	for (unsigned g = 0; g < 3; g++)
		process->sweeps[g] = clock_now.sweeps[g];
	if (!host_next && foreign_heap_grew())
		process->notes |= UINT64_C(1) << PM_NOTE_OTHER_HEAP;
	if (segment.full)
		process->notes |= UINT64_C(1) << PM_NOTE_TRUNCATED;
	if (process->slots_unseen)
		process->notes |= UINT64_C(1) << PM_NOTE_THREADS_UNSEEN;
	if (process->children_unseen)
		process->notes |= UINT64_C(1) << PM_NOTE_CHILDREN_UNSEEN;
}
