/* SPDX-License-Identifier: MIT */
/* resident.h: what is resident, less the replay's own. */
#ifndef POOLMEM_REPLAY_RESIDENT_H
#define POOLMEM_REPLAY_RESIDENT_H

#include <stdint.h>

struct resident {
	uint64_t mean, peak, end;
	uint64_t own_faults; /* of places that were added */
};

/* All that the replay needs is there. */
void resident_prepare(void);

/* The first step comes next. */
void resident_begin(uint64_t now_ns);

/* By any thread, often: now and then one looks. */
void resident_look(uint64_t now_ns);

/* A further place for a thread, which is the replay's own. */
void resident_add_place(void);

/* By the last thread that runs. */
struct resident resident_end(uint64_t now_ns);

static inline uint64_t less(uint64_t whole, uint64_t part)
{
	return whole > part ? whole - part : 0;
}

#endif
