/* SPDX-License-Identifier: MIT */
/*
 * survival.c: what sweeps did to the blocks of each class.
 *
 * A sweep moves all that lives in the generations it takes, so what has left generation 0 by then is all that ever
 * came less what died there, and likewise for generation 2: no block is visited.  The sums go to one of two tables in
 * the segment, in turn, so that who is killed halfway leaves the other.
 *
 * Other threads go on meanwhile: what they allocate while the sums are taken seems to have survived.  The next sweep's
 * sums put it right, but for blocks that seem to have skipped a generation; how many that were at most is counted.
 */
#include "life/life.h"
#include "tally/clock.h"

struct totals {
	uint64_t allocated, died[3];
	struct pm_frozen frozen;
};

static struct pm_survivors survivors[CLASS_COUNT];
static struct class_set in_use;                 /* classes that anything was ever counted of */
static struct pm_frozen frozen[CLASS_COUNT];    /* atomic */
static uint64_t frozen_died_early[CLASS_COUNT]; /* in a forked child before survival_begin(); atomic */
/* Blocks that died in generations up to each, as of its last sweep, and since the one before. */
static uint64_t died_so_far[3], died_last[3];
/* What the process began with; of LARGE_BYTES also what came to older blocks. */
static struct survival_begun began;
static struct pm_survival *published; /* in the segment; NULL: not asked for, or no room */
static bool asked_for;

static void begin_with(unsigned size_class)
{
	const uint64_t *of = began.of[size_class];
	class_put(&in_use, size_class, of[0] || of[1] || of[2]);
}

void survival_begin(const struct survival_begun *begun)
{
	began = *begun;
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		begin_with(c);
	__builtin_memset(survivors, 0, sizeof survivors);
	__builtin_memset(died_so_far, 0, sizeof died_so_far);
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		frozen[c] = (struct pm_frozen){begun->frozen.of[c], frozen_died_early[c]};
	__builtin_memset(frozen_died_early, 0, sizeof frozen_died_early);
	published = NULL;
	asked_for = false;
}

typedef void visitor(const struct pm_tally *tally, unsigned size_class, void *context);

static inline void each_tally_of(const struct pm_slot *slot, const struct class_set *classes,
				 visitor *visit, void *context)
{
	unsigned c;
	CLASS_EACH(c, classes)
	visit(&slot->tally[c], c, context);
	visit(&slot->tally[CLASS_LARGE], CLASS_LARGE, context);
	visit(&slot->tally[CLASS_LARGE_BYTES], CLASS_LARGE_BYTES, context);
}

/* Of all heaps, and of calls outside any, those that count anything. */
static inline void each_tally(visitor *visit, void *context)
{
	struct pm_slot *shared = threads_shared_slot();
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		if (heap->slot)
			each_tally_of(heap_counted(heap, heap->slot), &heap->ticking, visit,
				      context);
	if (shared)
		each_tally_of(shared, threads_shared_classes(), visit, context);
}

static void note_in_use(void)
{
	struct heap *heap;
	class_put(&in_use, CLASS_LARGE, true);
	class_put(&in_use, CLASS_LARGE_BYTES, true);
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		class_join(&in_use, &heap->ticking);
	class_join(&in_use, threads_shared_classes());
}

static void add_totals(const struct pm_tally *tally, unsigned size_class, void *context)
{
	struct totals *totals = (struct totals *)context + size_class;
	uint64_t freed[PM_AGE_COUNT];
	tally_ages_seen(tally, freed);
#pragma GCC unroll 16
	for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++)
		totals->died[clock_generation_at(bucket)] += freed[bucket];
	totals->allocated += tally_allocations_seen(tally);
}

/* What a sweep of generation 0 alone has to know. */
static void add_young(const struct pm_tally *tally, unsigned size_class, void *context)
{
	struct totals *totals = (struct totals *)context + size_class;
	totals->died[0] += tally_young_seen(tally);
	totals->allocated += tally_allocations_seen(tally);
}

