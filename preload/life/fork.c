/* SPDX-License-Identifier: MIT */
/*
 * fork.c: a forked child becomes a process of its own.
 *
 * Before fork() a slot is laid ready in the segment, and no more; other calls that fork go without.  In the child
 * the wiped page reads as zero, and so do the displacements: from its first instruction the child counts in its
 * private slots.  At its first slow path it comes here, claims that slot or makes one, and carries over what it
 * counted.  What it found live is the sum over the pool descriptors, which the fork froze by copy-on-write.
 */
#include "life/life.h"
#include "sys/memory.h"
#include "tally/clock.h"

#include <pthread.h>

static struct pm_process no_process; /* of a process that has no area */

struct pm_process *life_process(void)
{
	return wiped.alive && life.process ? life.process : &no_process;
}

/*
 * Where the kernel did not wipe (too old, out of mappings for a group of heaps, or an emulator that only says so), children
 * of fork() at least are told apart.
 */
static void wipe_by_hand(void)
{
	struct heap *heap;
	if (wiped.kept)
		life.can_wipe = false;
	if (life.can_wipe && !heap_twins_unwiped)
		return;
	__builtin_memset(&wiped, 0, sizeof wiped);
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		heap_twin(heap)->displacement = 0;
	threads_forget_others();
}

void fork_init(void)
{
	life.can_wipe = wiped_init();
	wiped.alive = wiped.kept = 1;
}

/* The process has the id of the thread that forked; another may be the first to take a slow path. */
static void note_child(void)
{
	wipe_by_hand();
	wiped.pid = threads_id();
}

/* Not from within a slow path, which a signal handler that forks has interrupted. */
static void prepare(void)
{
	struct heap *heap = heap_open_mine();
	trace_forks();
	if (host_next)
		next_note_live();
	if (!heap)
		return;
	heap_enter();
	tick_keep_spares(1);
	heap_close(heap);
}

void fork_watch(void)
{
	pthread_atfork(prepare, NULL, note_child);
}

/* --- what the child found live --------------------------------------------------------------------- */

struct inheritance {
	uint64_t blocks, bytes;
	uint64_t blocks_of[3], bytes_of[3]; /* by generation */
};

/* Where all stamps are old, most of a large heap, they are not looked at. */
static void add_pool(struct pool *pool, void *context)
{
	struct survival_begun *begun = context;
	uint64_t *live = begun->of[pool->size_class];
	if (pool->state == POOL_LARGE) {
		unsigned generation = clock_generation(pool->stamps[0]);
		live[generation]++;
		begun->of[CLASS_LARGE_BYTES][generation] += pool->block_bytes;
	} else if (ageing_is_done(pool)) {
		live[2] += pool_live(pool);
	} else {
		for (uint32_t i = 0; i < pool->threaded; i++)
			if (pool->stamps[i] != STAMP_FREE)
				live[clock_generation(pool->stamps[i])]++;
	}
}

/* Takes back what the child itself has done since the fork: no epoch has turned. */
static void undo_own(const struct heap *heap, struct survival_begun *begun)
{
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		const struct pm_tally *tally = &heap->slot->tally[c];
		for (unsigned bucket = 0; bucket < PM_AGE_COUNT; bucket++)
			begun->of[c][clock_generation_at(bucket)] += pm_tally_freed(tally, bucket);
		begun->of[c][0] -= tally_allocations(tally);
	}
}

/* The thread that forked is the only one that can have done anything, unless it has no heap. */
static void undo_since_fork(const struct heap *heap, struct survival_begun *begun)
{
	if (heap) {
		undo_own(heap, begun);
		return;
	}
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		if (heap->slot) /* else the fork met it in the making */
			undo_own(heap, begun);
}

static struct inheritance sum_up(const struct survival_begun *begun)
{
	struct inheritance sum = {0};
	for (unsigned g = 0; g < 3; g++) {
		for (unsigned c = 0; c < CLASS_COUNT; c++) {
			sum.blocks_of[g] += c == CLASS_LARGE_BYTES ? 0 : begun->of[c][g];
			sum.bytes_of[g] += begun->of[c][g] * life_unit(c);
		}
		sum.blocks += sum.blocks_of[g];
		sum.bytes += sum.bytes_of[g];
	}
	return sum;
}

/* --- a place in the segment ------------------------------------------------------------------------ */

static uint32_t claim_area(void)
{
	uint32_t chunk = segment_claim_spare(life.spare, LIFE_SPARES);
	return chunk ? chunk : segment_claim_any();
}

/*
 * A child whose pid is 1 begins a namespace of its own: there and below, pids mean something else than to
 * those who would look whether it still lives.
 */
static bool is_foreign(uint32_t pid, const struct pm_process *old)
{
	return old->foreign & PM_FOREIGN_PIDS || (pid == 1 && old->pid != 1);
}

/* Whose area this process comes from: if it is another's by now, or its own, the first one of all stands for it. */
static uint32_t find_parent(uint32_t chunk, uint32_t parent_pid)
{
	bool is_there = life.leader != chunk && (!parent_pid || life.process->pid == parent_pid);
	return is_there ? life.leader : segment.header->leader;
}

