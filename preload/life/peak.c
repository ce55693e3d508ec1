/* SPDX-License-Identifier: MIT */
/*
 * peak.c: the most that ever lived at a time.
 *
 * Heaps hand on what they counted when they tick, so that the sum of it lacks what others have allocated since their last
 * tick, at most `life.interval_bytes`, and still has what they have freed since: that has no bound, as a thread that only
 * frees its own blocks need not tick at all.  So where there are several heaps the peak does not rise by more than a share
 * above what was proven, unless their counters are summed up there and then, all of them: first what was allocated, then
 * what was freed.  At a moment between the two no less lived than that sum.  What is found is handed on for them.
 */
#include "heap/heap.h"
#include "life/life.h"
#include "tally/counters.h"

enum {
	SHARE = 64, /* a peak may be told that is higher than what was proven by this part of it, */
	PER_HEAP = 64 << 10, /* and so many bytes for each heap */
	TRIES = 4,           /* while others allocate much of that meanwhile */
	LOOKS = 2,
};

static uint64_t proven; /* so much lived at a time, or more; atomic */
static bool asked;      /* somebody wants to know what is proven; atomic */

static uint64_t slack_of(uint64_t bytes, uint32_t heaps)
{
	return bytes / SHARE + (uint64_t)heaps * PER_HEAP;
}

/* What was handed on is what lives: there is no other thread, or each block is handed on at once, when it comes and goes. */
static bool is_exact(uint32_t heaps)
{
	return (heaps < 2 && !threads_shared_slot()) ||
	       (life.settings.repeatable && sites_period() == 1);
}

static uint64_t most_to_tell(uint32_t heaps)
{
	uint64_t bytes = __atomic_load_n(&proven, __ATOMIC_RELAXED);
	return bytes + slack_of(bytes, heaps);
}

/* --- summing up ---------------------------------------------------------------------------------------- */

enum pass { ALLOCATED, FREED, AGAIN };

/* One that is made meanwhile, or taken over from the parent, counts in the next sum. */
static bool is_there(struct heap *heap, enum pass pass)
{
	if (pass == ALLOCATED)
		heap->is_summed = heap->slot && !heap->is_of_parent;
	return heap->is_summed;
}

typedef uint64_t counted(const struct pm_tally *tally);

static int64_t pools_in(const struct pm_slot *slot, const struct class_set *classes, counted *of)
{
	uint64_t bytes = 0;
	unsigned c;
	CLASS_EACH(c, classes)
	bytes += of(&slot->tally[c]) * life_unit(c);
	return (int64_t)bytes;
}

static int64_t large_in(const struct pm_slot *slot, counted *of)
{
	return (int64_t)of(&slot->tally[CLASS_LARGE_BYTES]);
}

/* What calls outside any heap did with blocks of pools: there no tick hands it on. */
static struct {
	int64_t seen, summed;
} shared;

static void note(int64_t *summed, enum pass pass, int64_t bytes)
{
	if (pass == ALLOCATED)
		*summed = bytes;
	else if (pass == FREED)
		*summed -= bytes;
}

static int64_t sum_shared(enum pass pass, counted *of)
{
	const struct pm_slot *slot = threads_shared_slot();
	if (!slot)
		return 0;
	int64_t bytes = pools_in(slot, threads_shared_classes(), of);
	note(&shared.summed, pass, bytes);
	return bytes + large_in(slot, of);
}

static int64_t sum_up(uint32_t heaps, enum pass pass)
{
	counted *of = pass == FREED ? tally_frees_seen : tally_allocations_seen;
	int64_t sum = sum_shared(pass, of);
	for (uint32_t i = 0; i < heaps; i++) {
		struct heap *heap = heap_by_index(i);
		if (!is_there(heap, pass))
			continue;
		const struct pm_slot *slot = heap_counted(heap, heap->slot);
		int64_t bytes = pools_in(slot, &heap->ticking, of);
		note(&heap->live_summed, pass, bytes);
		sum += bytes + large_in(slot, of);
	}
	return sum;
}

