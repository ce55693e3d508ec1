/* SPDX-License-Identifier: MIT */
/*
 * heap.h: a thread's heap and the fast paths of malloc and free.
 *
 *   group of 8, or more so that twins fill pages of the kernel:
 *                | heap 0 | heap 1 | ... | twin 0 | twin 1 | ... | slot 0 | slot 1 | ...
 *                  2 KiB each              wiped on fork            private counters
 *
 * Counting goes to  private counter + twin->displacement.  The displacement leads to the heap's slot in
 * the segment; in a forked child the twin's page reads as zero, so that the child counts in its own
 * private copy until its first slow path, without a branch and whatever call forked it.
 */
#ifndef HEAP_HEAP_H
#define HEAP_HEAP_H

#include "heap/arena.h"
#include "heap/host.h"
#include "sys/memory.h"

#pragma GCC visibility push(hidden)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum {
	HEAP_STRIDE = CLASS_POOLED > 128 ||
				      PM_UNIT_BYTES<65536 ? 4096 : 2048, HEAP_GROUP = 8 * HEAP_STRIDE>
					      MEMORY_PAGE_MAX
			      ? 8
			      : MEMORY_PAGE_MAX / HEAP_STRIDE,
	HEAP_CACHED_UNITS = (512 << 10) /
			    PM_UNIT_BYTES, /* longest run that a heap keeps; of shorter ones as many as are that long together */
	HEAP_GROUPS = 65536 / HEAP_GROUP, /* so at most so many threads with a heap at a time */
	HEAP_LIVE_HELD = 65536,           /* bytes */
	HEAP_BATCHES = 16,
	HEAP_BATCH_BYTES = 2048,
};

/* Blocks of one pool that the thread freed and has not handed to the pool's owner yet: see remote.c. */
struct batch {
	struct pool *pool; /* NULL: none wait */
	void *first, *last;
	uint32_t room, left;     /* for blocks */
	const struct pool *seen; /* of the last free that came here; only compared */
};

enum heap_state {
	HEAP_OWNED = 1, /* by a running thread */
	HEAP_ABANDONED, /* its thread ended; the next one takes it over, pools and slot */
	HEAP_TENDED,    /* abandoned, and another thread empties it just now */
};

/*
 * What the fast paths read lies off the beginning of its page: see record.c.
 */
struct heap {
	struct pm_slot *slot;  /* private one; add the displacement */
	struct pool *notified; /* atomic: full pools that got a remote free */
	uint32_t state;        /* atomic, enum heap_state */
	uint32_t index;
	uint32_t tid;      /* atomic: of the thread that owns it; 0 while that is not settled */
	uint32_t libc_tid; /* of life/: the same as libc has it, stale after a raw clone() */
	struct class_set ticking; /* classes that it counts in; heap_set_ticking() */
	int64_t left_until_tick;  /* of life/: with heap=next, bytes of calls without a countdown */
	uint64_t clock_seen;      /* of life/: what it has handed to the clock so far */
	uint64_t allocs_seen;     /* of life/: likewise, to the sum of the process */
	int64_t live_seen;   /* live bytes of pools handed on so far; atomic: others hand on, too */
	int64_t live_summed; /* of life/peak.c: the same as somebody sums it up just now */
	bool is_summed;      /* of life/peak.c: by who sums up just now */
	bool is_of_parent; /* of life/: of no thread since the fork; what its private slot has counted is the parent's */
	int64_t live_held;      /* of large blocks, not handed on yet: HEAP_LIVE_HELD at most */
	uint64_t interval_seen; /* of life/: bytes that can come and go between two ticks */
	uint64_t interval_length; /* of life/: the epoch's, for which that was worked out; 0: do it again */
	uint64_t sparse_due_ms; /* of life/: when pools are looked at for pages to give back */
	uint64_t sparse_class;  /* of sparse.c: where a pass goes on */
	struct pool *sparse_at; /* the pool of that class; NULL: its first */
	uint64_t halved; /* pools that lost half of what they held; since the last tick for that */
	uint64_t remote_frees;     /* by this thread: a thread that only frees must tick too */
	struct host_events events; /* of life/ */
	struct pool *cached[HEAP_CACHED_UNITS]; /* atomic: freed large blocks by their units less one */
	bool cache_served;                      /* since the last purge; others look, too */
	uint32_t large_changes;                 /* large blocks come and gone since the last tick */
	size_t large_bytes;                     /* their bytes */
	uint64_t off_the_page[4];
	struct pool *bin[CLASS_POOLED]; /* per class: list of pools with free or untouched blocks */
	struct batch batch[HEAP_BATCHES];
};

/* On memory that is wiped in a forked child. */
struct heap_twin {
	char off_the_page[256];
	ptrdiff_t displacement;
};