static void add_allocations(const struct pm_tally *tally, unsigned size_class, void *ret_count)
{
	if (size_class != CLASS_LARGE_BYTES)
		*(uint64_t *)ret_count += tally_allocations_seen(tally);
}

static void move_up(const struct totals *totals, const uint64_t began_with[3], unsigned generation,
		    struct pm_survivors *moved)
{
	uint64_t left = began_with[0] + totals->allocated - totals->died[0];
	if (generation > 0) {
		moved->skipped += left - moved->survived;
		moved->old = left + began_with[1] - totals->died[1];
	}
	moved->survived = left;
}

static void write_table(struct pm_survival *survival)
{
	struct pm_survivor_table *table = &survival->table[clock_now.epoch % 2];
	__atomic_store_n(&table->epoch, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	unsigned c;
	CLASS_EACH(c, &in_use)
	table->of[c] = survivors[c];
	__atomic_store_n(&table->epoch, clock_now.epoch, __ATOMIC_RELEASE);
}

static void log_sweep(struct pm_survival *survival, unsigned generation, uint64_t allocations)
{
	struct pm_sweep *sweep = &survival->sweep[clock_now.epoch % PM_SWEEP_ROOM];
	__atomic_store_n(&sweep->epoch, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	sweep->allocations = allocations;
	sweep->clock = clock_now.units;
	sweep->generation = generation;
	__atomic_store_n(&sweep->epoch, clock_now.epoch, __ATOMIC_RELEASE);
}

/* Asked for once in a process: programs that end in their first epoch need none. */
static struct pm_survival *record(void)
{
	if (!asked_for && life.recording && wiped.alive && !segment.full) {
		asked_for = true;
		published = segment_survival(life.leader);
		if (published) {
			__builtin_memcpy(published->began, began.of, sizeof began.of);
			__builtin_memcpy(published->frozen, frozen, sizeof frozen);
		}
	}
	return published;
}

void survival_misplaced(uint64_t blocks)
{
	if (wiped.alive && published)
		__atomic_fetch_add(&published->uncertain, blocks, __ATOMIC_RELAXED);
}

/* --- what is frozen ----------------------------------------------------------------------------- */

static void add_to_frozen(struct pm_frozen *of, uint64_t now, uint64_t died)
{
	__atomic_add_fetch(&of->now, now, __ATOMIC_RELAXED);
	__atomic_add_fetch(&of->died, died, __ATOMIC_RELAXED);
}

static void add_frozen(unsigned size_class, uint64_t now, uint64_t died)
{
	if (!wiped.alive)
		__atomic_add_fetch(&frozen_died_early[size_class], died, __ATOMIC_RELAXED);
	add_to_frozen(&frozen[size_class], now, died);
	if (published && wiped.alive)
		add_to_frozen(&published->frozen[size_class], now, died);
}

void survival_frozen_died(unsigned size_class, size_t block_bytes)
{
	add_frozen(size_class, -UINT64_C(1), 1);
	if (size_class == CLASS_LARGE)
		add_frozen(CLASS_LARGE_BYTES, -(uint64_t)block_bytes, block_bytes);
}

void survival_freeze(const struct frozen *more)
{
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		add_frozen(c, more->of[c], 0);
}

void survival_unfreeze(void)
{
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		add_frozen(c, -__atomic_load_n(&frozen[c].now, __ATOMIC_RELAXED), 0);
}

/* A free that meets survival_unfreeze() halfway takes `now` below 0, until the next. */
static struct pm_frozen frozen_of(unsigned size_class)
{
	struct pm_frozen of = {__atomic_load_n(&frozen[size_class].now, __ATOMIC_RELAXED),
			       __atomic_load_n(&frozen[size_class].died, __ATOMIC_ACQUIRE)};
	if ((int64_t)of.now < 0)
		of.now = 0;
	return of;
}

int64_t survival_frozen(void)
{
	uint64_t sum = 0;
	for (unsigned c = 0; c < CLASS_LARGE_BYTES; c++)
		sum += frozen_of(c).now;
	return (int64_t)sum;
}

/* A block that changes its size in place has the bytes that came or went in its own generation, not in 0. */
static void add_bytes(uint64_t began_with[3], unsigned generation, uint64_t bytes)
{
	__atomic_add_fetch(&began_with[generation], bytes, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&began_with[0], bytes, __ATOMIC_RELAXED);
}

void host_large_resized(const void *block, uint8_t stamp, int64_t bytes)
{
	bool is_frozen = stamp == STAMP_SPECIAL && sites_resized(block, bytes, &stamp);
	unsigned generation = clock_generation(stamp);
	if (!generation)
		return;
	add_bytes(began.of[CLASS_LARGE_BYTES], generation, (uint64_t)bytes);
	if (published && wiped.alive)
		add_bytes(published->began[CLASS_LARGE_BYTES], generation, (uint64_t)bytes);
	if (is_frozen)
		add_frozen(CLASS_LARGE_BYTES, (uint64_t)bytes, 0);
}

/* --- sweeps ---------------------------------------------------------------------------------------- */

/* What is frozen first: a block is counted as dead before it is counted as having died frozen. */
static void take_totals(struct totals totals[CLASS_COUNT])
{
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		totals[c] = (struct totals){.frozen = frozen_of(c)};
	each_tally(add_totals, totals);
}

/* Of a young sweep, which takes nothing that is frozen. */
static void take_young(struct totals totals[CLASS_COUNT])
{
	unsigned c;
	CLASS_EACH(c, &in_use)
	totals[c] = (struct totals){.allocated = 0};
	each_tally(add_young, totals);
}

static void note_deaths(const struct totals *totals, unsigned generation)
{
	uint64_t died = 0;
	unsigned c;
	for (unsigned g = 0; g <= generation; g++) {
		CLASS_EACH(c, &in_use)
		if (c != CLASS_LARGE_BYTES)
			died += totals[c].died[g] - (g == 2 ? totals[c].frozen.died : 0);
		died_last[g] = died > died_so_far[g] ? died - died_so_far[g] : 0;
		died_so_far[g] += died_last[g];
	}
}

uint64_t survival_died(unsigned generation)
{
	return died_last[generation];
}

/* Besides what threads allocate meanwhile, each may just then be between a stamp and its count. */
uint64_t survival_turn(unsigned generation)
{
	static struct totals totals[CLASS_COUNT]; /* not on the host's stack */
	uint64_t heaps = heap_made(), before = 0, after = 0;
	bool alone = heaps < 2 && !threads_shared_slot();
	unsigned c;
	if (!alone)
		each_tally(add_allocations, &before);
	clock_advance(generation);
	note_in_use(); /* no class of `before` is missing in `after` */
	if (generation)
		take_totals(totals);
	else
		take_young(totals);
	CLASS_EACH(c, &in_use)
	{
		move_up(&totals[c], began.of[c], generation, &survivors[c]);
		after += c == CLASS_LARGE_BYTES ? 0 : totals[c].allocated;
	}
	note_deaths(totals, generation);
	struct pm_survival *survival = record();
	if (survival) {
		if (!alone)
			__atomic_fetch_add(&survival->uncertain, after - before + heaps,
					   __ATOMIC_RELAXED);
		write_table(survival);
		log_sweep(survival, generation, after);
	}
	return after;
}

/* --- figures for the program ----------------------------------------------------------------------- */

struct flow {
	uint64_t entered, survived, died, live, frozen;
};

/* What other threads do meanwhile may have left before it has entered. */
static void close_flow(struct flow *flow)
{
	uint64_t left = flow->survived + flow->died + flow->frozen;
	if (flow->entered < left)
		flow->entered = left;
	flow->live = flow->entered - left;
}

static void flow_of_class(const struct totals *totals, unsigned c, struct flow ret_flow[3])
{
	const struct pm_survivors *of = &survivors[c];
	const uint64_t *inherited = began.of[c];
	ret_flow[0] = (struct flow){.entered = inherited[0] + totals->allocated,
				    .survived = of->survived,
				    .died = totals->died[0]};
	ret_flow[1] = (struct flow){.entered = inherited[1] + of->survived - of->skipped,
				    .survived = of->old - of->skipped,
				    .died = totals->died[1]};
	ret_flow[2] = (struct flow){.entered = inherited[2] + of->old,
				    .died = totals->died[2] - totals->frozen.died,
				    .frozen = totals->frozen.now + totals->frozen.died};
	for (unsigned g = 0; g < 3; g++)
		close_flow(&ret_flow[g]);
}

static void add_blocks(struct poolmem_stats *to, const struct flow *flow)
{
	to->entered += flow->entered;
	to->survived += flow->survived;
	to->died += flow->died;
	to->live += flow->live;
	to->frozen += flow->frozen;
}

static void add_flow_bytes(struct poolmem_stats *to, const struct flow *flow, uint64_t unit)
{
	to->entered_bytes += flow->entered * unit;
	to->survived_bytes += flow->survived * unit;
	to->died_bytes += flow->died * unit;
	to->live_bytes += flow->live * unit;
	to->frozen_bytes += flow->frozen * unit;
}

void survival_stats(struct poolmem_stats ret_stats[3])
{
	static struct totals totals[CLASS_COUNT];
	__builtin_memset(ret_stats, 0, 3 * sizeof *ret_stats);
	take_totals(totals);
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		struct flow flow[3];
		flow_of_class(&totals[c], c, flow);
		for (unsigned g = 0; g < 3; g++) {
			if (c != CLASS_LARGE_BYTES)
				add_blocks(&ret_stats[g], &flow[g]);
			add_flow_bytes(&ret_stats[g], &flow[g], life_unit(c));
		}
	}
	for (unsigned g = 0; g < 3; g++)
		ret_stats[g].sweeps = clock_now.sweeps[g];
}

static void add_sums(const struct pm_tally *tally, unsigned size_class, void *context)
{
	struct pm_mark *sums = context;
	uint64_t unit = life_unit(size_class), blocks = size_class != CLASS_LARGE_BYTES;
	uint64_t freed[PM_AGE_COUNT];
	tally_ages_seen(tally, freed);
	for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++) {
		sums->freed[bucket] += freed[bucket] * blocks;
		sums->freed_bytes[bucket] += freed[bucket] * unit;
	}
	uint64_t allocated = tally_allocations_seen(tally);
	sums->allocated += allocated * blocks;
	sums->allocated_bytes += allocated * unit;
}

