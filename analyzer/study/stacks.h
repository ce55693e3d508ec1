/* SPDX-License-Identifier: MIT */
/*
 * stacks.h: the stacks of all processes as one tree: each place is a return address, and knows who called it.
 *
 * Places are the same when they are the same place of the same module, called by the same: wherever a process had
 * that module.  Modules are the same by build id, or, without one, by path.
 */
#ifndef POOLMEM_STUDY_STACKS_H
#define POOLMEM_STUDY_STACKS_H

#include "model/naming.h"
#include "text/hash.h"

/* A call as it is shown. */
struct named_call {
	struct call call;
	char *label; /* the function; "module+0x1234" where it is not known; bytes of unknown origin */
};

struct place {
	uint32_t caller;          /* index in stacks.places; 0: none is known */
	uint32_t module;          /* index in stacks.modules; 0: none is known */
	uint64_t offset;          /* from the module's load bias; without a module the address */
	struct code code;         /* where it was seen first */
	struct named_call *calls; /* innermost first; at least one, once it was asked for */
	size_t call_count;
};

struct stacks {
	struct naming *naming;
	struct place *places; /* 0 is nobody */
	size_t count, room;
	const struct module **modules; /* 0: NULL */
	size_t module_count, module_room;
	struct hash_index index; /* of places by what they are */
};

/* with_files: as for naming_open(). */
void stacks_open(const struct recording *recording, bool with_files, struct stacks *ret);
void stacks_close(struct stacks *stacks);

/* Places of the frames of a process; by index of the frame, 0: not placed yet. */
uint32_t *stacks_begin(const struct process *process);

/* The place of a frame. */
uint32_t stacks_place(struct stacks *stacks, const struct process *process, uint32_t frame,
		      uint32_t *places);

/* What is called there; named when it is asked for first. */
const struct named_call *stacks_calls(struct stacks *stacks, uint32_t place, size_t *ret_count);

/* Finds the names of all calls of these stacks, in the order that is cheapest: asking for them is cheap afterwards. */
void stacks_prepare(struct stacks *stacks, const uint32_t *places, size_t count);

/* The name of a module without its folders; NULL: none is known. */
const char *stacks_module(const struct stacks *stacks, uint32_t place);

/* A walk over the calls of a stack, innermost first. */
struct walk {
	uint32_t place;
	size_t call;
};

const struct named_call *walk_next(struct stacks *stacks, struct walk *walk);

#endif