static void raise_proven(int64_t bytes)
{
	if (bytes > 0)
		tally_raise(&proven, (uint64_t)bytes);
}

/* Where much was allocated meanwhile the sum may be much too low. */
static void prove(uint32_t heaps)
{
	for (unsigned i = 0; i < TRIES; i++) {
		int64_t allocated = sum_up(heaps, ALLOCATED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		int64_t freed = sum_up(heaps, FREED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		raise_proven(life.inherited_bytes + allocated - freed);
		if (sum_up(heaps, AGAIN) - allocated <= (int64_t)heaps * PER_HEAP / 2)
			return;
	}
}

/* Deltas telescope: whoever else hands on at the same time, what lives is the sum of what was handed on. */
static int64_t replace(int64_t *seen, int64_t now)
{
	return now - __atomic_exchange_n(seen, now, __ATOMIC_RELAXED);
}

static void hand_on_for_all(uint32_t heaps)
{
	int64_t change = replace(&shared.seen, shared.summed);
	for (uint32_t i = 0; i < heaps; i++) {
		struct heap *heap = heap_by_index(i);
		if (heap->is_summed)
			change += replace(&heap->live_seen, heap->live_summed);
	}
	__atomic_add_fetch(&life.live_bytes, change, __ATOMIC_RELAXED);
}

/* --- what is told --------------------------------------------------------------------------------------- */

static uint64_t live_now(void)
{
	int64_t live = __atomic_load_n(&life.live_bytes, __ATOMIC_RELAXED);
	return live < 0 ? 0 : (uint64_t)live;
}

/* Who finds another at it goes on, and the other looks once more. */
static void look(uint32_t heaps)
{
	__atomic_store_n(&asked, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < LOOKS && __atomic_load_n(&asked, __ATOMIC_SEQ_CST); i++) {
		if (!wiped_try(&wiped.summing))
			return;
		__atomic_store_n(&asked, false, __ATOMIC_SEQ_CST);
		prove(heaps);
		hand_on_for_all(heaps);
		wiped_done(&wiped.summing);
	}
}

/* Of what lives by what was handed on, as much as can be told. */
static uint64_t told(uint32_t heaps)
{
	uint64_t live = live_now();
	if (live <= most_to_tell(heaps) || !life.recording || !wiped.alive)
		return live;
	look(heaps);
	live = live_now();
	uint64_t most = most_to_tell(heaps);
	return live < most ? live : most;
}

static void publish_excess(struct pm_process *process)
{
	uint64_t peak = __atomic_load_n(&process->live_peak_bytes, __ATOMIC_RELAXED);
	uint64_t least = __atomic_load_n(&proven, __ATOMIC_RELAXED);
	__atomic_store_n(&process->peak_excess_bytes, peak > least ? peak - least : 0,
			 __ATOMIC_RELAXED);
}

bool peak_changed(int64_t bytes)
{
	uint32_t heaps = heap_made();
	__atomic_add_fetch(&life.live_bytes, bytes, __ATOMIC_RELAXED);
	if (!life.started)
		return false;
	bool exact = is_exact(heaps);
	uint64_t live = exact ? live_now() : told(heaps);
	struct pm_process *process = life_process();
	__atomic_store_n(&process->live_now_bytes, live, __ATOMIC_RELAXED);
	if (exact)
		raise_proven((int64_t)live);
	bool is_peak = tally_raise(&process->live_peak_bytes, live);
	publish_excess(process);
	return is_peak;
}

void peak_hand_on(struct heap *heap, int64_t live_bytes)
{
	int64_t held = heap->live_held;
	heap->live_held = 0;
	peak_changed(replace(&heap->live_seen, live_bytes) + held);
}

void peak_bound(void)
{
	tally_raise(&life_process()->peak_bound_bytes,
		    __atomic_load_n(&life.interval_bytes, __ATOMIC_RELAXED));
}

void peak_begin(void)
{
	__atomic_store_n(&proven, 0, __ATOMIC_RELAXED);
	shared.seen = 0;
}
