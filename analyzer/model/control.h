/* SPDX-License-Identifier: MIT */
/*
 * control.h: the one word that we write to the segment of a process that runs: what it is to record from now on.
 *
 * A live process of this user, in a file that is his and that nobody else can write to.
 */
#ifndef POOLMEM_MODEL_CONTROL_H
#define POOLMEM_MODEL_CONTROL_H

#include "source/input.h"

#include <poolmem/format.h>
#include <stddef.h>

struct control {
	struct input input;
	uint32_t pid, leader;
	uint32_t chunk_bytes;
	void *pages; /* mapped to write; NULL: it is only read */
	size_t page_bytes;
	uint64_t *word;
};

struct control_state {
	enum pm_control what;             /* it can be told */
	uint64_t asked, taken;            /* words */
	uint64_t period, before;          /* as pm_process.site_period */
	uint64_t sample_period;           /* bytes */
	bool was_switched;                /* since it began */
	uint64_t since_ns, since_real_ns; /* if so; CLOCK_MONOTONIC and CLOCK_REALTIME */
	size_t threads, followers; /* that run and have allocated; that follow what was taken last */
	bool is_passive;           /* another malloc serves it */
};

/* pid: digits. */
bool control_open(const char *pid, bool writes, struct control *ret, struct failure *why);
void control_close(struct control *control);

bool control_read(const struct control *control, struct control_state *ret, struct failure *why);

/* Asks for a period; returns the word to look for in what was taken. */
uint64_t control_ask(const struct control *control, uint64_t period);

/* Whether the process has looked at it, and each of its threads follows. */
bool control_is_taken(const struct control_state *state, uint64_t word);

#endif
