/* SPDX-License-Identifier: MIT */
/*
 * pool.h: a run of pages cut into blocks of one class, and its descriptor.
 *
 *   start                                     start + capacity * block_bytes
 *   | live | free | live | free | untouched ... |
 *
 *   used + blocks on `free` + blocks on purged pages == threaded <= capacity
 *
 * where `used` counts live blocks and those that other threads freed and the owner has not taken over yet: on
 * `remote`, or still in a batch of the thread that freed them, see remote.c.  The
 * pool that malloc takes from, the first of its bin, does not keep `used`; the others, which only lose blocks, do.
 * The descriptor lies away from the blocks, where an overflow does not reach it.  Only the owner touches
 * it, but for `remote`, `notify_next`, `batched` and the stamp bytes.
 */
#ifndef HEAP_POOL_H
#define HEAP_POOL_H

#include "heap/class.h"
#include "tally/counters.h"
#include "tally/stamps.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct heap;

enum pool_state {
	POOL_UNUSED, /* no blocks; its units belong to the arena */
	POOL_ACTIVE, /* in its heap's list of the class; malloc takes from the first */
	POOL_FULL,   /* in no list: every block is used; the next free brings it back */
	POOL_LARGE,  /* one block, owned by no heap */
	POOL_CACHED  /* was one, and is kept by a heap for its next: see large.c */
};

/*
 * pool.remote: list of blocks freed by others, this bit: tell the owner about the first one, and above the address,
 * which has 48 bits at most, how many there are.
 */
enum { POOL_NOTIFY = 1, POOL_REMOTE_SHIFT = 48 };

_Static_assert(PM_UNIT_BYTES / CLASS_GRAIN < 1 << (64 - POOL_REMOTE_SHIFT), "blocks of a pool");

/* pool.ageing */
enum {
	AGEING_DUE,     /* there are, or may be soon, stamps that are not STAMP_OLD yet */
	AGEING_LOOKING, /* a pass looks at it */
	AGEING_DONE     /* none, until it serves again */
};

/* pool.mark of the pool that serves malloc: its `until` means nothing. */
#define POOL_SERVES UINT32_MAX

struct pool {
	void *free;          /* LIFO list of free blocks */
	char *start;         /* first block */
	uint64_t reciprocal; /* ceil(2^64 / block_bytes): finds a block's index by one multiplication */
	uint64_t capacity;      /* blocks that fit */
	struct pm_tally *tally; /* the owner's private record of the class; see heap.h, displacement */
	struct heap *owner;
	uint32_t until;    /* used - mark: frees until the next event */
	uint32_t threaded; /* blocks ever put on the free list */
	size_t block_bytes;

	uintptr_t remote; /* atomic */
	struct pool *notify_next;
	struct pool *next, *prev; /* list of the class, when ACTIVE */
	uint64_t purged; /* a bit for each page that went back to the kernel: see sparse.c */
	uint32_t mark;   /* used count at which free takes the slow path, or POOL_SERVES */
	uint32_t arena;  /* index of the arena that describes it */
	uint16_t units;
	uint8_t first_unit; /* of the arena's */
	uint8_t size_class;
	uint8_t state;
	bool asked;         /* for a notice of the next remote free, and did not see it come yet */
	bool rested;        /* of sparse.c: a pass saw it since it last served */
	bool used_before;   /* its untouched part was another's, and is perhaps resident */
	uint16_t looked_at; /* of sparse.c: used count at its last look; 0: none yet */
	uint8_t ageing;     /* atomic, of ageing.c: whether its stamps need another look */
	uint8_t shape, place; /* of record.c */
	bool batched; /* atomic, sticky: blocks of it may wait in a batch, which only the stamps tell */
	uint16_t born; /* of bin.c, where old pools rest: the epoch when it was new, or as good as */
	uint8_t stamps[]; /* a byte per block */
};

_Static_assert(sizeof(struct pool) == 128, "two cache lines, the first for the fast paths");
_Static_assert(offsetof(struct pool, stamps) == 128, "behind them");

/* What a block address is to a pool. */
struct place {
	uint64_t index;
	bool exact; /* at the start of a block */
};

/* Exact for every address at or above start, and never inside for one below. */
static inline struct place pool_place(const struct pool *pool, const void *address)
{
	uint64_t offset = (uint64_t)((const char *)address - pool->start), low, high;
#if defined(__x86_64__) /* else gcc spends a register and a load on the factor */
	__asm__("mulq %[factor]"
		: "=a"(low), "=d"(high)
		: "0"(offset), [factor] "m"(pool->reciprocal)
		: "cc");
#else
	unsigned __int128 product = (unsigned __int128)offset * pool->reciprocal;
	low = (uint64_t)product;
	high = (uint64_t)(product >> 64);
#endif
	return (struct place){high, low < pool->reciprocal};
}

/* Whether a live block begins at this index. */
static inline bool pool_is_live(const struct pool *pool, uint64_t index)
{
	return !PM_COUNT || __atomic_load_n(&pool->stamps[index], __ATOMIC_RELAXED) != STAMP_FREE;
}

/* Owner only: of the pool that serves, the free list is counted. */
uint32_t pool_used(const struct pool *pool);

/* The free that brings `used` down to `mark` is an event; POOL_SERVES: none is, and malloc may take. */
void pool_set_mark(struct pool *pool, uint32_t mark);

/* Prepares the descriptor for blocks of `size_class` owned by `owner`; start, units and used_before are set. */
void pool_init(struct pool *pool, unsigned size_class, struct heap *owner, struct pm_tally *tally);

/* Whether the list goes on with `block`, a place in the pool.  A link that leads elsewhere is the program's fault. */
bool pool_links_to(const struct pool *pool, const void *block);

/* Puts the blocks of a purged page, or a page's worth of untouched ones, on the free list.  false: all are threaded. */
bool pool_extend(struct pool *pool);

/* The blocks of one purged page; false: there is none.  And how many there are on all.  sparse.c */
bool sparse_thread_page(struct pool *pool);
uint32_t sparse_blocks(const struct pool *pool);

/* Of a pool without used blocks that goes back as a whole.  sparse.c */
void sparse_forget(struct pool *pool);

/*
 * Takes the blocks that others freed onto the free list; returns how many.  Owner only.  Their links are looked at
 * where the end of the list must be found; else malloc does, block by block.  One that leaves the pool is fatal.
 */
uint32_t pool_collect(struct pool *pool);

/* Asks for a notice at the next remote free.  false: some came meanwhile, collect them. */
bool pool_ask_notice(struct pool *pool);

/* Takes the wish back.  false: the notice is on its way, and the pool must stay until it has come. */
bool pool_cancel_notice(struct pool *pool);

/* Another thread's frees, as a list of so many.  true: the caller must notify the owner. */
bool pool_push_remote(struct pool *pool, void *first, void *last, uint32_t blocks);

/* From now on an observer counts the stamps; after those of the blocks that are to wait were cleared. */
static inline void pool_set_batched(struct pool *pool)
{
	if (!__atomic_load_n(&pool->batched, __ATOMIC_RELAXED))
		__atomic_store_n(&pool->batched, true, __ATOMIC_RELAXED);
}

/* Live blocks as an observer sees them: used less those that wait for the owner. */
uint32_t pool_live(const struct pool *pool);

#pragma GCC visibility pop

#endif