_Static_assert(sizeof(struct heap) <= HEAP_STRIDE, "heaps of a group");
_Static_assert(CLASS_PAGE % HEAP_STRIDE == 0, "each lies on one page");
_Static_assert(offsetof(struct heap, bin) >= 192, "off the page");

/*
 * What a thread knows of itself; zero before its life.
 *
 * A resolver of an ifunc may call malloc before ld.so has relocated this library.  The distance of this
 * struct from the thread pointer reads as 0 then, and the struct lies over the thread control block of libc:
 * `classes` on a word there that is always zero, so that the fast paths know nothing of it.
 */
#if defined(__x86_64__)
enum { HEAP_OVER_CONTROL_BLOCK = 32 }; /* tcbhead_t.sysinfo, used on i386 only */
#else
enum { HEAP_OVER_CONTROL_BLOCK = 8 }; /* tcbhead_t.private */
#endif

struct heap_thread {
	union {
		char over_control_block[HEAP_OVER_CONTROL_BLOCK];
		struct heap *gated; /* of a thread whose calls are traced: see traced.c; only while host_tracing says so */
	};
	size_t classes;    /* HEAP_CLASSES; 0: every malloc takes the slow path */
	struct heap *heap; /* NULL: so does every free */
	struct heap *own; /* the same, also while the thread is inside a slow path and `heap` is NULL */
};

extern __thread struct heap_thread heap_thread __attribute__((tls_model("initial-exec")));

enum {
	HEAP_CLASSES = CLASS_FINE_MAX / CLASS_GRAIN, /* that malloc finds without a computation */
	HEAP_CLEAR_MAX = 256, /* what calloc clears itself; for more, memset knows better */
};

/* The thread's heap, unless it is inside a slow path or has none.  One that only counts serves no class. */
static inline struct heap *heap_mine(void)
{
	return likely(heap_thread.classes) || host_next ? heap_thread.heap : NULL;
}

/* The same, made when there is none yet; NULL when it is inside a slow path already or cannot have one. */
static inline struct heap *heap_here(void)
{
	struct heap *heap = heap_mine();
	return heap ? heap : host_heap();
}

/*
 * Around what a slow path changes.  `classes` decides, so that a signal handler finds the thread either
 * outside or inside, and is then served without a heap.
 */
static inline void heap_enter(void)
{
	heap_thread.classes = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	heap_thread.heap = NULL;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void heap_leave_to(struct heap *heap, size_t classes)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	heap_thread.heap = heap;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	heap_thread.classes = classes;
}

static inline void heap_leave(struct heap *heap)
{
	heap_leave_to(heap, heap && !host_next ? HEAP_CLASSES : 0);
}

static inline struct heap_twin *heap_twin(const struct heap *heap)
{
	return (struct heap_twin *)((char *)heap + (size_t)HEAP_GROUP * HEAP_STRIDE);
}

/* Where a word of the heap's private slot is counted now. */
static inline void *heap_counted(const struct heap *heap, const void *private_word)
{
	return (char *)private_word + heap_twin(heap)->displacement;
}

/* From now on ticks look at what the heap counts in this class. */
static inline void heap_set_ticking(struct heap *heap, unsigned size_class)
{
	if (class_is_in(&heap->ticking, size_class))
		return;
	class_put(&heap->ticking, size_class, true);
	heap->interval_length = 0;
}

static inline bool heap_is_ticking(const struct heap *heap, unsigned size_class)
{
	return class_is_in(&heap->ticking, size_class);
}

/* Adds to a word of the heap's slot, given by its offset there; heap NULL: of the shared slot. */
static inline void heap_add(struct heap *heap, size_t slot_offset, uint64_t amount)
{
	if (heap)
		tally_add((uint64_t *)((char *)heap_counted(heap, heap->slot) + slot_offset),
			  amount);
	else
		host_add_shared(slot_offset, amount);
}

/* Counts a free of a pool's block by its stamp, in the heap's slot; heap NULL: in the shared one. */
void heap_count_free(struct heap *heap, unsigned size_class, uint8_t stamp);

static inline void heap_count(struct heap *heap, enum pm_counter counter)
{
	heap_add(heap, offsetof(struct pm_slot, counter[counter]), 1);
}

/*
 * For functions that the program calls: the thread's heap, begun when there is none yet, and whether or not its calls
 * are traced; to be closed.  NULL: as host_heap(), or inside another such call.
 */
struct heap *heap_open(void);
struct heap *heap_open_mine(void);  /* begins none */
void heap_close(struct heap *heap); /* from inside a slow path or outside */

