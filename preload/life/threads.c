/* SPDX-License-Identifier: MIT */
/*
 * threads.c: which heap and which slot a thread has.
 *
 * A thread gets a heap at its first allocation and gives it back in a destructor of thread-specific data,
 * the last round of them, so that destructors of others still find it.  After that, and in signal
 * handlers inside the allocator, requests are served without a heap and counted on the shared slot.
 */
#define _GNU_SOURCE
#include "heap/region.h"
#include "life/life.h"
#include "sys/memory.h"

#include <limits.h>
#include <pthread.h>
#include <time.h>

/* Before the constructor there is one thread, and its TLS may be zeroed again. */
static pthread_key_t end_of_thread;
static bool have_key;

enum { LOOK_AT_FIRST = 32 };

/* heap_thread.own of a thread that gets no heap just now, or whose heap is given back. */
#define WITHOUT_HEAP ((struct heap *)1)

/* Calls outside any heap: privately until the next tick, in the segment once there are threads. */
static bool private_used;              /* there may be some in `wiped.shared` */
static struct pm_slot *segment_shared; /* atomic */

uint64_t threads_clock_ns(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t host_milliseconds(void)
{
	return threads_clock_ns() / 1000000;
}

/* libc writes the caller's id into a mutex that it locks: no system call. */
uint32_t threads_id(void)
{
	pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
	pthread_mutex_lock(&mutex);
	uint32_t tid = (uint32_t)mutex.__data.__owner;
	pthread_mutex_unlock(&mutex);
	return tid;
}

/*
 * After a clone() behind libc's back, libc still holds the id that the calling thread had in its parent.
 * Only then is the kernel asked.
 */
uint32_t threads_id_after_fork(struct heap *heap)
{
	uint32_t *known = heap ? &heap->libc_tid : &life.libc_id, scratch = 0;
	uint32_t tid = threads_id();
	if (tid == *known || tid == life.libc_id)
		return memory_thread_id(&scratch);
	life.libc_id = *known = tid;
	return tid;
}

static struct class_set shared_classes; /* of pools, of which anything was counted outside any heap; atomic */

static void note_shared(size_t slot_offset)
{
	size_t at = slot_offset - offsetof(struct pm_slot, tally);
	unsigned size_class = (unsigned)(at / sizeof(struct pm_tally));
	if (size_class < CLASS_POOLED && !class_is_in(&shared_classes, size_class))
		__atomic_fetch_or(&shared_classes.bits[size_class / 64],
				  UINT64_C(1) << size_class % 64, __ATOMIC_RELEASE);
}

/* `private_used` after the count: who clears it then finds the count, or leaves both to the next. */
void host_add_shared(size_t slot_offset, uint64_t amount)
{
	struct pm_slot *slot = __atomic_load_n(&segment_shared, __ATOMIC_ACQUIRE);
	bool shared = slot && wiped.alive;
	note_shared(slot_offset);
	char *word = (char *)(shared ? slot : &wiped.shared) + slot_offset;
	__atomic_add_fetch((uint64_t *)word, amount, __ATOMIC_RELAXED);
	if (!shared)
		__atomic_store_n(&private_used, true, __ATOMIC_RELEASE);
}

static void drain_word(uint64_t *from, uint64_t *to)
{
	if (__atomic_load_n(from, __ATOMIC_RELAXED))
		tally_add(to, __atomic_exchange_n(from, 0, __ATOMIC_RELAXED));
}

void threads_drain_private(struct heap *heap)
{
	if (!__atomic_load_n(&private_used, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&private_used, false, __ATOMIC_ACQUIRE))
		return;
	struct pm_slot *to = heap_counted(heap, heap->slot);
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		struct pm_tally *from = &wiped.shared.tally[c], *tally = &to->tally[c];
		drain_word((uint64_t *)&from->limit[0], (uint64_t *)&tally->limit[tally->left & 1]);
		for (unsigned age = 0; age < PM_AGE_COUNT; age++)
			if (__atomic_load_n(&from->freed[age], __ATOMIC_RELAXED))
				tally_add_frees(tally, age,
						__atomic_exchange_n(&from->freed[age], 0,
								    __ATOMIC_RELAXED));
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++)
		drain_word(&wiped.shared.counter[i], &to->counter[i]);
}

/* --- slots --------------------------------------------------------------------------------------- */

