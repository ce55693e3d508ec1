/* SPDX-License-Identifier: MIT */
/* census.h: the heap's own figures, for mallinfo and the like. */
#ifndef HEAP_CENSUS_H
#define HEAP_CENSUS_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct census {
	size_t pools, large_blocks; /* in use */
	size_t live_blocks;         /* in pools */
	size_t live_bytes;          /* in pools */
	size_t large_bytes;
	size_t free_pool_bytes;                 /* free blocks of pools in use */
	size_t mapped_bytes, mapped_peak_bytes; /* arenas */
	size_t dirty_bytes;                     /* free units kept */
	size_t meta_bytes;
};

/* Counts all heaps while they change; exact when no other thread allocates. */
struct census census_take(void);

/* Gives back what the calling thread's heap and the arenas keep.  Returns bytes. */
size_t census_trim(void);

#pragma GCC visibility pop

#endif
