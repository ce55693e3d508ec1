/* SPDX-License-Identifier: MIT */
/*
 * host.h: what the heap asks of the process it lives in.  life/ answers.
 *
 * The heap knows neither threads, nor the segment, nor fork; it calls these on slow paths only.
 */
#ifndef HEAP_HOST_H
#define HEAP_HOST_H

#include <poolmem/format.h>
#include <stdbool.h>
#include <stddef.h>

struct heap;

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

/* The countdown of a class ran out; CLASS_LARGE: a large block came or went. */
void host_tick(struct heap *heap, unsigned size_class);

/* Large blocks that come and go in a heap, and their bytes, until it ticks: what is reached first. */
struct host_pace {
	uint32_t changes;
	size_t bytes;
};
extern struct host_pace host_large_pace;

/* Adds to a word of the slot for calls outside any heap, given by its offset in struct pm_slot. */
void host_add_shared(size_t slot_offset, uint64_t amount);

/* Live bytes changed by a large block coming or going. */
void host_live_changed(int64_t bytes);

/* A large block with that stamp has got so many more bytes, or lost them, in place. */
void host_large_resized(uint8_t stamp, int64_t bytes);

/* A block that was frozen died, and has been counted among the oldest; see frozen.h. */
void host_frozen_died(unsigned size_class, size_t block_bytes);

/* Memory was mapped or unmapped: region.mapped_bytes and its peak have changed. */
void host_mapped_changed(void);

/* Milliseconds of a clock that needs no system call. */
uint64_t host_milliseconds(void);

/*
 * The program broke the contract: one line on stderr, a record in the segment, then abort().
 * Returns only under on_error=report; the caller then leaves the block alone.
 */
void host_misuse(enum pm_misuse kind, const void *address, unsigned size_class, size_t block_bytes);

/* POOLMEM=off: every request goes to the next allocator. */
extern bool host_off;
void *host_alloc_foreign(size_t alignment, size_t size, bool zeroed);

/* A pointer that is not in our arenas is the next allocator's. */
void host_free_foreign(void *block);
size_t host_usable_foreign(void *block);
void *host_realloc_foreign(void *block, size_t size);

#endif
