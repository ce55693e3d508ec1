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
};

static struct pm_survivors survivors[CLASS_COUNT];
/* What the process began with; of LARGE_BYTES also what came to older blocks. */
static struct survival_begun began;
static struct pm_survival *published; /* in the segment; NULL: not asked for, or no room */
static bool asked_for;

void survival_begin(const struct survival_begun *begun)
{
	began = *begun;
	__builtin_memset(survivors, 0, sizeof survivors);
	published = NULL;
	asked_for = false;
}

/* The owner may arm it meanwhile: then both limits are looked at again. */
static uint64_t allocations_of(const struct pm_tally *tally)
{
	for (;;) {
		int64_t left = __atomic_load_n(&tally->left, __ATOMIC_ACQUIRE);
		int64_t limit = __atomic_load_n(&tally->limit[left & 1], __ATOMIC_ACQUIRE);
		int64_t again = __atomic_load_n(&tally->left, __ATOMIC_RELAXED);
		if ((uint8_t)left == (uint8_t)again)
			return (uint64_t)(limit - (left >> 8));
	}
}

typedef void visitor(const struct pm_tally *tally, unsigned size_class, void *context);

static void each_tally_of(const struct pm_slot *slot, const uint64_t classes[2], visitor *visit,
			  void *context)
{
	for (unsigned half = 0; half < 2; half++)
		for (uint64_t bits = classes[half]; bits; bits &= bits - 1) {
			unsigned size_class = half * 64 + (unsigned)__builtin_ctzl(bits);
			visit(&slot->tally[size_class], size_class, context);
		}
	visit(&slot->tally[CLASS_LARGE], CLASS_LARGE, context);
	visit(&slot->tally[CLASS_LARGE_BYTES], CLASS_LARGE_BYTES, context);
}

/* Of all heaps, and of calls outside any, those that count anything. */
static void each_tally(visitor *visit, void *context)
{
	static const uint64_t all[2] = {UINT64_MAX, (UINT64_C(1) << (CLASS_POOLED - 64)) - 1};
	struct pm_slot *shared = threads_shared_slot();
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		if (heap->slot)
			each_tally_of(heap_counted(heap, heap->slot), heap->ticking, visit, context);
	if (shared)
		each_tally_of(shared, all, visit, context);
}

static void add_totals(const struct pm_tally *tally, unsigned size_class, void *context)
{
	struct totals *totals = (struct totals *)context + size_class;
	for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++)
		totals->died[clock_generation_at(bucket)] += __atomic_load_n(&tally->freed[bucket],
									     __ATOMIC_ACQUIRE);
	totals->allocated += allocations_of(tally);
}

static void add_allocations(const struct pm_tally *tally, unsigned size_class, void *ret_count)
{
	if (size_class != CLASS_LARGE_BYTES)
		*(uint64_t *)ret_count += allocations_of(tally);
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
	for (unsigned c = 0; c < CLASS_COUNT; c++)
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
		if (published)
			__builtin_memcpy(published->began, began.of, sizeof began.of);
	}
	return published;
}

/* A block that changes its size in place has the bytes that came or went in its own generation, not in 0. */
static void add_bytes(uint64_t began_with[3], unsigned generation, uint64_t bytes)
{
	__atomic_add_fetch(&began_with[generation], bytes, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&began_with[0], bytes, __ATOMIC_RELAXED);
}

void host_large_resized(uint8_t stamp, int64_t bytes)
{
	unsigned generation = clock_generation(stamp);
	if (!generation)
		return;
	add_bytes(began.of[CLASS_LARGE_BYTES], generation, (uint64_t)bytes);
	if (published && wiped.alive)
		add_bytes(published->began[CLASS_LARGE_BYTES], generation, (uint64_t)bytes);
}

static uint64_t count_heaps(void)
{
	uint64_t count = 0;
	while (heap_by_index((uint32_t)count))
		count++;
	return count;
}

/* Besides what threads allocate meanwhile, each may just then be between a stamp and its count. */
uint64_t survival_turn(void)
{
	static struct totals totals[CLASS_COUNT]; /* not on the host's stack */
	uint64_t heaps = count_heaps(), before = 0, after = 0;
	bool alone = heaps < 2 && !threads_shared_slot();
	if (!alone)
		each_tally(add_allocations, &before);
	unsigned generation = clock_advance();
	__builtin_memset(totals, 0, sizeof totals);
	each_tally(add_totals, totals);
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		move_up(&totals[c], began.of[c], generation, &survivors[c]);
		after += c == CLASS_LARGE_BYTES ? 0 : totals[c].allocated;
	}
	struct pm_survival *survival = record();
	if (survival) {
		if (!alone)
			survival->uncertain += after - before + heaps;
		write_table(survival);
		log_sweep(survival, generation, after);
	}
	return after;
}
