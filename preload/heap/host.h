/* SPDX-License-Identifier: MIT */
/*
 * host.h: what the heap asks of the process it lives in.  life/ answers.
 *
 * The heap knows neither threads, nor the segment, nor fork; it calls these on slow paths only.
 */
#ifndef HEAP_HOST_H
#define HEAP_HOST_H

#include "heap/class.h"

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#pragma GCC visibility push(hidden)

struct heap;
struct pool;
struct recorded;

/*
 * The calling thread's heap, made or adopted when it has none yet.  NULL when it cannot have one: a
 * signal handler inside the allocator, a thread past its end, no memory.  The caller then serves
 * the request without a heap.
 */
struct heap *host_heap(void);

/*
 * Whether ld.so has relocated the library.  Before, no function of libc can be called and no thread-local
 * word stored; host_heap() gives NULL.
 */
bool host_relocated(void);

/*
 * For a walk of the stack: who called the function that says it, or that function itself, where a frame's address does not
 * tell where it ends.
 */
#if defined(__x86_64__)
#define HOST_FRAME() __builtin_frame_address(0)
#else
struct host_frame {
	uintptr_t fp, ip, sp;
};

/* x30 as if it changed: then it was saved before, and the unwinding information says so by then. */
static inline __attribute__((always_inline)) struct host_frame host_frame(void)
{
	struct host_frame here;
	__asm__ volatile("adr %1, 1f\n\tmov %2, sp\n\tmov %0, x29\n1:"
			 : "=&r"(here.fp), "=&r"(here.ip), "=&r"(here.sp)
			 :
			 : "x30");
	return here;
}
#define HOST_FRAME() ((const struct host_frame[]){host_frame()})
#endif

/*
 * The countdown of a pool's class ran out, at this block, which is counted.  `frame`: HOST_FRAME() of a function that the
 * program has called by way of others of this library, if any.
 */
void host_due(struct heap *heap, struct pool *pool, void *block, size_t requested,
	      const void *frame);

/* A large block came. */
void host_large_due(struct heap *heap, struct pool *pool, size_t requested, const void *frame);

/* Large blocks came and went, or were freed for others. */
void host_tick(struct heap *heap);

/* What the host keeps in a heap about the countdowns of its classes. */
struct host_events {
	uint64_t random;
	uintptr_t latest;           /* the last block that was to be recorded */
	struct class_set armed;     /* classes whose countdown runs */
	struct class_set recording; /* of these, whose next event records a block */
	uint16_t until_tick[CLASS_POOLED]; /* allocations from the next event on to the next tick; 0: that is one */
	void *recorder;                    /* NULL: nothing was recorded yet */
	uint32_t period; /* by which its countdowns were drawn: its number, see life/sites.c */
	void *tracer;    /* of life/trace.c; NULL: nothing was traced yet */
};

/* Large blocks that come and go in a heap, and their bytes, until it ticks: what is reached first. */
struct host_pace {
	uint32_t changes;
	size_t bytes;
	int64_t held; /* by how much live bytes may change before that is handed on */
};
extern struct host_pace host_large_pace;

/* Adds to a word of the slot for calls outside any heap, given by its offset in struct pm_slot. */
void host_add_shared(size_t slot_offset, uint64_t amount);

/* Live bytes changed by a large block coming or going. */
void host_live_changed(int64_t bytes);

/* A large block with that stamp has got so many more bytes, or lost them, in place. */
void host_large_resized(const void *block, uint8_t stamp, int64_t bytes);

/*
 * A block of STAMP_SPECIAL is recorded, frozen (see frozen.h), or both.  It dies; returns the stamp that it is counted by.
 */
uint8_t host_special_died(struct heap *heap, const struct pool *pool, uint64_t index);

/* The same of one that the heap frees which owns it, and the stamp is that then.  STAMP_FREE: it is special no more. */
uint8_t host_special_freed(struct heap *heap, struct pool *pool, uint64_t index);

/* The same of a large one whose address is no longer its own; `recorded` is of when it still was.  NULL: it is not recorded. */
struct recorded *host_large_recorded(const void *block);
uint8_t host_large_died(struct heap *heap, struct recorded *recorded, size_t block_bytes);

/* Whether it is recorded. */
bool host_is_recorded(const struct pool *pool, uint64_t index);

/* The program wants another size of such a block, in place; or it came instead of another, by a realloc. */
void host_special_resized(const struct pool *pool, uint64_t index, size_t requested);
void host_special_moved(const struct pool *pool, uint64_t index);

/* Memory was mapped or unmapped: region.mapped_bytes and its peak have changed. */
void host_mapped_changed(void);

/* Milliseconds of a clock that needs no system call. */
uint64_t host_milliseconds(void);

/*
 * The program broke the contract: one line on stderr, a record in the segment, then abort().
 * Returns only under on_error=report; the caller then leaves the block alone.
 */
void host_misuse(enum pm_misuse kind, const void *address, unsigned size_class, size_t block_bytes);

/* prctl(2), with what the library has to know of it.  Returns what the kernel does: a value, or -errno. */
long host_prctl(int option, const long argument[4]);

/*
 * POOLMEM=off or heap=next: every request goes to the next allocator; it is counted with heap=next, where threads have
 * heaps that count and hand out nothing.
 */
extern bool host_off, host_next;
extern bool host_unusual; /* host_off or host_tracing: calloc is to take the slow path */

/* Where malloc, calloc, and free and realloc of what is not ours go then; free() of NULL as well.  NULL: the heap serves.  Atomic. */
struct host_instead {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t size);
	void *(*realloc)(void *block, size_t size);
	void (*free)(void *block);
};
extern struct host_instead host_instead;

void *host_memalign_foreign(size_t alignment, size_t size);

/* glibc's functions that tell of a heap or tune it, of the next allocator while it serves; else NULL. */
struct host_tuning {
	struct mallinfo2 (*mallinfo2)(void);
	struct mallinfo (*mallinfo)(void);
	int (*mallopt)(int, int);
	int (*malloc_trim)(size_t);
	void (*malloc_stats)(void);
	int (*malloc_info)(int, FILE *);
};
extern struct host_tuning host_tuning;

/* With heap=next: a block that our heap handed out before it was known who serves. */
void host_free_early(struct pool *pool, void *block);
void *host_realloc_early(struct pool *pool, void *block, size_t size);

/*
 * Each call is traced: see traced.c, which calls these inside a slow path.  Sequence numbers are taken before a block's
 * address can be another's, and after it was obtained.
 */
enum host_tracing { HOST_TRACING_OFF, HOST_TRACING_ON, HOST_TRACING_ENDED };
extern uint8_t host_tracing; /* atomic, enum host_tracing; for threads that have not seen it yet it has not ended */
uint64_t host_trace_order(void);
void host_trace_alloc(struct heap *heap, unsigned kind, unsigned log2_alignment, const void *block,
		      size_t size);
void host_trace_free(struct heap *heap, const void *block, size_t block_bytes);

/* A realloc of `old` began at `order`, when `old_pages` of it were resident, and has ended. */
void host_trace_resized(struct heap *heap, uint64_t order, const void *old, uint32_t old_pages,
			const void *block, size_t size);
uint32_t host_trace_pages(const void *block, size_t block_bytes); /* 0: too small to be asked for */
void host_trace_missed(void); /* a call that has no heap, or interrupted another */

/* A pointer that is not in our arenas is the next allocator's. */
void host_free_foreign(void *block);
size_t host_usable_foreign(void *block);
void *host_realloc_foreign(void *block, size_t size);

#pragma GCC visibility pop

#endif