/* to: NULL: nowhere. */
static void move_counts(struct pm_slot *from, struct pm_slot *to)
{
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		struct pm_tally *tally = &from->tally[c];
		if (!tally->left && !tally->limit[0] && !tally->limit[1] && !tally_frees(tally))
			continue;
		if (to)
			tally_copy(&to->tally[c], tally);
		*tally = (struct pm_tally){0};
	}
	for (unsigned i = 0; i < PM_COUNTER_COUNT; i++) {
		if (to)
			to->counter[i] = from->counter[i];
		if (from->counter[i])
			from->counter[i] = 0;
	}
}

/* In a forked child, whose parent had no place in the segment for this heap either. */
static void forget_parent(struct heap *heap)
{
	if (!heap->is_of_parent)
		return;
	move_counts(heap->slot, NULL);
	heap->is_of_parent = false;
}

/* The chunk is new, so its counts are zero. */
void threads_attach(struct heap *heap, uint32_t chunk)
{
	struct pm_slot *slot = segment_chunk(chunk);
	slot->use = PM_SLOT_THREAD;
	/* Else nothing was allocated yet, and no page of the private slot is touched. */
	if (region.arenas || host_next)
		move_counts(heap->slot, slot);
	heap_twin(heap)->displacement = (char *)slot - (char *)heap->slot;
}

static uint32_t new_slot(enum pm_slot_use use)
{
	struct pm_process *process = life_process();
	uint32_t sequence = __atomic_add_fetch(&process->more_slots, 1, __ATOMIC_RELAXED);
	uint32_t number = segment_add(life.leader, sequence, sizeof(struct pm_slot));
	if (!number)
		return 0;
	((struct pm_slot *)segment_chunk(number))->use = use;
	segment_commit(number, PM_CHUNK_SLOT);
	return number;
}

