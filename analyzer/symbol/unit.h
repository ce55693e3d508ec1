/* SPDX-License-Identifier: MIT */
/*
 * unit.h: one compilation unit of DWARF: its functions by address, and what was inlined into each.
 *
 * Nothing is read before an address of the unit, of the function, is asked for; then once, as a whole.
 */
#ifndef POOLMEM_SYMBOL_UNIT_H
#define POOLMEM_SYMBOL_UNIT_H

#include "symbol/spans.h"

#include <elfutils/libdw.h>

struct inlined {
	Dwarf_Die die;
	uint32_t parent; /* what it is inlined into: an index of `inlined` + 1; 0: the function itself */
};

struct function {
	Dwarf_Die die;
	bool is_read;
	struct inlined *inlined; /* a parent stands before what is inlined into it */
	size_t count, room;
	struct spans ranges; /* of `inlined`, in the same order */
};

struct unit {
	Dwarf_Die die;
	bool is_listed, is_deep; /* deep: functions inside functions and types, too */
	struct function *functions;
	size_t count, room;
	struct spans spans;
};

/* work: entries that may still be looked at; what a file says may not take longer than its size allows. */
struct function *unit_function_at(struct unit *unit, uint64_t address, uint64_t *work);

/* The entry, then what is inlined into it there, and so on inwards.  Returns how many. */
size_t function_chain_at(struct function *function, uint64_t address, uint64_t *work,
			 Dwarf_Die **ret_chain, size_t chain_max);

/* The address ranges of an entry. */
void die_ranges(Dwarf_Die *die, uint32_t item, struct spans *spans, uint64_t *work);

void unit_free(struct unit *unit);

#endif
