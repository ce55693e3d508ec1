/* SPDX-License-Identifier: MIT */
/*
 * arena.h: where pools and large blocks get their pages.
 *
 *   address space   base | arena 0 | arena 1 | ... | arena n |      64 units of 64 KiB each
 *
 * Arenas stand side by side, so that one subtraction and one compare tell whether an address is ours.
 * Nothing is reserved ahead: an arena maps its units when they are first wanted, in growing steps.
 * An arena whose range another mapping has taken is skipped.
 *
 * Units are handed out by compare-and-swap on one word per arena: no lock, so that a signal handler or a
 * forked child can always get memory.
 *
 *   free: mapped and nobody's.    dirty: of the free ones, written to since they were last zero.
 *   aged: free and dirty since the last purge; these are purged next.
 */
#ifndef HEAP_ARENA_H
#define HEAP_ARENA_H

#include "heap/pool.h"

#pragma GCC visibility push(hidden)

enum {
	UNIT_SHIFT = __builtin_ctz(PM_UNIT_BYTES),
	ARENA_BYTES = PM_ARENA_UNITS * PM_UNIT_BYTES,
	ARENA_BLOCK = 256,   /* arenas described together */
	ARENA_BLOCKS = 1024, /* so at most 262,144 arenas, 1 TiB */
	ARENA_LIMIT = ARENA_BLOCK * ARENA_BLOCKS,
	RUN_UNITS_MAX = (32 << 20) / PM_UNIT_BYTES, /* what is longer is mapped and unmapped */
	ARENA_RECORD_LINE = 64,                     /* unit of arena.record_at, bytes */
	RECORD_SHAPES = 7,                          /* lengths of descriptors, see record.c */
};

enum arena_kind {
	ARENA_UNUSED,  /* nothing mapped; free to take */
	ARENA_CLAIMED, /* being set up */
	ARENA_POOLS,
	ARENA_HUGE, /* first arena of a block over RUN_UNITS_MAX */
	ARENA_HUGE_TAIL,
	ARENA_BLOCKED /* another mapping is there */
};

struct arena {
	uint64_t free;     /* atomic */
	uint64_t dirty;    /* atomic */
	uint64_t aged;     /* atomic */
	uint32_t mapped;   /* atomic: units mapped, from the start */
	uint32_t kind;     /* atomic, enum arena_kind */
	size_t huge_bytes; /* of an ARENA_HUGE block: usable */
	uint32_t huge_arenas;
	uint32_t index;
	uint32_t changed; /* atomic flag: something in it changed since it was last published */
	bool published;   /* by life/: a figure of it stands in the segment */
	bool ageing;      /* atomic, of ageing.c: a pool in it may be AGEING_DUE */
	char *records;    /* of record.c: descriptors */
	uint64_t places[RECORD_SHAPES];     /* atomic: those taken, a bit each */
	uint16_t record_at[PM_ARENA_UNITS]; /* atomic: where the unit's is; 0: it has had none yet */
	uint8_t places_peak[RECORD_SHAPES]; /* atomic: so many have been taken at a time */
	void *of_host[PM_ARENA_UNITS]; /* atomic, of life/: what it keeps of the unit's blocks */
};

/* What the lookup in free() reads.  `units` is stored last when it grows. */
struct region {
	uintptr_t base_unit;   /* address of arena 0, in units */
	uintptr_t units;       /* units that `pool_at` covers */
	struct pool **pool_at; /* per unit: the pool that holds it, or &pool_nowhere */
	uint32_t arenas;       /* atomic: arenas ever claimed */
	uint32_t first_free;   /* atomic hint: no arena below has a free unit */
	uint64_t mapped_bytes; /* atomic: in arenas */
	uint64_t mapped_peak;  /* atomic */
	uint64_t meta_bytes; /* atomic: descriptors and stamps, as many as were ever in use; mapped for heaps and maps */
	uint64_t purged_bytes; /* atomic: given back so far */
	uint64_t free_bytes;   /* atomic: free units, dirty or not, roughly */
	uint64_t free_dirty;   /* atomic: dirty free units, roughly */
	uint64_t sparse_bytes; /* atomic: pages inside pools that went back, of sparse.c */
	uint64_t given_early; /* atomic: went back before a pass came to it, less with time; see purge.c */
	uint64_t missed; /* atomic: of that, taken again soon */
	uint64_t look_at; /* atomic: of free_dirty, when to see again whether that is too much; of span.c */
};

extern struct region region __attribute__((visibility("hidden")));
extern struct pool pool_nowhere __attribute__((visibility("hidden")));

/*
 * For the lookup.  Where loads are not seen in their order it must not find a longer map's units and then the map before it:
 * a foreign pointer may lead anywhere.
 */
static inline uintptr_t region_units(void)
{
#if defined(__x86_64__)
	return region.units;
#else
	return __atomic_load_n(&region.units, __ATOMIC_ACQUIRE);
#endif
}

/* The unit of an address, counted from the region's base; huge for an address below. */
static inline uintptr_t region_unit_of(const void *address)
{
	return ((uintptr_t)address >> UNIT_SHIFT) - region.base_unit;
}