static uint64_t at_most(uint64_t value, uint64_t most)
{
	return value < most ? value : most;
}

/* By class exact; what a realloc in place took to another class may be of another generation there. */
static void live_of_class(const struct totals *totals, unsigned c, uint64_t ret_live[3])
{
	struct flow flow[3];
	uint64_t came = totals->allocated + began.of[c][0] + began.of[c][1] + began.of[c][2];
	uint64_t went = totals->died[0] + totals->died[1] + totals->died[2];
	uint64_t live = came > went ? came - went : 0;
	flow_of_class(totals, c, flow);
	ret_live[2] = at_most(flow[2].live, live);
	ret_live[1] = at_most(flow[1].live, live - ret_live[2]);
	ret_live[0] = live - ret_live[2] - ret_live[1];
}

void survival_live(struct survival_begun *ret_live)
{
	static struct totals totals[CLASS_COUNT];
	take_totals(totals);
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		live_of_class(&totals[c], c, ret_live->of[c]);
}

void survival_sum_up(struct pm_mark *ret_sums)
{
	each_tally(add_sums, ret_sums);
}

static void add_counts(const struct pm_tally *tally, unsigned size_class, void *context)
{
	struct survival_counts *counts = context;
	counts->freed[size_class] += tally_frees_seen(tally);
	counts->allocated[size_class] += tally_allocations_seen(tally);
}

void survival_count(struct survival_counts *ret_counts)
{
	each_tally(add_counts, ret_counts);
	for (unsigned c = 0; c < CLASS_COUNT; c++)
		ret_counts->allocated[c] += began.of[c][0] + began.of[c][1] + began.of[c][2];
}
