/* SPDX-License-Identifier: MIT */
/*
 * wiped.h: words that read as zero in a forked child, whatever call forked it.
 *
 * `alive` tells a child from its parent; others are flags of who is at work, which in a child nobody is.
 * `shared` is there so that one call to the kernel does for all.
 */
#ifndef SYS_WIPED_H
#define SYS_WIPED_H

#include "sys/memory.h"

#include <poolmem/format.h>
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct wiped {
	uint32_t alive;     /* 1 in the process that set itself up */
	uint32_t purging;   /* atomic: a thread purges */
	uint32_t advancing; /* atomic: a thread turns the epoch */
	uint32_t growing;   /* atomic: a thread grows the segment's mapping */
	uint32_t settling; /* atomic: the thread of the child that makes it a process of its own; of life/ */
	uint32_t pid;      /* of a child of fork(), which notes it at once */
	uint32_t adding;   /* atomic: 1: a thread adds a chunk to the segment, 2: and others wait */
	uint32_t entering; /* atomic: a thread enters a site, a frame or a module */
	uint32_t switching; /* atomic: a thread takes what is asked for from outside */
	uint32_t timing;    /* atomic: a thread adds to the timeline */
	uint32_t kept;      /* 1 until a fork wipes it */
	uint32_t tracing;   /* atomic: a thread begins a chunk of the trace */
	uint32_t summing;   /* atomic: a thread sums up what lives */
	uint64_t enterer;   /* atomic: and whose thread's words these are */
	uint8_t rest[4096 - 64];
	struct pm_slot shared; /* counts of calls outside any heap, until they stand in the segment */
} __attribute__((aligned(MEMORY_PAGE_MAX)));

extern struct wiped wiped;

/* Asks the kernel for it.  false: the kernel is too old. */
bool wiped_init(void);

static inline bool wiped_try(uint32_t *flag)
{
	return !__atomic_exchange_n(flag, 1, __ATOMIC_ACQUIRE);
}

/* The same, waiting for who has it, a bounded number of turns: see memory_pause(). */
bool wiped_wait(uint32_t *flag, unsigned turns);

static inline void wiped_done(uint32_t *flag)
{
	__atomic_store_n(flag, 0, __ATOMIC_RELEASE);
}

#pragma GCC visibility pop

#endif