/* The pool that holds an address; &pool_nowhere for what is not ours. */
static inline struct pool *region_pool_of(const void *address)
{
	uintptr_t unit = region_unit_of(address);
	if (__builtin_expect(unit >= region_units(), 0))
		return &pool_nowhere;
	return region.pool_at[unit];
}

extern struct arena *arena_blocks[ARENA_BLOCKS]
	__attribute__((visibility("hidden"))); /* NULL: no such arenas */

static inline struct arena *arena_at(uint32_t index)
{
	return &arena_blocks[index / ARENA_BLOCK][index % ARENA_BLOCK];
}

static inline char *arena_base(const struct arena *arena)
{
	return (char *)((region.base_unit << UNIT_SHIFT) + (uintptr_t)arena->index * ARENA_BYTES);
}

/* Far below the arenas, where other things of ours go, `step` by step; or as far as there is room. */
static inline uintptr_t region_below(unsigned step)
{
	uintptr_t base = region.base_unit << UNIT_SHIFT, distance = (uintptr_t)step << 40;
	return base > distance ? base - distance : base >> step;
}

static inline char *arena_unit_at(const struct arena *arena, unsigned unit)
{
	return arena_base(arena) + (size_t)unit * PM_UNIT_BYTES;
}

/* A set of an arena's units is a word, a bit each. */
static inline uint64_t units_mask(unsigned first, unsigned count)
{
	return (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << first;
}

/* Adjacent units; more than are left in the arena go on in those behind it. */
struct run {
	struct arena *arena;
	unsigned first, count;
	bool zeroed; /* reads as zero throughout */
};

/* Takes `count` adjacent units, at most RUN_UNITS_MAX.  false: no memory. */
bool arena_take(unsigned count, struct run *ret_run);

/* Takes exactly these units if all are free.  `first` counts on from the arena into those behind it.  span.c */
bool arena_take_at(struct arena *arena, unsigned first, unsigned count, bool *ret_zeroed);

/* Gives units back; their content is rubbish.  What is too much to keep goes back to the kernel: see span.c. */
void arena_give(struct arena *arena, unsigned first, unsigned count);

/* Makes arenas behind the last one ready, or unused ones, so that a run can grow to its unit `end`. */
void arena_open_up_to(struct arena *arena, unsigned end);

/* As arena_give(), of units that read as zero. */
void arena_give_zeroed(struct arena *arena, unsigned first, unsigned count);

/* Makes the run findable: each of its units leads to the first's descriptor, which has room for so many stamps. */
struct pool *arena_describe(const struct run *run, size_t stamps);

/* The descriptor in force at a unit; state POOL_UNUSED where no pool begins.  The arena has been used. */
struct pool *arena_pool(const struct arena *arena, unsigned unit);

/* By pools and blocks.  Free units are read first: an arena that grows meanwhile seems to hold less. */
static inline unsigned arena_units_in_use(const struct arena *arena)
{
	unsigned idle = (unsigned)__builtin_popcountl(
		__atomic_load_n(&arena->free, __ATOMIC_ACQUIRE));
	unsigned mapped = __atomic_load_n(&arena->mapped, __ATOMIC_ACQUIRE);
	return mapped > idle ? mapped - idle : 0;
}

static inline void arena_mark_changed(struct arena *arena)
{
	__atomic_store_n(&arena->changed, 1, __ATOMIC_RELAXED);
}

/* Length of arena.records. */
size_t arena_records_bytes(void);

/* By pools and blocks, without pages inside pools that went back; roughly. */
uint64_t arena_bytes_in_use(void);

/* Calls `visit` for each pool and large block, of all heaps, while they change. */
void arena_each_pool(void (*visit)(struct pool *, void *), void *context);

/* The same for one arena. */
void arena_each_pool_of(const struct arena *arena, void (*visit)(struct pool *, void *),
			void *context);

/* What the host keeps of the blocks of a pool; it is the unit's, and stays when that becomes another pool's. */
static inline void **arena_of_host(const struct pool *pool)
{
	return &arena_at(pool->arena)->of_host[pool->first_unit];
}

/* Arena and unit of a pool's descriptor. */
struct arena *arena_of(const struct pool *pool, unsigned *ret_unit);

/* Memory with arenas of its own; found by its first unit only.  Reads as zero.  NULL: no memory. */
struct pool *arena_take_huge(size_t bytes);

/* Makes a huge block that starts further inside, for its alignment, found there. */
void arena_find_at(struct pool *pool, const void *start);
void arena_give_huge(struct pool *pool);

/* Grows or shrinks a huge block, moving its pages where it must.  NULL: it stays as it was. */
struct pool *arena_resize_huge(struct pool *pool, size_t bytes);

/*
 * Returns dirty free units to the kernel: those that have been free since the pass before, or all.
 * Returns bytes.  One caller at a time is served, others return 0.
 */
size_t arena_purge(bool all);

/* A part of such a pass, a few milliseconds long.  true: it is through, or another thread is at it. */
bool arena_purge_part(void);

/* Returns at most about so much of what is free and dirty at once, however short it has been free.  Returns bytes. */
size_t arena_purge_early(size_t most);

#pragma GCC visibility pop

#endif
