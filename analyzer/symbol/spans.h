/* SPDX-License-Identifier: MIT */
/*
 * spans.h: which of many ranges of addresses covers an address.
 *
 * Ranges may overlap: the one that begins last counts, of those that begin together the one added last.
 */
#ifndef POOLMEM_SYMBOL_SPANS_H
#define POOLMEM_SYMBOL_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	uint64_t first, last; /* last: behind the range */
	uint64_t reach;       /* the highest `last` up to here, in order */
	uint32_t order;       /* in which it was added */
	uint32_t item;        /* whatever the owner keeps for it */
};

struct spans {
	struct span *list;
	size_t count, room;
};

/* Empty ranges, and those past 2^32, are left out. */
void spans_add(struct spans *spans, uint64_t first, uint64_t last, uint32_t item);

/* After the last one is added, before the first is asked for. */
void spans_sort(struct spans *spans);

bool spans_at(const struct spans *spans, uint64_t address, uint32_t *ret_item);

/* Of those that cover the address the one added last, wherever it begins. */
bool spans_newest_at(const struct spans *spans, uint64_t address, uint32_t *ret_item);
void spans_free(struct spans *spans);

#endif
