/* SPDX-License-Identifier: MIT */
/* clock.h: the kernel's clocks in nanoseconds, as the library notes them. */
#ifndef POOLMEM_TEXT_CLOCK_H
#define POOLMEM_TEXT_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_MS_NS = 1000000 };

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 * CLOCK_MS_NS + (uint64_t)now.tv_nsec;
}

/* Only grows, from the start of the machine on. */
static inline uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