/* Slow paths.  Those that find no memory count the failure and set errno. */
void *heap_alloc_slow(size_t size);
void *heap_take_slow(struct heap *heap, size_t class_before, size_t size);
void *heap_due(struct heap *heap, void *block, size_t size);
void heap_tick(struct heap *heap);
void heap_free_slow(void *block);
void heap_free_rare(void *block, struct pool *pool,
		    uint8_t *stamp); /* the heap's own, and its stamp has no weight */
void heap_free_move(void *block,
		    struct pool *pool); /* the same, counted, and its counts are to be moved */
void heap_free_outside(void *block);    /* not in the region */
void heap_free_remote(void *block, struct pool *pool); /* not of the heap's own, whatever it is */
void heap_pool_event(struct heap *heap, struct pool *pool);

/*
 * Takes a block from the heap's first pool of a class, given as the class before it: that is what malloc has at hand,
 * for a request of `size` bytes.
 * That there is none, and that the list was overwritten, is one question: NULL is no place in a pool either.
 */
static inline void *heap_take_after(struct heap *heap, size_t class_before, size_t size)
{
	struct pool *pool = heap->bin[class_before + 1];
	void *block = pool->free; /* read once: a signal handler may free in between */
	struct place place = pool_place(pool, block);
	if (unlikely(place.index >= pool->capacity))
		return heap_take_slow(heap, class_before, size);
	pool->free = *(void **)block;
	if (PM_COUNT)
		pool->stamps[place.index] = stamps.now;
	if (unlikely(tally_allocated(heap_counted(heap, pool->tally))))
		return heap_due(heap, block, size);
	return block;
}

/* `size`: what the program asked for. */
static inline void *heap_take(struct heap *heap, unsigned size_class, size_t size)
{
	return heap_take_after(heap, (size_t)size_class - 1, size);
}

/* A block of at least `size` bytes, 16-byte aligned.  NULL: no memory, errno says so.  Counted. */
static inline void *heap_alloc(size_t size)
{
	size_t class_before = (size - 1) / CLASS_GRAIN; /* of size 0: huge */
	if (unlikely(class_before >= heap_thread.classes))
		return heap_alloc_slow(size);
	return heap_take_after(heap_thread.heap, class_before, size);
}

/* On the list of its pool, which is the heap's own. */
static inline void heap_put_back(struct heap *heap, struct pool *pool, void *block)
{
	*(void **)block = pool->free;
	pool->free = block;
	if (unlikely(--pool->until == 0))
		heap_pool_event(heap, pool);
}

/*
 * Gives a block back.  Any pointer: what is not a live block of ours takes the slow path.  Counted.
 *
 * The stamp decides what is counted, and not where: an address that hangs on it is known late, and the processor holds
 * back the loads behind it (a seventh of the time of a pair); a branch on it is often taken for the other one where blocks die
 * in any order (half of the time there).
 */
static inline void heap_free(void *block)
{
	uintptr_t unit = region_unit_of(block);
	if (unlikely(unit >= region_units())) {
		heap_free_outside(block);
		return;
	}
	struct pool *pool = region.pool_at[unit];
	struct heap *heap = heap_thread.heap;
	if (unlikely(pool->owner != heap)) {
		heap_free_remote(block, pool);
		return;
	}
	struct place place = pool_place(pool, block);
	if (unlikely(!place.exact)) {
		heap_free_slow(block);
		return;
	}
	if (PM_COUNT) {
		uint8_t *stamp = &pool->stamps[place.index];
		int64_t weight = stamps.weight[*stamp];
		if (unlikely(!weight)) {
			heap_free_rare(block, pool, stamp);
			return;
		}
		*stamp = STAMP_FREE;
		if (unlikely(tally_freed(heap_counted(heap, pool->tally), weight))) {
			heap_free_move(block, pool);
			return;
		}
	}
	heap_put_back(heap, pool, block);
}

/* In our address range, whatever it is. */
bool heap_is_ours(const void *block);

/* What valloc() aligns to. */
static inline size_t heap_page(void)
{
	return memory_page();
}

/* As heap_alloc(), aligned to a power of two. */
void *heap_alloc_aligned(size_t alignment, size_t size);

/* As heap_alloc(), zeroed. */
void *heap_alloc_zeroed_slow(size_t size);

/* Whole grains, which a block has, without a call. */
static inline void heap_clear_grains(void *block, size_t size)
{
	typedef uint64_t grain __attribute__((vector_size(CLASS_GRAIN), may_alias));
	grain *at = block;
	for (size_t done = 0; done < size; done += CLASS_GRAIN) {
		*at++ = (grain){0};
		__asm__("" : "+r"(at)); /* gcc would make it a call of memset */
	}
}

