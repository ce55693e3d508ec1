/* SPDX-License-Identifier: MIT */
/*
 * poolmem.h: what a program can ask libpoolmem.so for, in the words of Python's gc module.
 *
 * Include it and call; nothing is linked.  The functions are found when the program runs under libpoolmem.so.  Without
 * it, under POOLMEM=off, and before the library is set up, those that return a number return -1 with errno ENOSYS, and
 * what they should fill in is zero.
 *
 * Generations are 0 (young), 1 and 2 (old).  "Blocks" are what malloc and its kin return; bytes are usable ones, as
 * malloc_usable_size() tells.  Nothing is freed by any of these.  All are safe to call from any thread; not from a
 * signal handler.  Where another thread keeps the clock busy for too long they return -1 with errno EAGAIN.
 *
 * Figures are exact in a program of one thread.  See poolmem-gc(7) for what differs from Python.
 */
#ifndef POOLMEM_POOLMEM_H
#define POOLMEM_POOLMEM_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What happened to the blocks of a generation since the process began, as gc.get_stats() tells of collections.
 *
 *   entered = survived + died + live + frozen, for blocks as for bytes
 */
struct poolmem_stats {
	uint64_t sweeps; /* of this generation, and not of an older one */
	uint64_t entered; /* blocks born (generation 0) or promoted; those that a forked child inherited, too */
	uint64_t survived; /* promoted to the next */
	uint64_t died;     /* freed while they were in it */
	uint64_t live;
	uint64_t frozen; /* left out by poolmem_freeze(), or freed while they were */
	uint64_t entered_bytes, survived_bytes, died_bytes, live_bytes, frozen_bytes;
};

/* The functions in the library.  Use those below, without "v1". */
#define POOLMEM_WEAK __attribute__((weak, visibility("default")))
POOLMEM_WEAK int64_t poolmem_v1_collect(int generation);
POOLMEM_WEAK int poolmem_v1_get_stats(struct poolmem_stats *stats, size_t one_bytes);
POOLMEM_WEAK int poolmem_v1_get_count(uint64_t *count);
POOLMEM_WEAK int poolmem_v1_get_threshold(uint32_t *threshold);
POOLMEM_WEAK int poolmem_v1_set_threshold(uint32_t threshold0, uint32_t threshold1,
					  uint32_t threshold2);
POOLMEM_WEAK int64_t poolmem_v1_freeze(void);
POOLMEM_WEAK int poolmem_v1_unfreeze(void);
POOLMEM_WEAK int64_t poolmem_v1_get_freeze_count(void);
POOLMEM_WEAK int poolmem_v1_enable(int enabled);
POOLMEM_WEAK int poolmem_v1_is_enabled(void);
POOLMEM_WEAK int poolmem_v1_mark(const char *name);

/*
 * The function's address, NULL when it is not there.  In a program at a fixed address a compiler takes it for a constant
 * that the linker knows, and NULL it is; through the table of addresses the loader decides.
 */
#if defined(__x86_64__) && defined(__LP64__) && !defined(__PIC__) && !defined(__PIE__)
#define POOLMEM_FIND(function)                                                                     \
	(__extension__({                                                                           \
		__typeof__(&function) found_;                                                      \
		__asm__(".weak " #function "\n\t{movq " #function                                  \
			"@GOTPCREL(%%rip), %0|mov %0, QWORD PTR " #function "@GOTPCREL[rip]}"      \
			: "=r"(found_));                                                           \
		found_;                                                                            \
	}))
#else
#define POOLMEM_FIND(function) (&function)
#endif

static inline int poolmem_not_here(void)
{
	errno = ENOSYS;
	return -1;
}

/*
 * Sweeps `generation` and all younger ones now, as gc.collect(generation) does.  Returns how many blocks died in these
 * generations since the last sweep that took `generation`.  After 101 sweeps of generation 0 in a row, asked for or
 * not, the next takes generation 1 as well.  EINVAL: it is not 0, 1 or 2.
 */
static inline int64_t poolmem_collect(int generation)
{
	__typeof__(&poolmem_v1_collect) found = POOLMEM_FIND(poolmem_v1_collect);
	return found ? found(generation) : poolmem_not_here();
}