static void fill_record(struct pm_process *process, const struct inheritance *inherited,
			uint32_t parent, uint32_t parent_pid)
{
	struct pm_process *old = &((struct pm_slot *)segment_chunk(parent))->process;
	process->ppid = parent_pid ? parent_pid : old->pid;
	process->uid = old->uid;
	process->parent = parent;
	process->foreign = segment.pid ? 0 : PM_FOREIGN_PIDS;
	process->began_ns = threads_clock_ns();
	process->notes |= old->notes &
			  (UINT64_C(1) << PM_NOTE_NEXT | UINT64_C(1) << PM_NOTE_NO_BIRTHS);
	if (!life.can_wipe)
		process->notes |= UINT64_C(1) << PM_NOTE_NO_WIPE;
	process->inherited_blocks = inherited->blocks;
	process->inherited_bytes = inherited->bytes;
	for (unsigned g = 0; g < 3; g++) {
		process->inherited_in[g].blocks = inherited->blocks_of[g];
		process->inherited_in[g].bytes = inherited->bytes_of[g];
	}
	process->epoch = process->inherited_epoch = clock_now.epoch;
	publish_clock(process);
	__atomic_add_fetch(&old->children, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&process->state, PM_STATE_RUNNING, __ATOMIC_RELEASE);
}

/*
 * Heaps of threads that did not survive the fork stay as they are, perhaps in the middle of something:
 * owned by nobody that could be found dead, they are never adopted and only receive remote frees.
 */
static void leave_others_alone(const struct heap *mine)
{
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		heap->clock_seen = 0;
		heap->allocs_seen = 0;
		heap->live_seen = 0;
		heap->live_held = 0;
		heap->interval_seen = 0;
		heap->interval_length = 0;
		if (heap != mine) {
			heap->tid = 0;
			heap->is_of_parent = true;
		}
	}
}

static void settle(struct heap *heap, const struct inheritance *inherited, uint32_t tid)
{
	uint32_t parent_pid = segment.pid, pid = wiped.pid ? wiped.pid : tid;
	struct pm_process *old = life.process ? life.process : &no_process;
	segment.pid = is_foreign(pid, old) ? 0 : pid;
	life.descent++;
	uint32_t chunk = life.recording ? claim_area() : 0;
	if (!chunk) {
		if (life.recording)
			__atomic_add_fetch(&old->children_unseen, 1, __ATOMIC_RELAXED);
		life.recording = false;
		life.process = &no_process;
		life.leader = 0;
		return;
	}
	struct pm_slot *slot = segment_chunk(chunk);
	slot->chunk.process = chunk;
	slot->use = PM_SLOT_THREAD;
	slot->process.pid = pid;
	fill_record(&slot->process, inherited, find_parent(chunk, parent_pid), parent_pid);
	life.process = &slot->process;
	life.leader = chunk;
	for (unsigned i = 0; i < LIFE_SPARES; i++)
		life.spare[i] = 0;
	if (heap)
		threads_settle(heap, tid);
}

/* What the parent has published does not stand in the child's area; and a pass of ageing.c may have stopped midway. */
static void renew_arenas(void)
{
	for (uint32_t i = 0; i < region.arenas; i++) {
		arena_at(i)->published = false;
		arena_at(i)->ageing = true;
	}
}

/* Deltas of ticks count from here on; the clock goes on from the parent's. */
static void restart_sums(struct heap *heap, const struct inheritance *inherited)
{
	life.interval_bytes = 0;
	life.allocations = 0;
	life.inherited_bytes = (int64_t)inherited->bytes;
	life.live_bytes = life.inherited_bytes;
	if (heap) {
		const struct pm_tally *large = heap_counted(heap,
							    &heap->slot->tally[CLASS_LARGE_BYTES]);
		life.live_bytes += (int64_t)(tally_allocations(large) - tally_frees(large));
	}
}

/* No two threads have their own words on the same pages: that would be stacks below the least size. */
static uint32_t this_thread(void)
{
	return (uint32_t)((uintptr_t)&heap_thread / MEMORY_PAGE) | 1;
}

/*
 * The first thread that comes here settles the process; others wait for it.  Not itself: a signal handler that
 * calls exit() in the middle leaves the process without a record.
 */
void fork_check(struct heap *heap)
{
	uint32_t settler = 0, self = this_thread();
	if (__atomic_load_n(&wiped.alive, __ATOMIC_ACQUIRE) || !life.started)
		return;
	if (!__atomic_compare_exchange_n(&wiped.settling, &settler, self, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED)) {
		for (unsigned turn = 0;
		     settler != self && !__atomic_load_n(&wiped.alive, __ATOMIC_ACQUIRE); turn++)
			memory_pause(&wiped.alive, 0, turn);
		return;
	}
	static struct survival_begun begun; /* not on the host's stack */
	uint32_t tid = threads_id_after_fork(heap);
	__builtin_memset(&begun, 0, sizeof begun);
	clock_resume();
	if (host_next) {
		next_begin(&begun);
	} else {
		arena_each_pool(add_pool, &begun);
		undo_since_fork(heap, &begun);
	}
	if (life.froze)
		frozen_count(&begun.frozen);
	if (!host_next) /* there recorded blocks count by their class, whatever their stamps */
		sites_correct(&begun);
	struct inheritance inherited = sum_up(&begun);
	leave_others_alone(heap);
	threads_forget_others();
	renew_arenas();
	settle(heap, &inherited, tid);
	restart_sums(heap, &inherited);
	peak_begin();
	survival_begin(&begun);
	program_begin();
	sites_begin();
	timeline_begin();
	control_begin();
	trace_begin();
	__atomic_store_n(&wiped.alive, 1, __ATOMIC_RELEASE);
}