static inline void *heap_alloc_zeroed(size_t size)
{
	if (size > HEAP_CLEAR_MAX || unlikely(host_unusual))
		return heap_alloc_zeroed_slow(size);
	void *block = heap_alloc(size);
	if (likely(block))
		heap_clear_grains(block, size);
	return block;
}

/* Usable bytes of a live block; of a foreign one, what its allocator says. */
size_t heap_usable(void *block);

/* realloc of a block that is not NULL to a size that is not 0.  NULL: no memory, the block stays. */
void *heap_resize(void *block, size_t size);

/* Counts a request that cannot be met and sets errno; returns NULL. */
void *heap_refuse(int error);

/* Counts for the thread's heap, or on the shared slot while it has none. */
void heap_count_here(enum pm_counter counter);

/* A pointer into a pool that is no live block: what the program did wrong with it. */
void heap_report_bad(const struct pool *pool, const void *block);

/* Gives back what the heap keeps of large blocks; any thread may ask.  large.c */
void large_flush(struct heap *heap);

/* The same for all heaps, or those whose large blocks did not serve since the last call. */
void large_flush_heaps(bool all);

/* Units for a pool or a block; before there are none, heaps give back what they keep.  false: no memory. */
bool large_take_units(unsigned count, struct run *ret_run);

/* Blocks without a heap: large ones, and any size when the thread has no heap.  large.c */
void *large_alloc(struct heap *heap, size_t alignment, size_t size, bool *ret_zeroed);
void large_free(struct heap *heap, struct pool *pool);
/* In place.  false: it must move. */
bool large_resize(struct heap *heap, struct pool *pool, size_t size);
/* With its pages, not copied.  NULL: not possible, nothing changed. */
struct pool *large_move(struct heap *heap, struct pool *pool, size_t size);

/* Counts such a block; one that goes at that age; and so many bytes more of one that stays.  heap NULL: there is none. */
void large_count_alloc(struct heap *heap, size_t bytes);
void large_count_free(struct heap *heap, size_t bytes, unsigned age);
void large_count_bytes(struct heap *heap, int64_t bytes);
void large_count_change(struct heap *heap, int64_t more, unsigned age); /* of a block */

/* Frees by others.  remote.c */
void remote_free(struct heap *heap, struct pool *pool, void *block);
void remote_flush(struct heap *heap); /* hands over what waits; inside a slow path */
void remote_drain(struct heap *heap); /* takes over what others freed where it asked for a notice */

/* Pools of a heap.  bin.c */
extern struct pool pool_empty;
void bin_activate(struct heap *heap, struct pool *pool);
void bin_release(struct heap *heap, struct pool *pool); /* if nothing in it is used */
void bin_release_if_empty(struct heap *heap,
			  struct pool *pool); /* the same, but keeps the first of its bin */
bool bin_fill(struct heap *heap, unsigned size_class);

/*
 * Gives back pages inside the heap's pools that hold no live block: of those at rest, or all of them.  Returns bytes.
 * sparse.c
 */
size_t sparse_purge(struct heap *heap, bool all);

/* A part of such a pass over those at rest, a few milliseconds long.  true: the pass is through. */
bool sparse_purge_part(struct heap *heap, size_t *ret_bytes);

static inline bool sparse_is_half_way(const struct heap *heap)
{
	return heap->sparse_class || heap->sparse_at;
}

/*
 * At each epoch: every CLOCK_AGEING_PERIOD it turns stamps so old that their age would become ambiguous into STAMP_OLD, in
 * all pools.  One caller at a time; a pass that a fork cut off in the child comes again.  ageing.c
 */
void ageing_pass_if_due(void);

/* New stamps may come to the pool; after its state tells that it is one. */
void ageing_due(struct pool *pool);

/* Whether all its stamps are STAMP_OLD, or free, until it serves again. */
static inline bool ageing_is_done(const struct pool *pool)
{
	return __atomic_load_n(&pool->ageing, __ATOMIC_RELAXED) == AGEING_DONE;
}

/* Set when the kernel would not wipe a group's twins on fork. */
extern bool heap_twins_unwiped;

/* Heaps as such.  threads come and go, heaps stay.  table.c */
struct heap *heap_adopt(void);          /* an abandoned one, or NULL */
struct heap *heap_make(void);           /* NULL: no memory, or too many */
void heap_empty_out(struct heap *heap); /* takes over what others freed, lets go of what is empty */
void heap_abandon(struct heap *heap);
void heap_offer(struct heap *heap); /* the same for one whose thread is gone and has left it as it was */
uint32_t heap_made(void);           /* heaps there are, by index */
struct heap *heap_by_index(uint32_t index); /* NULL beyond the last */
size_t heap_tend_abandoned(bool all); /* those with news, or all; returns bytes given back inside pools */

#pragma GCC visibility pop

#endif