/* Fills in stats[0], stats[1] and stats[2].  Returns 0. */
static inline int poolmem_get_stats(struct poolmem_stats stats[3])
{
	int g;
	for (g = 0; g < 3; g++) {
		static const struct poolmem_stats none = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
		stats[g] = none;
	}
	__typeof__(&poolmem_v1_get_stats) found = POOLMEM_FIND(poolmem_v1_get_stats);
	return found ? found(stats, sizeof stats[0]) : poolmem_not_here();
}

/*
 * count[0]: units of the clock (allocations, unless gen.clock says otherwise) since the last sweep; count[1]: sweeps
 * of generation 0 since the last one of 1; count[2]: of generation 1 since the last one of 2.  Returns 0.
 */
static inline int poolmem_get_count(uint64_t count[3])
{
	count[0] = count[1] = count[2] = 0;
	__typeof__(&poolmem_v1_get_count) found = POOLMEM_FIND(poolmem_v1_get_count);
	return found ? found(count) : poolmem_not_here();
}

/* threshold[0]: units of the clock; the others: sweeps of the generation before.  Returns 0. */
static inline int poolmem_get_threshold(uint32_t threshold[3])
{
	threshold[0] = threshold[1] = threshold[2] = 0;
	__typeof__(&poolmem_v1_get_threshold) found = POOLMEM_FIND(poolmem_v1_get_threshold);
	return found ? found(threshold) : poolmem_not_here();
}

/*
 * From now on.  The length of an epoch begins anew at threshold0.  What other threads allocate comes to the
 * clock up to 8,192 allocations of a size late, until they have seen it.  Returns 0.  EINVAL: threshold0 is 0
 * (poolmem_disable() is for that), or threshold1 is more than 100.
 */
static inline int poolmem_set_threshold(uint32_t threshold0, uint32_t threshold1,
					uint32_t threshold2)
{
	__typeof__(&poolmem_v1_set_threshold) found = POOLMEM_FIND(poolmem_v1_set_threshold);
	return found ? found(threshold0, threshold1, threshold2) : poolmem_not_here();
}

/*
 * Sweeps generation 2, then takes all blocks that live out of the statistics: for what a start-up phase leaves.
 * Returns how many are frozen now.  Their frees are a little slower.  Blocks that other threads allocate or free
 * meanwhile may be missed, or counted as frozen though they are gone.
 */
static inline int64_t poolmem_freeze(void)
{
	__typeof__(&poolmem_v1_freeze) found = POOLMEM_FIND(poolmem_v1_freeze);
	return found ? found() : poolmem_not_here();
}

/* Frozen blocks are of generation 2 again.  Returns 0. */
static inline int poolmem_unfreeze(void)
{
	__typeof__(&poolmem_v1_unfreeze) found = POOLMEM_FIND(poolmem_v1_unfreeze);
	return found ? found() : poolmem_not_here();
}

/* Blocks that are frozen and live. */
static inline int64_t poolmem_get_freeze_count(void)
{
	__typeof__(&poolmem_v1_get_freeze_count) found = POOLMEM_FIND(poolmem_v1_get_freeze_count);
	return found ? found() : poolmem_not_here();
}

/* Sweeps by thresholds go on, as they do from the start, or pause; poolmem_collect() sweeps all the same.  Return 0. */
static inline int poolmem_enable(void)
{
	__typeof__(&poolmem_v1_enable) found = POOLMEM_FIND(poolmem_v1_enable);
	return found ? found(1) : poolmem_not_here();
}

static inline int poolmem_disable(void)
{
	__typeof__(&poolmem_v1_enable) found = POOLMEM_FIND(poolmem_v1_enable);
	return found ? found(0) : poolmem_not_here();
}

/* 1 or 0. */
static inline int poolmem_is_enabled(void)
{
	__typeof__(&poolmem_v1_is_enabled) found = POOLMEM_FIND(poolmem_v1_is_enabled);
	return found ? found() : poolmem_not_here();
}

/*
 * Ends a phase of the program, and begins one: `poolmem survival` shows figures for each.  The name is copied, 55 bytes
 * of it at most.  Returns 0.  EINVAL: the name is NULL or empty.  ENOSPC: there is no room: 51 are kept.
 */
static inline int poolmem_mark(const char *name)
{
	__typeof__(&poolmem_v1_mark) found = POOLMEM_FIND(poolmem_v1_mark);
	return found ? found(name) : poolmem_not_here();
}

#ifdef __cplusplus
}
#endif
#endif
