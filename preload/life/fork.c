/* SPDX-License-Identifier: MIT */
/*
 * fork.c: a forked child becomes a process of its own.
 *
 * No handler runs at fork.  In the child the wiped page reads as zero, and so do the displacements: from
 * its first instruction the child counts in its private slots.  At its first slow path it comes here,
 * claims a slot that lies ready in the segment, and carries over what it counted.  What it found live is
 * the sum over the pool descriptors, which the fork froze by copy-on-write.
 */
#include "life/life.h"
#include "sys/memory.h"
#include "tally/clock.h"

#include <pthread.h>

static struct pm_process no_process; /* of a child that found no area */

struct pm_process *life_process(void)
{
	return wiped.alive && life.process ? life.process : &no_process;
}

/* Without MADV_WIPEONFORK only children of fork() are told apart. */
static void wipe_by_hand(void)
{
	struct heap *heap;
	__builtin_memset(&wiped, 0, sizeof wiped);
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		heap_twin(heap)->displacement = 0;
}

void fork_init(void)
{
	life.can_wipe = wiped_init();
	wiped.alive = 1;
}

void fork_watch(void)
{
	if (!life.can_wipe)
		pthread_atfork(NULL, NULL, wipe_by_hand);
}

/* --- what the child found live --------------------------------------------------------------------- */

struct inheritance {
	uint64_t blocks, bytes;
};

static void add_pool(struct pool *pool, void *context)
{
	struct inheritance *sum = context;
	uint64_t live = pool->state == POOL_LARGE ? 1 : pool_live(pool);
	sum->blocks += live;
	sum->bytes += live * pool->block_bytes;
}

/* Takes back what the child itself has done since the fork. */
static void undo_own(const struct heap *heap, struct inheritance *sum)
{
	for (unsigned c = 0; c < CLASS_POOLED; c++) {
		const struct pm_tally *tally = &heap->slot->tally[c];
		uint64_t gone = tally_frees(tally) - tally_allocations(tally);
		sum->blocks += gone;
		sum->bytes += gone * class_bytes(c);
	}
	const struct pm_tally *large = &heap->slot->tally[CLASS_LARGE];
	const struct pm_tally *bytes = &heap->slot->tally[CLASS_LARGE_BYTES];
	sum->blocks += tally_frees(large) - tally_allocations(large);
	sum->bytes += tally_frees(bytes) - tally_allocations(bytes);
}

/* --- a place in the segment ------------------------------------------------------------------------ */

static uint32_t claim_area(void)
{
	uint32_t chunk = segment_claim_spare();
	return chunk ? chunk : segment_claim_any();
}

static void fill_record(struct pm_process *process, uint32_t parent, const struct pm_process *old,
			const struct inheritance *inherited)
{
	process->pid = memory_thread_id(&wiped.scratch);
	process->ppid = old->pid;
	process->uid = old->uid;
	process->parent = parent;
	process->began_ns = threads_clock_ns();
	process->inherited_blocks = inherited->blocks;
	process->inherited_bytes = inherited->bytes;
	for (unsigned g = 0; g < 3; g++)
		process->threshold[g] = clock_now.threshold[g];
	__atomic_store_n(&process->state, PM_STATE_RUNNING, __ATOMIC_RELEASE);
}

static void leave_others_alone(const struct heap *mine)
{
	struct heap *heap;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++)
		if (heap != mine && heap->state != HEAP_ABANDONED)
			heap->state = HEAP_GHOST;
}

/* The thread that forked goes on under another id. */
static void renew_tid(struct heap *heap)
{
	if (heap)
		heap->tid = memory_thread_id(&wiped.scratch);
}

static void settle(struct heap *heap, const struct inheritance *inherited)
{
	uint32_t parent = life.leader;
	struct pm_process *old = life.process;
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
	fill_record(&slot->process, parent, old, inherited);
	if (heap)
		threads_attach(heap, chunk);
	slot->tid = slot->process.pid;
	slot->holders = slot->held = 1;
	slot->began_ns = slot->process.began_ns;
	life.process = &slot->process;
	life.leader = chunk;
}

/* Deltas of ticks count from here on; the clock goes on from the parent's. */
static void restart_sums(struct heap *heap, const struct inheritance *inherited)
{
	life.live_bytes = (int64_t)inherited->bytes;
	if (heap) {
		const struct pm_tally *large = heap_counted(heap,
							    &heap->slot->tally[CLASS_LARGE_BYTES]);
		life.live_bytes += (int64_t)(tally_allocations(large) - tally_frees(large));
		heap->clock_seen = 0;
		heap->live_seen = 0;
	}
}

void fork_check(struct heap *heap)
{
	if (wiped.alive || !life.started)
		return;
	struct inheritance inherited = {0};
	arena_each_pool(add_pool, &inherited);
	if (heap)
		undo_own(heap, &inherited);
	leave_others_alone(heap);
	threads_forget_shared();
	renew_tid(heap);
	settle(heap, &inherited);
	restart_sums(heap, &inherited);
	wiped.alive = 1;
}
