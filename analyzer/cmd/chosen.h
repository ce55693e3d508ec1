/* SPDX-License-Identifier: MIT */
/* chosen.h: which allocators, as a command line names them. */
#ifndef POOLMEM_CMD_CHOSEN_H
#define POOLMEM_CMD_CHOSEN_H

#include "launch/allocators.h"

/* What was asked for, by places in the list of allocators. */
struct chosen {
	struct allocators *allocators;
	bool wanted[ALLOCATOR_MAX];
};

/* One more, NAME=PATH; it is wanted.  false: not of that form, or too many. */
bool chosen_add(struct chosen *chosen, const char *given, struct failure *why);

/* Names by commas, NAME=PATH among them: these are wanted.  option: "--only", for messages.  false: no such allocator. */
bool chosen_list(struct chosen *chosen, const char *option, const char *list, struct failure *why);

#endif
