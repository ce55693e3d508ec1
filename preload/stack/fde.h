/* SPDX-License-Identifier: MIT */
/*
 * fde.h: one record of .eh_frame, which tells how to leave a function from each of its instructions.
 *
 * A record (FDE) begins with instructions that it shares with others, of its CIE.
 */
#ifndef STACK_FDE_H
#define STACK_FDE_H

#include "stack/bytes.h"

#pragma GCC visibility push(hidden)

struct fde {
	uintptr_t start, end;     /* the code it is about */
	struct bytes shared, own; /* call frame instructions */
	uint64_t code_unit;       /* what advances are multiples of */
	int64_t data_unit;        /* and offsets */
	uint8_t encoding;         /* of addresses */
	bool is_signal; /* what called is not a call: the address it returns to is exact */
};

/*
 * Reads the record at `at`, which lies inside `module`, as its CIE must.  false: it is none, or is
 * written in a way that we do not know.
 */
bool fde_read(struct bytes module, const uint8_t *at, struct fde *ret);

static inline bool fde_covers(const struct fde *fde, uintptr_t pc)
{
	return pc >= fde->start && pc < fde->end;
}

/* The record at `at` as far as one can tell without reading it: takes it from `module`.  false: the last. */
bool fde_take(struct bytes *module, const uint8_t **ret_at);

#pragma GCC visibility pop

#endif
