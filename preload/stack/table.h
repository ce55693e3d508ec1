/* SPDX-License-Identifier: MIT */
/*
 * table.h: from an address to its record, with the table that linkers sort (.eh_frame_hdr).
 */
#ifndef STACK_TABLE_H
#define STACK_TABLE_H

#include "stack/fde.h"

#pragma GCC visibility push(hidden)

/*
 * The record that may be about the instruction at `pc`, as no other is; `header` is the table's start,
 * inside `module`.  NULL: none.  Without a table the records are read one by one, up to a limit.
 */
const uint8_t *table_find(struct bytes module, const uint8_t *header, uintptr_t pc);

#pragma GCC visibility pop

#endif