/* There are threads now, and so threads past their end. */
static void ensure_shared_slot(void)
{
	static uint32_t owner; /* atomic: descent of the process that has one, and one more */
	uint32_t old = __atomic_load_n(&owner, __ATOMIC_RELAXED);
	if (!life.recording || old == life.descent + 1 ||
	    !__atomic_compare_exchange_n(&owner, &old, life.descent + 1, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	uint32_t number = new_slot(PM_SLOT_SHARED);
	if (number)
		__atomic_store_n(&segment_shared, segment_chunk(number), __ATOMIC_RELEASE);
}

/* A child that was settled by a thread without a heap has its leader's slot to give. */
static bool take_leader_slot(void)
{
	struct pm_slot *slot = segment_chunk(life.leader);
	uint32_t nobody = 0;
	return slot && !slot->holders &&
	       __atomic_compare_exchange_n(&slot->held, &nobody, 1, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static void ensure_slot(struct heap *heap)
{
	if (!life.recording || heap_twin(heap)->displacement)
		return;
	uint32_t chunk = take_leader_slot() ? life.leader : new_slot(PM_SLOT_THREAD);
	if (chunk)
		threads_attach(heap, chunk);
	else
		__atomic_add_fetch(&life_process()->slots_unseen, 1, __ATOMIC_RELAXED);
}

static void note_holder(struct heap *heap, uint32_t tid)
{
	struct pm_slot *slot = heap_counted(heap, heap->slot);
	slot->tid = tid;
	__atomic_store_n(&heap->tid, tid, __ATOMIC_RELEASE);
	slot->began_ns = threads_clock_ns();
	slot->ended_ns = 0;
	slot->holders++;
	slot->held = 1;
}

void threads_settle(struct heap *heap, uint32_t tid)
{
	ensure_slot(heap);
	note_holder(heap, tid);
}

void threads_rejoin(struct heap *heap)
{
	if (life.recording && !heap_twin(heap)->displacement && !segment.full)
		threads_settle(heap, threads_id());
}

/* --- beginning and end of a thread ----------------------------------------------------------------- */

void threads_first_heap(void)
{
	if (life.main_heap)
		return;
	region_init();
	fork_init();
	life.main_heap = heap_make();
}

/* Before the constructor: the one thread's heap, found again if its TLS was zeroed. */
static struct heap *early_heap(void)
{
	threads_first_heap();
	heap_thread.own = life.main_heap;
	heap_leave(life.main_heap);
	return life.main_heap;
}

/*
 * The thread that owned it and is gone, or 0.  It may have abandoned the heap after all and another have
 * adopted it meanwhile: then the id stands there no longer.
 */
static uint32_t orphan_of(const struct heap *heap)
{
	uint32_t tid = __atomic_load_n(&heap->tid, __ATOMIC_ACQUIRE), scratch = 0;
	return heap->state == HEAP_OWNED && tid && !memory_thread_exists(&scratch, tid) ? tid : 0;
}

static uint32_t look_at = LOOK_AT_FIRST; /* heaps; atomic; UINT32_MAX while somebody looks */

/*
 * Threads that first allocated or freed in a round of destructors never gave their heap back.  They are
 * looked for when every heap has an owner and there are twice as many as had a living one the last time.
 */
static void reap_orphans(void)
{
	uint32_t at = __atomic_load_n(&look_at, __ATOMIC_RELAXED), alive = 0;
	struct heap *heap;
	if (!heap_by_index(at - 1) ||
	    !__atomic_compare_exchange_n(&look_at, &at, UINT32_MAX, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	for (uint32_t i = 0; (heap = heap_by_index(i)); i++) {
		uint32_t tid = orphan_of(heap);
		if (!tid || !__atomic_compare_exchange_n(&heap->tid, &tid, 0, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			alive++;
			continue;
		}
		heap_offer(heap);
	}
	__atomic_store_n(&look_at, alive * 2 < LOOK_AT_FIRST ? LOOK_AT_FIRST : alive * 2,
			 __ATOMIC_RELAXED);
}

static struct heap *adopt_or_make(void)
{
	struct heap *heap = heap_adopt();
	if (heap)
		return heap;
	reap_orphans();
	heap = heap_adopt();
	return heap ? heap : heap_make();
}

static struct heap *begin_thread(void)
{
	struct heap *own = __atomic_exchange_n(&heap_thread.own, WITHOUT_HEAP, __ATOMIC_RELAXED);
	if (own) { /* a signal handler was faster */
		heap_thread.own = own;
		return heap_mine();
	}
	fork_check(NULL);
	struct heap *heap = adopt_or_make();
	if (!heap) {
		heap_thread.own = NULL; /* there may be memory for one later */
		return NULL;
	}
	forget_parent(heap);
	ensure_slot(heap);
	ensure_shared_slot();
	heap->libc_tid = threads_id();
	note_holder(heap, heap->libc_tid);
	control_look(heap);
	heap_thread.own = heap;
	heap_leave(heap);
	if (have_key)
		pthread_setspecific(end_of_thread, (void *)PTHREAD_DESTRUCTOR_ITERATIONS);
	return heap;
}

bool host_relocated(void)
{
	static void *volatile itself = (void *)&itself;
	return itself == (void *)&itself;
}

struct heap *host_heap(void)
{
	if (!host_relocated()) {
		threads_first_heap();
		return NULL;
	}
	if (heap_thread.own || life_is_aside())
		return NULL;
	return life.started ? begin_thread() : early_heap();
}

/* Called in each round of destructors; the value counts the rounds left. */
static void thread_ends(void *rounds_left)
{
	uintptr_t left = (uintptr_t)rounds_left - 1;
	if (left > 0) {
		pthread_setspecific(end_of_thread, (void *)left);
		return;
	}
	struct heap *heap = heap_open_mine();
	heap_enter();
	heap_thread.own = WITHOUT_HEAP;
	if (!heap)
		return;
	fork_check(heap);
	tick_flush(heap);
	trace_thread_ends(heap);
	struct pm_slot *slot = heap_counted(heap, heap->slot);
	if (slot->tid == life_process()->pid)
		__atomic_or_fetch(&life_process()->foreign, PM_FOREIGN_LEADER, __ATOMIC_RELEASE);
	slot->ended_ns = threads_clock_ns();
	slot->held = 0;
	heap_abandon(heap);
}

void threads_init(void)
{
	have_key = pthread_key_create(&end_of_thread, thread_ends) == 0;
	if (!life.main_heap || life_is_aside())
		return;
	heap_thread.own = life.main_heap;
	heap_leave(life.main_heap);
	if (have_key)
		pthread_setspecific(end_of_thread, (void *)PTHREAD_DESTRUCTOR_ITERATIONS);
	if (life.recording)
		threads_attach(life.main_heap, life.leader);
	life.libc_id = life.main_heap->libc_tid = threads_id();
	note_holder(life.main_heap, life.libc_id);
}

struct pm_slot *threads_shared_slot(void)
{
	return __atomic_load_n(&segment_shared, __ATOMIC_ACQUIRE);
}

const struct class_set *threads_shared_classes(void)
{
	return &shared_classes;
}

void threads_forget_others(void)
{
	segment_shared = NULL;
	look_at = LOOK_AT_FIRST; /* who looked is not here */
}
